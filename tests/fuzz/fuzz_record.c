/*
 * The body of one record: kind, source, then JSON text. What is accepted, shown and sent again is
 * the same record with the same hash; what is refused is refused with places that exist.
 */
#include "../support/row.h"
#include "fuzz.h"

/* Strict, and read back equal where it is written by us. */
static json_t *parse_text(const struct input *input) {
    PROBLEM_SCOPED problem = {0};
    json_t *json = NULL;
    enum err err = record_json_parse(input->at, input->left, &json, &problem);
    if (err != ERR_OK) {
        assert(err == ERR_MALFORMED_JSON && json == NULL);
        expect_refusal(&problem, err);
        return NULL;
    }
    BUF_SCOPED text = {0};
    json_put_value(&text, json);
    JSON_SCOPED *again = NULL;
    err = record_json_parse(buf_text(&text), text.length, &again, NULL);
    assert(err == ERR_OK && json_equal(json, again));
    return json;
}

static void expect_place(const struct kind_spec *spec, const json_t *json,
                         const struct problem_error *error) {
    assert(!error->is_parameter);
    if (!json_is_object(json)) {
        assert(error->at[0] == '\0' && error->code == FIELD_WRONG_TYPE);
        return;
    }
    assert(error->at[0] == '/');
    const char *name = error->at + 1;
    const json_t *value = json_object_get(json, name);
    if (error->code == FIELD_UNKNOWN) {
        assert(record_field_index(spec, name) < 0);
        return;
    }
    assert(record_field_index(spec, name) >= 0);
    if (error->code == FIELD_REQUIRED)
        assert(value == NULL || json_is_null(value));
    else
        assert(value != NULL && !json_is_null(value));
}

static void expect_places(const struct kind_spec *spec, const json_t *json,
                          const struct problem *problem) {
    assert(problem->code == ERR_INVALID_RECORD && problem->error_count > 0);
    for (size_t i = 0; i < problem->error_count; i++) {
        expect_place(spec, json, &problem->errors[i]);
        /* One error says all about a field; names without end are cut and may look alike. */
        for (size_t j = 0; j < i && problem->errors[i].code != FIELD_UNKNOWN; j++)
            assert(strcmp(problem->errors[i].at, problem->errors[j].at) != 0);
    }
}

/* What clients see is what they may send: with every time given, the clock has nothing to add. */
static void expect_json_round_trip(const struct record *record, bool clock_helped) {
    JSON_SCOPED *json = shown(record);
    assert(json_object_size(json) == record->spec->field_count + 2);
    RECORD_SCOPED again = {0};
    must_parse(record->spec, json, &again);
    assert(record_equal(record, &again));
    assert(same_hash(record, &again) != clock_helped);
}

/* The order of members is nothing, null is absent, and what is read-only is ignored. */
static void expect_same_content(const json_t *json, const struct record_context *context,
                                const struct record *record) {
    const struct kind_spec *spec = record->spec;
    JSON_SCOPED *turned = json_object();
    json_object_set_new(turned, "updated_at", json_integer(1));
    for (size_t i = spec->field_count; i-- > 0;) {
        json_t *value = json_object_get(json, spec->fields[i].name);
        json_object_set_new(turned, spec->fields[i].name,
                            value != NULL ? json_incref(value) : json_null());
    }
    RECORD_SCOPED again = {0};
    enum err err = record_parse(spec, turned, context, &again, NULL);
    assert(err == ERR_OK && same_hash(record, &again));
    bool made_id = json_is_null(json_object_get(turned, "id")) && context->default_id == NULL;
    assert(made_id || record_equal(record, &again));
}

static void expect_row(const struct record *record) {
    BUF_SCOPED rows = {0};
    record_rows_begin(&rows, 16400);
    record_rows_add(&rows, record, 7, 3);
    record_rows_end(&rows, 1);
    assert(row_is(&rows, 16400, record, 7, 3));
}

/* The clock supplies what only it can: nothing that was sent, and in bulk nothing at all. */
static bool has_clock_helped(const struct record *record, const json_t *json) {
    bool helped = false;
    for (size_t i = 0; i < record->spec->field_count; i++) {
        const struct field_spec *field = &record->spec->fields[i];
        const json_t *given = json_object_get(json, field->name);
        helped |= field->type == FIELD_TYPE_TIME && record->values[i].present &&
                  (given == NULL || json_is_null(given));
    }
    return helped;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = input_of(data, size);
    const struct kind_spec *spec = &record_kinds[take_choice(&input, KIND_COUNT)];
    enum record_source source = (enum record_source)take_choice(&input, RECORD_PATCH + 1);
    JSON_SCOPED *json = parse_text(&input);
    if (json == NULL)
        return 0;
    struct record_context context = context_of(source);
    context.id_must_equal = source >= RECORD_PUT;
    context.default_id = source >= RECORD_PUT ? "c1" : NULL;
    RECORD_SCOPED record = {0};
    PROBLEM_SCOPED problem = {0};
    enum err err = record_parse(spec, json, &context, &record, &problem);
    if (err != ERR_OK) {
        expect_refusal(&problem, err);
        expect_places(spec, json, &problem);
        assert(record.spec == NULL && record.texts == NULL);
        return 0;
    }
    assert(problem.error_count == 0);
    assert(record_id_is_valid(record_id(&record), strlen(record_id(&record))));
    bool clock_helped = has_clock_helped(&record, json);
    assert(!clock_helped || source != RECORD_BULK);
    expect_json_round_trip(&record, clock_helped);
    expect_same_content(json, &context, &record);
    expect_row(&record);
    return 0;
}
