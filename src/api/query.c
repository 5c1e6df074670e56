/* Percent-coding and query strings. */
#include "routes.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPES_ALLOWED "%%XX with hexadecimal digits of UTF-8 text is allowed."

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool utf8_is_valid(const char *text, size_t length) {
    json_t *string = json_stringn(text, length);
    json_decref(string);
    return string != NULL;
}

bool percent_decode(const char *text, size_t length, bool plus, char **ret_text) {
    char *decoded = malloc(length + 1);
    size_t used = 0;
    bool good = decoded != NULL;
    for (size_t i = 0; good && i < length; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < length ? hex_digit(text[i + 2]) : -1;
            good = high >= 0 && low >= 0 && (high != 0 || low != 0);
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (good) {
            decoded[used++] = c;
        }
    }
    if (!good || !utf8_is_valid(decoded, used)) {
        free(decoded);
        return false;
    }
    decoded[used] = '\0';
    *ret_text = decoded;
    return true;
}

void percent_encode(struct buf *out, const char *text) {
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            buf_add_char(out, (char)c);
        } else {
            buf_printf(out, "%%%02X", c);
        }
    }
}

const char *call_parameter(const struct call *call, const char *name) {
    for (size_t i = 0; i < call->parameter_count; i++) {
        if (strcmp(call->parameters[i].name, name) == 0) {
            return call->parameters[i].value;
        }
    }
    return NULL;
}

static enum err check_name(struct call *call, const char *name) {
    const char *const *known = call->method->parameters;
    BUF_SCOPED list = {0};
    for (size_t i = 0; known != NULL && known[i] != NULL; i++) {
        if (strcmp(known[i], name) == 0) {
            return call_parameter(call, name) == NULL
                       ? ERR_OK
                       : problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, name,
                                               "This parameter is given twice.");
        }
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", known[i]);
    }
    return problem_add_parameter(&call->problem, ERR_UNKNOWN_PARAMETER, name,
                                 list.length == 0 ? "This request takes no parameters."
                                                  : "Known here: %s.",
                                 buf_text(&list));
}

/* One name=value pair of the query string. */
static enum err add_pair(struct call *call, const char *pair, size_t length) {
    size_t name_length = 0;
    while (name_length < length && pair[name_length] != '=') {
        name_length++;
    }
    size_t value_at = name_length < length ? name_length + 1 : length;
    char *name = NULL;
    char *value = NULL;
    enum err err = ERR_OK;
    if (!percent_decode(pair, name_length, true, &name)) {
        err = problem_set(&call->problem, ERR_INVALID_PARAMETER,
                          "The query string has a bad escape: " ESCAPES_ALLOWED);
    } else if (call->parameter_count == PARAMETERS_MAX) {
        err = problem_set(&call->problem, ERR_INVALID_PARAMETER, "At most %d parameters are taken.",
                          PARAMETERS_MAX);
    } else {
        err = check_name(call, name);
    }
    if (err == ERR_OK && !percent_decode(pair + value_at, length - value_at, true, &value)) {
        err = problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, name,
                                    "The value has a bad escape: " ESCAPES_ALLOWED);
    }
    if (err != ERR_OK) {
        free(name);
        free(value);
        return err;
    }
    call->parameters[call->parameter_count++] = (struct parameter){name, value};
    return ERR_OK;
}

enum err query_parse(struct call *call, const char *query) {
    enum err err = ERR_OK;
    while (err == ERR_OK && query != NULL && *query != '\0') {
        size_t length = strcspn(query, "&");
        if (length > 0) {
            err = add_pair(call, query, length);
        }
        query += length + (query[length] == '&');
    }
    return err;
}
