/*
 * JSON text to a jansson value, strictly, with errors in our own words: jansson's quote pieces of
 * the text, cut without regard to code points.
 */
#include "internal.h"

#include <jansson.h>

size_t json_depth(const json_t *value, size_t limit) {
    if (!json_is_object(value) && !json_is_array(value))
        return 0;
    if (limit == 0)
        return 1;
    size_t deepest = 0;
    const char *key;
    json_t *member;
    size_t index;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, member) {
            size_t depth = json_depth(member, limit - 1);
            deepest = depth > deepest ? depth : deepest;
        }
    } else {
        json_array_foreach(value, index, member) {
            size_t depth = json_depth(member, limit - 1);
            deepest = depth > deepest ? depth : deepest;
        }
    }
    return 1 + deepest;
}

static const char *explain(enum json_error_code code) {
    switch (code) {
    case json_error_invalid_utf8:
        return "the text is not UTF-8";
    case json_error_premature_end_of_input:
        return "the text ends too early";
    case json_error_end_of_input_expected:
        return "something follows the end of the value";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "NUL is not allowed in text";
    case json_error_duplicate_key:
        return "a member's name occurs twice in one object";
    case json_error_numeric_overflow:
        return "a number is too large: integers have 64 bits, others a binary64's range";
    case json_error_stack_overflow:
        return "objects and arrays are nested too deeply";
    default:
        return "this is not JSON";
    }
}

enum err record_json_parse(const char *text, size_t length, json_t **ret_json,
                           struct problem *problem) {
    if (length == 0)
        return problem_set(problem, ERR_MALFORMED_JSON, "the text is empty");
    json_error_t error;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json == NULL) {
        /* Without a place it was no syntax error: the one other reason is memory. */
        if (error.line < 1 || json_error_code(&error) == json_error_out_of_memory)
            return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
        return problem_set(problem, ERR_MALFORMED_JSON, "line %d, column %d: %s", error.line,
                           error.column, explain(json_error_code(&error)));
    }
    if (json_depth(json, RECORD_JSON_DEPTH_MAX) > RECORD_JSON_DEPTH_MAX) {
        json_decref(json);
        return problem_set(problem, ERR_MALFORMED_JSON,
                           "objects and arrays are nested more than %d deep",
                           RECORD_JSON_DEPTH_MAX);
    }
    *ret_json = json;
    return ERR_OK;
}
