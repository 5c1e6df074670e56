/*
 * Rules between the fields of an action: done_at belongs to the status done.
 */
#include "internal.h"

#include <string.h>

static bool has_status(const struct record *record, const char *status) {
    const struct value *value = &record->values[ACTION_STATUS];
    return value->present && strcmp(value->text, status) == 0;
}

/* The clock's moment, yet not before an opening that another clock put a little ahead. */
static void fill_in_done_at(struct record *record, int64_t now_us) {
    const struct value *opened_at = &record->values[ACTION_OPENED_AT];
    bool ahead = opened_at->present && opened_at->integer > now_us;
    record_set_server_time(record, ACTION_DONE_AT, ahead ? opened_at->integer : now_us);
}

static void check_done(struct record *record, const struct record_context *context,
                       struct problem *problem) {
    bool given = record_is_given(record, ACTION_DONE_AT);
    if (has_status(record, "done")) {
        if (!given && context->source == RECORD_BULK)
            record_refuse(record, problem, ACTION_DONE_AT, FIELD_REQUIRED,
                          "a done action in a batch needs its moment, such as "
                          "2026-09-14T12:00:00Z");
        else if (!given)
            fill_in_done_at(record, context->now_us);
    } else if (record->values[ACTION_STATUS].present && given &&
               !record_is_refused(record, ACTION_DONE_AT)) {
        record_refuse(record, problem, ACTION_DONE_AT, FIELD_NOT_ALLOWED_HERE,
                      "only an action with the status done has it; this one's is %s: leave it out "
                      "or send null",
                      record->values[ACTION_STATUS].text);
    }
}

void action_check(struct record *record, const struct record_context *context,
                  struct problem *problem) {
    record_default_text(record, ACTION_STATUS, "open");
    check_done(record, context, problem);
    record_check_not_before(record, ACTION_DONE_AT, ACTION_OPENED_AT, problem);
}
