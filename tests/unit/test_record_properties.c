/*
 * Properties of records over random valid ones of every kind: what is shown parses to the same
 * content, and what comes back from a row is what went in.
 */
#include "../support/row.h"
#include "test_record_random.h"

enum { ROUNDS = 1000, ROW_TEXT_MAX = 512 };

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

static void expect_row_is_record(const struct record *record) {
    BUF_SCOPED rows = {0};
    record_rows_begin(&rows, 16400);
    record_rows_add(&rows, record, 7, 3);
    record_rows_end(&rows, 1);
    cr_assert(row_is(&rows, 16400, record, 7, 3));
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
            expect_row_is_record(&record);
            expect_hash_tells_apart(&record);
        }
        cr_assert(taken == ROUNDS, "%s: %zu of %zu taken", spec->name, taken, tried);
        fprintf(stderr, "%s: %zu random records, %zu tried\n", spec->name, taken, tried);
    }
}
