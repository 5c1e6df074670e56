/*
 * Merge patches: kind, then on one line the JSON of a record, then that of a patch. What comes of
 * them is what RFC 7396 says, by its own words in `merged_by_the_book`, and doing it twice is doing
 * it once.
 */
#include "fuzz.h"

/* RFC 7396, section 2, line by line. `target` is released; it may be NULL. */
static json_t *merged_by_the_book(json_t *target, const json_t *patch) {
    if (!json_is_object(patch)) {
        json_decref(target);
        return json_deep_copy(patch);
    }
    if (!json_is_object(target)) {
        json_decref(target);
        target = json_object();
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)patch, name, value) {
        json_t *old = json_incref(json_object_get(target, name));
        if (json_is_null(value)) {
            json_decref(old);
            json_object_del(target, name);
        } else {
            json_t *merged = merged_by_the_book(old, value);
            json_object_set_new(target, name, merged);
        }
    }
    return target;
}

enum { ROW_TEXT_MAX = 64 };

/* As PostgreSQL prints a value with TimeZone=UTC. */
static const char *as_column(enum field_type type, const struct value *value, char *text) {
    if (!value->present)
        return NULL;
    switch (type) {
    case FIELD_TYPE_INTEGER:
        snprintf(text, ROW_TEXT_MAX, "%lld", (long long)value->integer);
        return text;
    case FIELD_TYPE_BOOLEAN:
        return value->integer != 0 ? "t" : "f";
    case FIELD_TYPE_TIME:
        timestamp_format(value->integer, text);
        text[strlen("2026-09-14")] = ' ';
        memcpy(strchr(text, 'Z'), "+00", sizeof "+00");
        return text;
    default:
        return value->text;
    }
}

/* As it comes out of the database, which keeps all but the hash. */
static void store(const struct record *record, struct record *ret_stored) {
    const struct kind_spec *spec = record->spec;
    const char *columns[RECORD_FIELDS_MAX + 2] = {NULL};
    char texts[RECORD_FIELDS_MAX][ROW_TEXT_MAX];
    for (size_t i = 0; i < spec->field_count; i++)
        columns[i] = as_column(spec->fields[i].type, &record->values[i], texts[i]);
    columns[spec->field_count] = columns[spec->field_count + 1] = "2026-09-14 12:00:00.25+00";
    enum err err = record_from_row(spec, columns, ret_stored);
    assert(err == ERR_OK && record_equal(record, ret_stored));
}

/* What the route does with a patch. */
static enum err apply(const struct record *stored, const json_t *patch, struct record *ret_record,
                      struct problem *problem) {
    JSON_SCOPED *merged = NULL;
    enum err err = record_merge_patch(stored, patch, &merged, problem);
    if (err != ERR_OK)
        return err;
    struct record_context context = context_of(RECORD_PATCH);
    context.default_id = record_id(stored);
    context.id_must_equal = true;
    return record_parse(stored->spec, merged, &context, ret_record, problem);
}

static bool names_unknown(const struct kind_spec *spec, const json_t *patch) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)patch, name, value) {
        if (record_field_index(spec, name) < 0 && strcmp(name, "created_at") != 0 &&
            strcmp(name, "updated_at") != 0)
            return true;
    }
    return false;
}

static void expect_by_the_book(const struct record *stored, const json_t *patch, enum err err,
                               const struct record *record) {
    JSON_SCOPED *merged = merged_by_the_book(shown(stored), patch);
    struct record_context context = context_of(RECORD_PATCH);
    context.default_id = record_id(stored);
    context.id_must_equal = true;
    RECORD_SCOPED expected = {0};
    enum err expected_err = record_parse(stored->spec, merged, &context, &expected, NULL);
    if (names_unknown(stored->spec, patch))
        expected_err = ERR_INVALID_RECORD;
    assert(err == expected_err);
    assert(err != ERR_OK || (record_equal(record, &expected) && same_hash(record, &expected)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = input_of(data, size);
    const struct kind_spec *spec = &record_kinds[take_choice(&input, KIND_COUNT)];
    TEXT_SCOPED *first = take_text(&input, '\n');
    JSON_SCOPED *json = NULL;
    JSON_SCOPED *patch = NULL;
    if (record_json_parse(first, strlen(first), &json, NULL) != ERR_OK ||
        record_json_parse(input.at, input.left, &patch, NULL) != ERR_OK)
        return 0;
    struct record_context context = context_of(RECORD_BULK);
    RECORD_SCOPED record = {0};
    RECORD_SCOPED stored = {0};
    if (record_parse(spec, json, &context, &record, NULL) != ERR_OK)
        return 0;
    store(&record, &stored);
    RECORD_SCOPED unchanged = {0};
    JSON_SCOPED *nothing = json_object();
    enum err err = apply(&stored, nothing, &unchanged, NULL);
    assert(err == ERR_OK && same_hash(&record, &unchanged));

    RECORD_SCOPED patched = {0};
    RECORD_SCOPED twice = {0};
    PROBLEM_SCOPED problem = {0};
    err = apply(&stored, patch, &patched, &problem);
    expect_by_the_book(&stored, patch, err, &patched);
    if (err != ERR_OK) {
        expect_refusal(&problem, err);
        return 0;
    }
    err = apply(&patched, patch, &twice, NULL);
    assert(err == ERR_OK && record_equal(&patched, &twice));
    assert(strcmp(record_id(&patched), record_id(&record)) == 0);
    return 0;
}
