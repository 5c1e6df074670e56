/*
 * What the files of src/record share: positions of fields in the kinds' tables, the rules between
 * fields, and how a field is refused.
 */
#ifndef VINCULO_RECORD_INTERNAL_H
#define VINCULO_RECORD_INTERNAL_H

#include "vinculo/record.h"

enum survey_field {
    SURVEY_ID,
    SURVEY_CUSTOMER_ID,
    SURVEY_INTERACTION_ID,
    SURVEY_SUBMISSION_ID,
    SURVEY_TYPE,
    SURVEY_SCORE,
    SURVEY_SCALE_MIN,
    SURVEY_SCALE_MAX,
    SURVEY_DIRECTION,
    SURVEY_ASPECT,
    SURVEY_TOUCHPOINT,
    SURVEY_SOLICITED,
    SURVEY_COMMENT,
    SURVEY_CHANNEL,
    SURVEY_SEGMENT,
    SURVEY_SENT_AT,
    SURVEY_ANSWERED_AT,
    SURVEY_METADATA,
    SURVEY_FIELD_COUNT
};

enum interaction_field {
    INTERACTION_ID,
    INTERACTION_CUSTOMER_ID,
    INTERACTION_CHANNEL,
    INTERACTION_TOPIC,
    INTERACTION_AGENT,
    INTERACTION_DIRECTION,
    INTERACTION_BOT,
    INTERACTION_OPENED_AT,
    INTERACTION_FIRST_RESPONSE_AT,
    INTERACTION_RESOLVED_AT,
    INTERACTION_RESOLVED_ON_FIRST_CONTACT,
    INTERACTION_CLOSED_AT,
    INTERACTION_SEGMENT,
    INTERACTION_METADATA,
    INTERACTION_FIELD_COUNT
};

enum payment_field {
    PAYMENT_ID,
    PAYMENT_CUSTOMER_ID,
    PAYMENT_AMOUNT,
    PAYMENT_CURRENCY,
    PAYMENT_PAID_AT,
    PAYMENT_SEGMENT,
    PAYMENT_METADATA,
    PAYMENT_FIELD_COUNT
};

enum cost_field {
    COST_ID,
    COST_AMOUNT,
    COST_CURRENCY,
    COST_INCURRED_AT,
    COST_CATEGORY,
    COST_CHANNEL,
    COST_SEGMENT,
    COST_METADATA,
    COST_FIELD_COUNT
};

enum action_field {
    ACTION_ID,
    ACTION_CUSTOMER_ID,
    ACTION_SURVEY_ID,
    ACTION_INTERACTION_ID,
    ACTION_TITLE,
    ACTION_OWNER,
    ACTION_TOPIC,
    ACTION_STATUS,
    ACTION_OPENED_AT,
    ACTION_DUE_AT,
    ACTION_DONE_AT,
    ACTION_METADATA,
    ACTION_FIELD_COUNT
};

void survey_check(struct record *record, const struct record_context *context,
                  struct problem *problem);
void interaction_check(struct record *record, const struct record_context *context,
                       struct problem *problem);
void payment_check(struct record *record, const struct record_context *context,
                   struct problem *problem);
void cost_check(struct record *record, const struct record_context *context,
                struct problem *problem);
void action_check(struct record *record, const struct record_context *context,
                  struct problem *problem);

/* Adds an error at a field, which then counts as refused, and makes its value absent. */
void record_refuse(struct record *record, struct problem *problem, size_t field,
                   enum field_err code, const char *format, ...) PRINTF_LIKE(5, 6);
/* Adds unknown_field at a name that the kind does not have. ERR_UNAVAILABLE: memory. */
MUST_CHECK enum err record_refuse_name(const struct kind_spec *spec, const char *name,
                                       struct problem *problem);
/* created_at, updated_at: shown, and ignored where they are sent. */
bool record_is_read_only(const char *name);
/* The field was refused: rules between fields leave it alone. */
bool record_is_refused(const struct record *record, size_t field);
/* The field was sent, be its value valid or not. */
bool record_is_given(const struct record *record, size_t field);
/* Gives an absent field its default. */
void record_default_integer(struct record *record, size_t field, int64_t integer);
void record_default_text(struct record *record, size_t field, const char *text);
/* Fills in a time from the server's clock: it then counts as not sent. */
void record_set_server_time(struct record *record, size_t field, int64_t moment);
bool record_is_from_server(const struct record *record, size_t field);
/* Refuses the time `field` where it is before the time `start`. */
void record_check_not_before(struct record *record, size_t field, size_t start,
                             struct problem *problem);

/* Copies the texts that the values point to into a block of the record's own. */
MUST_CHECK enum err record_own_texts(struct record *record);

/* Fills in record->hash. `metadata` is the parsed metadata, or NULL. */
MUST_CHECK enum err record_hash(struct record *record, const json_t *metadata);

/* Containers on the deepest path ({} is 1, a number 0); counting ends above `limit`. */
size_t json_depth(const json_t *value, size_t limit);

/* Counts code points; false where the bytes are not UTF-8. */
bool text_measure(const char *text, size_t length, size_t *ret_points, bool *ret_has_control);
/* Bytes of the first `points` code points of valid UTF-8, or `length` where there are fewer. */
size_t text_prefix(const char *text, size_t length, size_t points);

#endif
