/*
 * Rules between the fields of an interaction.
 */
#include "internal.h"

#include "vinculo/timestamp.h"

static void check_after_opening(struct record *record, size_t field, struct problem *problem) {
    const struct value *opened_at = &record->values[INTERACTION_OPENED_AT];
    const struct value *moment = &record->values[field];
    if (!opened_at->present || !moment->present || moment->integer >= opened_at->integer)
        return;
    char text[TIMESTAMP_TEXT_MAX];
    timestamp_format(opened_at->integer, text);
    record_refuse(record, problem, field, FIELD_OUT_OF_RANGE,
                  "must not be before opened_at, which is %s%s", text,
                  record->time_from_server ? ", the present, as none was sent" : "");
}

void interaction_check(struct record *record, const struct record_context *context,
                       struct problem *problem) {
    (void)context;
    if (record_is_given(record, INTERACTION_RESOLVED_ON_FIRST_CONTACT) &&
        !record_is_given(record, INTERACTION_RESOLVED_AT))
        record_refuse(record, problem, INTERACTION_RESOLVED_AT, FIELD_REQUIRED,
                      "resolved_on_first_contact needs resolved_at");
    check_after_opening(record, INTERACTION_FIRST_RESPONSE_AT, problem);
    check_after_opening(record, INTERACTION_RESOLVED_AT, problem);
    check_after_opening(record, INTERACTION_CLOSED_AT, problem);
    record_default_text(record, INTERACTION_DIRECTION, "inbound");
    record_default_integer(record, INTERACTION_BOT, false);
}
