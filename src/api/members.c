/* Members of JSON objects that are not records. */
#include "members.h"

#include "vinculo/buf.h"

#include <string.h>

enum { NAME_SHOWN_MAX = 128 };

static bool is_among(const char *name, const char *const *names) {
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

/* "~" and "/" escaped, a name without end cut short. */
static void add_to_pointer(struct buf *pointer, const char *name) {
    buf_add_char(pointer, '/');
    for (size_t i = 0; name[i] != '\0'; i++) {
        bool begins = ((unsigned char)name[i] & 0xC0) != 0x80;
        if (begins && i >= NAME_SHOWN_MAX) {
            buf_add_str(pointer, "…");
            return;
        }
        if (name[i] == '~') {
            buf_add_str(pointer, "~0");
        } else if (name[i] == '/') {
            buf_add_str(pointer, "~1");
        } else {
            buf_add_char(pointer, name[i]);
        }
    }
}

static void refuse_unknown(const char *at, const char *name, const char *const *names,
                           struct problem *problem) {
    BUF_SCOPED pointer = {0};
    BUF_SCOPED list = {0};
    buf_add_str(&pointer, at);
    add_to_pointer(&pointer, name);
    for (size_t i = 0; names[i] != NULL; i++) {
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    problem_add_field(problem, buf_text(&pointer), FIELD_UNKNOWN, "the members here are %s",
                      buf_text(&list));
}

bool members_check(const json_t *json, const char *at, const char *const *names,
                   struct problem *problem) {
    if (!json_is_object(json)) {
        problem_add_field(problem, at, FIELD_WRONG_TYPE, "must be an object");
        return false;
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)json, name, value) {
        if (!is_among(name, names)) {
            refuse_unknown(at, name, names, problem);
        }
    }
    return true;
}

const char *members_text(const json_t *json, const char *pointer, struct problem *problem) {
    if (json_is_string(json)) {
        return json_string_value(json);
    }
    problem_add_field(problem, pointer, FIELD_WRONG_TYPE, "must be a string");
    return NULL;
}

bool members_integer(const json_t *json, const char *pointer, int min, int max, int *ret_value,
                     struct problem *problem) {
    if (!json_is_integer(json)) {
        problem_add_field(problem, pointer, FIELD_WRONG_TYPE,
                          "must be an integer, written without decimal point and exponent");
        return false;
    }
    json_int_t value = json_integer_value(json);
    if (value < min || value > max) {
        problem_add_field(problem, pointer, FIELD_OUT_OF_RANGE, "must be an integer from %d to %d",
                          min, max);
        return false;
    }
    *ret_value = (int)value;
    return true;
}

bool members_number(const json_t *json, const char *pointer, double min, double max,
                    double *ret_value, struct problem *problem) {
    if (!json_is_number(json)) {
        problem_add_field(problem, pointer, FIELD_WRONG_TYPE, "must be a number");
        return false;
    }
    double value = json_number_value(json);
    if (value < min || value > max) {
        problem_add_field(problem, pointer, FIELD_OUT_OF_RANGE,
                          "must be a number from %.16g to %.16g", min, max);
        return false;
    }
    *ret_value = value;
    return true;
}
