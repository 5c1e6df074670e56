/* Writing JSON text. Needs the C locale's decimal point: the program never calls setlocale. */
#include "vinculo/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value that follows another one in the same array or object. */
static void separate(struct buf *out) {
    if (out->length > 0 && strchr("{[:,\n", out->data[out->length - 1]) == NULL)
        buf_add_char(out, ',');
}

static void add_escaped(struct buf *out, unsigned char byte) {
    switch (byte) {
    case '"':
        buf_add(out, "\\\"", 2);
        break;
    case '\\':
        buf_add(out, "\\\\", 2);
        break;
    case '\n':
        buf_add(out, "\\n", 2);
        break;
    case '\r':
        buf_add(out, "\\r", 2);
        break;
    case '\t':
        buf_add(out, "\\t", 2);
        break;
    default:
        buf_printf(out, "\\u%04x", byte);
    }
}

static void add_quoted(struct buf *out, const char *text, size_t length) {
    buf_add_char(out, '"');
    size_t done = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        buf_add(out, text + done, i - done);
        add_escaped(out, byte);
        done = i + 1;
    }
    buf_add(out, text + done, length - done);
    buf_add_char(out, '"');
}

void json_begin_object(struct buf *out) {
    separate(out);
    buf_add_char(out, '{');
}

void json_end_object(struct buf *out) { buf_add_char(out, '}'); }

void json_reopen_object(struct buf *out) {
    if (!out->failed) {
        out->length--;
    }
}

void json_begin_array(struct buf *out) {
    separate(out);
    buf_add_char(out, '[');
}

void json_end_array(struct buf *out) { buf_add_char(out, ']'); }

void json_key(struct buf *out, const char *key) {
    separate(out);
    add_quoted(out, key, strlen(key));
    buf_add_char(out, ':');
}

void json_put_string(struct buf *out, const char *text, size_t length) {
    separate(out);
    add_quoted(out, text, length);
}

void json_put_text(struct buf *out, const char *text) {
    if (text == NULL)
        json_put_null(out);
    else
        json_put_string(out, text, strlen(text));
}

void json_put_int(struct buf *out, int64_t value) {
    separate(out);
    buf_printf(out, "%" PRId64, value);
}

void json_put_bool(struct buf *out, bool value) {
    separate(out);
    buf_add_str(out, value ? "true" : "false");
}

void json_put_null(struct buf *out) {
    separate(out);
    buf_add(out, "null", 4);
}

void json_put_decimal(struct buf *out, double value) {
    if (!isfinite(value)) {
        json_put_null(out);
        return;
    }
    separate(out);
    char text[340]; /* the largest double has 309 digits before the point */
    int printed = snprintf(text, sizeof text, "%.6f", value);
    size_t length = (size_t)printed;
    while (text[length - 1] == '0')
        length--;
    if (text[length - 1] == '.')
        length--;
    bool minus_zero = length == 2 && text[0] == '-' && text[1] == '0';
    buf_add(out, minus_zero ? "0" : text, minus_zero ? 1 : length);
}

/* 17 digits always suffice for a double; most need fewer. */
static void put_shortest_real(struct buf *out, double value) {
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    separate(out);
    buf_add_str(out, text);
    if (strpbrk(text, ".e") == NULL)
        buf_add(out, ".0", 2); /* stays a real for whoever reads it */
}

static void put_object(struct buf *out, const json_t *value) {
    json_begin_object(out);
    /* jansson's iterators take no const, though they do not write. */
    json_t *object = (json_t *)(uintptr_t)value;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        json_key(out, json_object_iter_key(at));
        json_put_value(out, json_object_iter_value(at));
    }
    json_end_object(out);
}

void json_put_value(struct buf *out, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(out, value);
        break;
    case JSON_ARRAY:
        json_begin_array(out);
        for (size_t i = 0; i < json_array_size(value); i++)
            json_put_value(out, json_array_get(value, i));
        json_end_array(out);
        break;
    case JSON_STRING:
        json_put_string(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        json_put_int(out, json_integer_value(value));
        break;
    case JSON_REAL:
        put_shortest_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_put_bool(out, json_is_true(value));
        break;
    case JSON_NULL:
        json_put_null(out);
        break;
    }
}

void json_put_raw(struct buf *out, const char *json, size_t length) {
    separate(out);
    buf_add(out, json, length);
}
