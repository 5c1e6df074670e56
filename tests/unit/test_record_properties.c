/*
 * Properties of records over random valid ones of every kind: what is shown parses to the same
 * content, and what comes back from a row is what went in.
 */
#include "test_record.h"

enum { ROUNDS = 1000, TEXT_BYTES_MAX = 64, ROW_TEXT_MAX = 512 };

/* xorshift64*: the same records in every run. */
static uint64_t random_state = UINT64_C(0x9E3779B97F4A7C15);

static uint64_t random_below(uint64_t bound) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (random_state * UINT64_C(0x2545F4914F6CDD1D) >> 16) % bound;
}

static bool one_in(uint64_t bound) { return random_below(bound) == 0; }

static json_t *random_text(void) {
    static const char *const pieces[] = {"a",  "Z",  " ", "ã", "€",    "🙂",   "\"", "\\",
                                         "\n", "\t", "/", "~", "\x01", "\u2028", "é",  "0"};
    char text[TEXT_BYTES_MAX] = "x";
    size_t count = random_below(12);
    for (size_t i = 0; i < count; i++)
        strcat(text, pieces[random_below(sizeof pieces / sizeof pieces[0])]);
    return json_string(text);
}

static json_t *random_id(void) {
    char text[TEXT_BYTES_MAX];
    snprintf(text, sizeof text, "id/%d ã", (int)random_below(1000));
    return json_string(text);
}

/* Years 1900 to 2026, any offset, 0 to 6 decimals. */
static json_t *random_time(void) {
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

static json_t *random_json(int depth);

static json_t *random_object(int depth) {
    json_t *object = json_object();
    for (uint64_t i = random_below(4); i > 0; i--) {
        json_t *key = random_text();
        json_object_set_new(object, json_string_value(key), random_json(depth - 1));
        json_decref(key);
    }
    return object;
}

static json_t *random_real(void) {
    double real = (double)(int64_t)random_below(2000000) - 1000000;
    for (uint64_t i = random_below(20); i > 0; i--)
        real = one_in(2) ? real / 7 : real * 11;
    return json_real(real);
}

static json_t *random_json(int depth) {
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

static json_t *random_value(const struct field_spec *field) {
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
static json_t *random_record(const struct kind_spec *spec) {
    json_t *json = json_object();
    for (size_t i = 0; i < spec->field_count; i++) {
        const struct field_spec *field = &spec->fields[i];
        if (i == 0 || field->required || one_in(2))
            json_object_set_new(json, field->name, random_value(field));
    }
    return json;
}

/* As PostgreSQL prints a value with TimeZone=UTC. */
static const char *as_column(enum field_type type, const struct value *value,
                             char text[ROW_TEXT_MAX]) {
    if (!value->present)
        return NULL;
    switch (type) {
    case FIELD_TYPE_INTEGER:
        snprintf(text, ROW_TEXT_MAX, "%lld", (long long)value->integer);
        return text;
    case FIELD_TYPE_BOOLEAN:
        return value->integer ? "t" : "f";
    case FIELD_TYPE_TIME:
        timestamp_format(value->integer, text);
        text[10] = ' ';
        strcpy(strchr(text, 'Z'), "+00");
        return text;
    default:
        return value->text;
    }
}

static void expect_row_round_trip(const struct record *record) {
    const struct kind_spec *spec = record->spec;
    const char *columns[RECORD_FIELDS_MAX + 2] = {NULL};
    static char texts[RECORD_FIELDS_MAX][ROW_TEXT_MAX];
    for (size_t i = 0; i < spec->field_count; i++)
        columns[i] = as_column(spec->fields[i].type, &record->values[i], texts[i]);
    RECORD_SCOPED stored = {0};
    cr_assert(record_from_row(spec, columns, &stored) == ERR_OK);
    BUF_SCOPED before = {0};
    BUF_SCOPED after = {0};
    record_write_json(&before, record);
    record_write_json(&after, &stored);
    cr_assert_str_eq(buf_text(&before), buf_text(&after));

    JSON_SCOPED *nothing = json_object();
    JSON_SCOPED *merged = NULL;
    RECORD_SCOPED again = {0};
    cr_assert(record_merge_patch(&stored, nothing, &merged, NULL) == ERR_OK);
    must_parse(spec, merged, context_of(RECORD_PATCH), &again);
    cr_assert(memcmp(record->hash, again.hash, RECORD_HASH_BYTES) == 0, "%s", buf_text(&before));
}

static void expect_json_round_trip(const struct record *record) {
    BUF_SCOPED text = {0};
    BUF_SCOPED text_again = {0};
    record_write_json(&text, record);
    JSON_SCOPED *json = json_of(buf_text(&text));
    RECORD_SCOPED again = {0};
    must_parse(record->spec, json, context_of(RECORD_PUT), &again);
    cr_assert(memcmp(record->hash, again.hash, RECORD_HASH_BYTES) == 0, "%s", buf_text(&text));
    cr_assert(record_equal(record, &again));
    record_write_json(&text_again, &again);
    cr_assert_str_eq(buf_text(&text), buf_text(&text_again));
}

static void expect_row_is_json(const struct record *record) {
    BUF_SCOPED row = {0};
    record_write_row(&row, record);
    buf_add_char(&row, '}');
    JSON_SCOPED *json = json_of(buf_text(&row));
    JSON_SCOPED *whole = shown(record);
    for (size_t i = 0; i < record->spec->field_count; i++) {
        const char *name = record->spec->fields[i].name;
        const json_t *member = json_object_get(json, name);
        cr_assert(member == NULL ? !record->values[i].present
                                 : json_equal(member, json_object_get(whole, name)));
    }
}

/* Another value in one field is another content, and the same content where it is put back. */
static void expect_hash_tells_apart(const struct record *record) {
    JSON_SCOPED *json = shown(record);
    struct record_context context = context_of(RECORD_PUT);
    for (size_t i = 1; i < record->spec->field_count; i++) {
        const struct field_spec *field = &record->spec->fields[i];
        json_t *old = json_incref(json_object_get(json, field->name));
        json_object_set_new(json, field->name, random_value(field));
        RECORD_SCOPED other = {0};
        if (record_parse(record->spec, json, &context, &other, NULL) == ERR_OK) {
            JSON_SCOPED *other_json = shown(&other);
            bool same_shown = json_equal(json_object_get(other_json, field->name), old);
            bool same_hash = memcmp(record->hash, other.hash, RECORD_HASH_BYTES) == 0;
            cr_assert(same_shown == same_hash, "%s", field->name);
            cr_assert(same_hash || !record_equal(record, &other), "%s", field->name);
        }
        json_object_set_new(json, field->name, old);
    }
}

Test(record_properties, random_records_round_trip) {
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const struct kind_spec *spec = &record_kinds[k];
        size_t taken = 0, tried = 0;
        while (taken < ROUNDS && tried < 200 * ROUNDS) {
            tried++;
            JSON_SCOPED *json = random_record(spec);
            RECORD_SCOPED record = {0};
            struct record_context context = context_of(RECORD_BULK);
            if (record_parse(spec, json, &context, &record, NULL) != ERR_OK)
                continue;
            taken++;
            expect_json_round_trip(&record);
            expect_row_round_trip(&record);
            expect_row_is_json(&record);
            expect_hash_tells_apart(&record);
        }
        cr_assert(taken == ROUNDS, "%s: %zu of %zu taken", spec->name, taken, tried);
        fprintf(stderr, "%s: %zu random records, %zu tried\n", spec->name, taken, tried);
    }
}
