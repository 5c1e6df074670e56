/*
 * Random records of any kind, the same ones in every run.
 */
#ifndef VINCULO_TEST_RECORD_RANDOM_H
#define VINCULO_TEST_RECORD_RANDOM_H

#include "test_record.h"

enum { TEXT_BYTES_MAX = 64 };

/* xorshift64*: the same records in every run. */
static uint64_t random_state = UINT64_C(0x9E3779B97F4A7C15);

static inline uint64_t random_below(uint64_t bound) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (random_state * UINT64_C(0x2545F4914F6CDD1D) >> 16) % bound;
}

static inline bool one_in(uint64_t bound) { return random_below(bound) == 0; }

static inline json_t *random_text(void) {
    static const char *const pieces[] = {"a",  "Z",  " ", "ã", "€",    "🙂",   "\"", "\\",
                                         "\n", "\t", "/", "~", "\x01", "\u2028", "é",  "0"};
    char text[TEXT_BYTES_MAX] = "x";
    size_t count = random_below(12);
    for (size_t i = 0; i < count; i++)
        strcat(text, pieces[random_below(sizeof pieces / sizeof pieces[0])]);
    return json_string(text);
}

static inline json_t *random_id(void) {
    char text[TEXT_BYTES_MAX];
    snprintf(text, sizeof text, "id/%d ã", (int)random_below(1000));
    return json_string(text);
}

/* Years 1900 to 2026, any offset, 0 to 6 decimals. */
static inline json_t *random_time(void) {
    char text[TIMESTAMP_TEXT_MAX + 16];
    int length =
        snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", 1901 + (int)random_below(125),
                 1 + (int)random_below(12), 1 + (int)random_below(28), (int)random_below(24),
                 (int)random_below(60), (int)random_below(60));
    if (one_in(2))
        length += snprintf(text + length, sizeof text - (size_t)length, ".%d",
                           (int)random_below(1000000));
    if (one_in(2))
        strcat(text, "Z");
    else
        snprintf(text + length, sizeof text - (size_t)length, "%c%02d:%02d", one_in(2) ? '+' : '-',
                 (int)random_below(24), (int)random_below(60));
    return json_string(text);
}

static inline json_t *random_json(int depth);

static inline json_t *random_object(int depth) {
    json_t *object = json_object();
    for (uint64_t i = random_below(4); i > 0; i--) {
        json_t *key = random_text();
        json_object_set_new(object, json_string_value(key), random_json(depth - 1));
        json_decref(key);
    }
    return object;
}

static inline json_t *random_real(void) {
    double real = (double)(int64_t)random_below(2000000) - 1000000;
    for (uint64_t i = random_below(20); i > 0; i--)
        real = one_in(2) ? real / 7 : real * 11;
    return json_real(real);
}

static inline json_t *random_json(int depth) {
    switch (random_below(depth > 0 ? 7 : 5)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(one_in(2));
    case 2:
        return json_integer((json_int_t)(random_below(UINT64_C(1) << 47) << 16));
    case 3:
        return random_real();
    case 4:
        return random_text();
    case 5:
        return random_object(depth);
    default:
        break;
    }
    json_t *array = json_array();
    for (uint64_t i = random_below(4); i > 0; i--)
        json_array_append_new(array, random_json(depth - 1));
    return array;
}

static inline json_t *random_value(const struct field_spec *field) {
    size_t choices = 0;
    switch (field->type) {
    case FIELD_TYPE_ID:
        return random_id();
    case FIELD_TYPE_LABEL:
    case FIELD_TYPE_TEXT:
        return random_text();
    case FIELD_TYPE_ENUM:
        while (field->choices[choices] != NULL)
            choices++;
        return json_string(field->choices[random_below(choices)]);
    case FIELD_TYPE_INTEGER:
        return json_integer(field->min +
                            (json_int_t)random_below((uint64_t)(field->max - field->min) + 1));
    case FIELD_TYPE_BOOLEAN:
        return json_boolean(one_in(2));
    case FIELD_TYPE_TIME:
        return random_time();
    case FIELD_TYPE_METADATA:
        return random_object(6);
    }
    return NULL;
}

/* Required fields and a random choice of the others: valid by itself, not by rules between fields,
 * so that callers try until one is taken. */
static inline json_t *random_record(const struct kind_spec *spec) {
    json_t *json = json_object();
    for (size_t i = 0; i < spec->field_count; i++) {
        const struct field_spec *field = &spec->fields[i];
        if (i == 0 || field->required || one_in(2))
            json_object_set_new(json, field->name, random_value(field));
    }
    return json;
}

#endif
