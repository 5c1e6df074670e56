/* Parameters that say a moment: a date or an instant. */
#include "bound.h"

#include "vinculo/timestamp.h"

#include <string.h>

/* An instant; an offset's + that was not escaped has become a space. */
static bool parse_instant(const char *text, int64_t *ret_us) {
    char copy[TIMESTAMP_TEXT_MAX + 8];
    size_t length = strlen(text);
    if (length < sizeof "2026-09-14" || length >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, length + 1);
    char *space = strchr(copy + sizeof "2026-09-14", ' ');
    if (space != NULL) {
        *space = '+';
    }
    return timestamp_parse(copy, length, ret_us) && *ret_us >= TIMESTAMP_FIRST_US &&
           *ret_us <= TIMESTAMP_LAST_US;
}

enum err call_take_bound(struct call *call, const char *name, struct list_bound *ret_bound) {
    const char *text = call_parameter(call, name);
    int32_t date;
    if (text == NULL) {
        return ERR_OK;
    }
    ret_bound->present = true;
    ret_bound->is_date = date_parse(text, strlen(text), &date);
    if (ret_bound->is_date) {
        ret_bound->at = date;
    } else if (!parse_instant(text, &ret_bound->at)) {
        return problem_add_parameter(
            &call->problem, ERR_INVALID_PARAMETER, name,
            "A date of the years 1900 to 2199, such as 2026-09-14, or an instant with its offset, "
            "such as 2026-09-14T12:00:00Z.");
    }
    return ERR_OK;
}
