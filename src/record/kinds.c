/*
 * The kinds of record and their fields: the only list of them. Order is the order of answers, of
 * the columns that statements select, and of those of the types <kind>_row (migrations/0002).
 */
#include "internal.h"

#include <string.h>

enum {
    NAME_MAX_POINTS = 200,
    TITLE_MAX = 200,
    CURRENCY_LENGTH = 3,
    EMAIL_MAX = 254,
    COMMENT_MAX = 10000,
    FUTURE_DAYS = 1,
    CANCELLED_FUTURE_DAYS = 400
};

#define AMOUNT_MAX INT64_C(1000000000000)

#define REQUIRED true
#define OPTIONAL false

#define ID_FIELD(name_, required_, help_)                                                          \
    {                                                                                              \
        .name = name_, .type = FIELD_TYPE_ID, .required = required_, .max = FIELD_ID_MAX,          \
        .help = help_                                                                              \
    }
#define LABEL_FIELD(name_, help_)                                                                  \
    { .name = name_, .type = FIELD_TYPE_LABEL, .max = FIELD_LABEL_MAX, .help = help_ }
#define TEXT_FIELD(name_, max_, help_)                                                             \
    { .name = name_, .type = FIELD_TYPE_TEXT, .max = max_, .help = help_ }
#define ENUM_FIELD(name_, required_, choices_, help_)                                              \
    {                                                                                              \
        .name = name_, .type = FIELD_TYPE_ENUM, .required = required_, .choices = choices_,        \
        .help = help_                                                                              \
    }
#define INTEGER_FIELD(name_, min_, max_, help_)                                                    \
    { .name = name_, .type = FIELD_TYPE_INTEGER, .min = min_, .max = max_, .help = help_ }
#define BOOLEAN_FIELD(name_, help_)                                                                \
    { .name = name_, .type = FIELD_TYPE_BOOLEAN, .help = help_ }
#define TIME_FIELD(name_, required_, future_days_, help_)                                          \
    {                                                                                              \
        .name = name_, .type = FIELD_TYPE_TIME, .required = required_,                             \
        .future_days = future_days_, .help = help_                                                 \
    }
#define AMOUNT_FIELD(help_)                                                                        \
    {                                                                                              \
        .name = "amount", .type = FIELD_TYPE_INTEGER, .required = REQUIRED, .min = -AMOUNT_MAX,    \
        .max = AMOUNT_MAX, .help = help_                                                           \
    }
#define CURRENCY_FIELD                                                                             \
    TEXT_FIELD("currency", CURRENCY_LENGTH, "ISO 4217 code; default and only one: the workspace's")
#define METADATA_FIELD                                                                             \
    {                                                                                              \
        .name = "metadata", .type = FIELD_TYPE_METADATA,                                           \
        .help = "anything of the client's own, at most 4 KiB and 8 levels deep"                    \
    }

static const char *const survey_types[] = {"nps", "csat", "ces", "open", NULL};
static const char *const effort_directions[] = {"high_is_easy", "low_is_easy", NULL};
static const char *const contact_directions[] = {"inbound", "outbound", NULL};
static const char *const action_statuses[] = {"open", "done", "dismissed", NULL};

static const struct field_spec customer_fields[] = {
    ID_FIELD("id", REQUIRED, "the customer, in the client's own words"),
    TIME_FIELD("started_at", REQUIRED, FUTURE_DAYS, "when the relationship began"),
    TEXT_FIELD("name", NAME_MAX_POINTS, "name of the person or company"),
    TEXT_FIELD("email", EMAIL_MAX, "address for mail"),
    LABEL_FIELD("segment", "group of customers, such as a plan or a region"),
    LABEL_FIELD("channel", "channel of acquisition"),
    METADATA_FIELD,
};

static const struct field_spec survey_fields[SURVEY_FIELD_COUNT] = {
    [SURVEY_ID] = ID_FIELD("id", OPTIONAL, "the answer or invitation"),
    [SURVEY_CUSTOMER_ID] = ID_FIELD("customer_id", OPTIONAL, "who was asked"),
    [SURVEY_INTERACTION_ID] = ID_FIELD("interaction_id", OPTIONAL, "the interaction it is about"),
    [SURVEY_SUBMISSION_ID] =
        ID_FIELD("submission_id", OPTIONAL, "shared by the answers of one filled-in form"),
    [SURVEY_TYPE] = ENUM_FIELD("type", REQUIRED, survey_types, "the question asked"),
    [SURVEY_SCORE] = INTEGER_FIELD("score", 0, 10, "the answer on the scale"),
    [SURVEY_SCALE_MIN] = INTEGER_FIELD("scale_min", 0, 1, "lowest possible score"),
    [SURVEY_SCALE_MAX] = INTEGER_FIELD("scale_max", 2, 10, "highest possible score"),
    [SURVEY_DIRECTION] = ENUM_FIELD("direction", OPTIONAL, effort_directions,
                                    "ces only: whether high or low scores mean little effort"),
    [SURVEY_ASPECT] = LABEL_FIELD("aspect", "the one side of the service that was asked about"),
    [SURVEY_TOUCHPOINT] = LABEL_FIELD("touchpoint", "where in the customer's journey"),
    [SURVEY_SOLICITED] = BOOLEAN_FIELD("solicited", "false for public reviews and the like"),
    [SURVEY_COMMENT] = TEXT_FIELD("comment", COMMENT_MAX, "the customer's words"),
    [SURVEY_CHANNEL] = LABEL_FIELD("channel", "where it was asked; unset: the interaction's"),
    [SURVEY_SEGMENT] = LABEL_FIELD("segment", "group of customers; unset: the customer's"),
    [SURVEY_SENT_AT] = TIME_FIELD("sent_at", OPTIONAL, FUTURE_DAYS, "when the invitation went out"),
    [SURVEY_ANSWERED_AT] =
        TIME_FIELD("answered_at", OPTIONAL, FUTURE_DAYS, "when the answer was given"),
    [SURVEY_METADATA] = METADATA_FIELD,
};

static const struct field_spec interaction_fields[INTERACTION_FIELD_COUNT] = {
    [INTERACTION_ID] = ID_FIELD("id", OPTIONAL, "the ticket, call or conversation"),
    [INTERACTION_CUSTOMER_ID] = ID_FIELD("customer_id", OPTIONAL, "whose it is"),
    [INTERACTION_CHANNEL] = LABEL_FIELD("channel", "such as phone, mail or chat"),
    [INTERACTION_TOPIC] = LABEL_FIELD("topic", "what it is about"),
    [INTERACTION_AGENT] = LABEL_FIELD("agent", "who handled it"),
    [INTERACTION_DIRECTION] =
        ENUM_FIELD("direction", OPTIONAL, contact_directions, "who began it; default inbound"),
    [INTERACTION_BOT] = BOOLEAN_FIELD("bot", "handled by a machine alone; default false"),
    [INTERACTION_OPENED_AT] = TIME_FIELD("opened_at", REQUIRED, FUTURE_DAYS, "when it began"),
    [INTERACTION_FIRST_RESPONSE_AT] = TIME_FIELD("first_response_at", OPTIONAL, FUTURE_DAYS,
                                                 "when the customer first got an answer"),
    [INTERACTION_RESOLVED_AT] =
        TIME_FIELD("resolved_at", OPTIONAL, FUTURE_DAYS, "when the matter was settled"),
    [INTERACTION_RESOLVED_ON_FIRST_CONTACT] =
        BOOLEAN_FIELD("resolved_on_first_contact", "settled without a second contact"),
    [INTERACTION_CLOSED_AT] =
        TIME_FIELD("closed_at", OPTIONAL, FUTURE_DAYS, "when it was given up, never resolved"),
    [INTERACTION_SEGMENT] = LABEL_FIELD("segment", "group of customers; unset: the customer's"),
    [INTERACTION_METADATA] = METADATA_FIELD,
};

static const struct field_spec cancellation_fields[] = {
    ID_FIELD("id", OPTIONAL, "the cancellation"),
    ID_FIELD("customer_id", REQUIRED, "who left"),
    TIME_FIELD("cancelled_at", REQUIRED, CANCELLED_FUTURE_DAYS,
               "when it takes effect, at most 400 days ahead"),
    LABEL_FIELD("reason", "why"),
    BOOLEAN_FIELD("voluntary", "the customer's own decision; false for, say, unpaid bills"),
    TEXT_FIELD("comment", COMMENT_MAX, "the customer's words"),
    METADATA_FIELD,
};

static const struct field_spec reactivation_fields[] = {
    ID_FIELD("id", OPTIONAL, "the return"),
    ID_FIELD("customer_id", REQUIRED, "who came back"),
    TIME_FIELD("reactivated_at", REQUIRED, FUTURE_DAYS, "when"),
    METADATA_FIELD,
};

static const struct field_spec payment_fields[PAYMENT_FIELD_COUNT] = {
    [PAYMENT_ID] = ID_FIELD("id", OPTIONAL, "the payment"),
    [PAYMENT_CUSTOMER_ID] = ID_FIELD("customer_id", OPTIONAL, "who paid"),
    [PAYMENT_AMOUNT] = AMOUNT_FIELD("amount in minor units (1050 is 10.50), negative for refunds"),
    [PAYMENT_CURRENCY] = CURRENCY_FIELD,
    [PAYMENT_PAID_AT] = TIME_FIELD("paid_at", REQUIRED, FUTURE_DAYS, "when it was paid"),
    [PAYMENT_SEGMENT] = LABEL_FIELD("segment", "group of customers; unset: the customer's"),
    [PAYMENT_METADATA] = METADATA_FIELD,
};

static const struct field_spec cost_fields[COST_FIELD_COUNT] = {
    [COST_ID] = ID_FIELD("id", OPTIONAL, "the cost"),
    [COST_AMOUNT] = AMOUNT_FIELD("amount in minor units (1050 is 10.50), negative for credits"),
    [COST_CURRENCY] = CURRENCY_FIELD,
    [COST_INCURRED_AT] = TIME_FIELD("incurred_at", REQUIRED, FUTURE_DAYS, "when it arose"),
    [COST_CATEGORY] = LABEL_FIELD("category", "what it was for, such as ads or salaries"),
    [COST_CHANNEL] = LABEL_FIELD("channel", "channel of acquisition that it paid for"),
    [COST_SEGMENT] = LABEL_FIELD("segment", "group of customers that it was meant to win"),
    [COST_METADATA] = METADATA_FIELD,
};

static const struct field_spec action_fields[ACTION_FIELD_COUNT] = {
    [ACTION_ID] = ID_FIELD("id", OPTIONAL, "the action"),
    [ACTION_CUSTOMER_ID] = ID_FIELD("customer_id", OPTIONAL, "for whom"),
    [ACTION_SURVEY_ID] = ID_FIELD("survey_id", OPTIONAL, "the answer that it follows up"),
    [ACTION_INTERACTION_ID] =
        ID_FIELD("interaction_id", OPTIONAL, "the interaction that it follows up"),
    [ACTION_TITLE] = {.name = "title",
                      .type = FIELD_TYPE_TEXT,
                      .required = REQUIRED,
                      .max = TITLE_MAX,
                      .help = "what is to be done, 1 to 200 characters"},
    [ACTION_OWNER] = LABEL_FIELD("owner", "who sees to it"),
    [ACTION_TOPIC] = LABEL_FIELD("topic", "what it is about"),
    [ACTION_STATUS] =
        ENUM_FIELD("status", OPTIONAL, action_statuses, "how it stands; default open"),
    [ACTION_OPENED_AT] = TIME_FIELD("opened_at", REQUIRED, FUTURE_DAYS, "when it was taken on"),
    [ACTION_DUE_AT] = TIME_FIELD("due_at", OPTIONAL, FIELD_ANY_FUTURE, "when it is to be done"),
    [ACTION_DONE_AT] = TIME_FIELD("done_at", OPTIONAL, FUTURE_DAYS,
                                  "status done only: when it was; unset: the server's clock"),
    [ACTION_METADATA] = METADATA_FIELD,
};

#define FIELDS(table) .fields = table, .field_count = sizeof table / sizeof table[0]

const struct kind_spec record_kinds[KIND_COUNT] = {
    [KIND_CUSTOMER] = {.kind = KIND_CUSTOMER,
                       .name = "customer",
                       .collection = "customers",
                       FIELDS(customer_fields),
                       .time_field = "started_at"},
    [KIND_SURVEY] = {.kind = KIND_SURVEY,
                     .name = "survey",
                     .collection = "surveys",
                     FIELDS(survey_fields),
                     .time_field = "answered_at",
                     .time_otherwise = "sent_at",
                     .searched_field = "comment",
                     .check = survey_check},
    [KIND_INTERACTION] = {.kind = KIND_INTERACTION,
                          .name = "interaction",
                          .collection = "interactions",
                          FIELDS(interaction_fields),
                          .time_field = "opened_at",
                          .check = interaction_check},
    [KIND_CANCELLATION] = {.kind = KIND_CANCELLATION,
                           .name = "cancellation",
                           .collection = "cancellations",
                           FIELDS(cancellation_fields),
                           .time_field = "cancelled_at"},
    [KIND_REACTIVATION] = {.kind = KIND_REACTIVATION,
                           .name = "reactivation",
                           .collection = "reactivations",
                           FIELDS(reactivation_fields),
                           .time_field = "reactivated_at"},
    [KIND_PAYMENT] = {.kind = KIND_PAYMENT,
                      .name = "payment",
                      .collection = "payments",
                      FIELDS(payment_fields),
                      .time_field = "paid_at",
                      .check = payment_check},
    [KIND_COST] = {.kind = KIND_COST,
                   .name = "cost",
                   .collection = "costs",
                   FIELDS(cost_fields),
                   .time_field = "incurred_at",
                   .check = cost_check},
    [KIND_ACTION] = {.kind = KIND_ACTION,
                     .name = "action",
                     .collection = "actions",
                     FIELDS(action_fields),
                     .time_field = "opened_at",
                     .check = action_check},
};

const struct kind_spec *record_kind_find(const char *collection, size_t length) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const char *name = record_kinds[i].collection;
        if (strlen(name) == length && memcmp(name, collection, length) == 0)
            return &record_kinds[i];
    }
    return NULL;
}

int record_field_index(const struct kind_spec *spec, const char *name) {
    for (size_t i = 0; i < spec->field_count; i++) {
        if (strcmp(spec->fields[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}
