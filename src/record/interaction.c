/*
 * Rules between the fields of an interaction.
 */
#include "internal.h"

void interaction_check(struct record *record, const struct record_context *context,
                       struct problem *problem) {
    (void)context;
    if (record_is_given(record, INTERACTION_RESOLVED_ON_FIRST_CONTACT) &&
        !record_is_given(record, INTERACTION_RESOLVED_AT))
        record_refuse(record, problem, INTERACTION_RESOLVED_AT, FIELD_REQUIRED,
                      "resolved_on_first_contact needs resolved_at");
    record_check_not_before(record, INTERACTION_FIRST_RESPONSE_AT, INTERACTION_OPENED_AT, problem);
    record_check_not_before(record, INTERACTION_RESOLVED_AT, INTERACTION_OPENED_AT, problem);
    record_check_not_before(record, INTERACTION_CLOSED_AT, INTERACTION_OPENED_AT, problem);
    record_default_text(record, INTERACTION_DIRECTION, "inbound");
    record_default_integer(record, INTERACTION_BOT, false);
}
