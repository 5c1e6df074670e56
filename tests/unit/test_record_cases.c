/*
 * The case files under tests/cases: each is one record, text or pair and what must become of it.
 * A case is added by adding a file.
 */
#include "test_cases.h"

static enum record_source source_named(const char *name) {
    static const char *const names[] = {
        [RECORD_POST_ONE] = "post_one", [RECORD_PUBLISHABLE] = "publishable",
        [RECORD_BULK] = "bulk",         [RECORD_PUT] = "put",
        [RECORD_PATCH] = "patch",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (name != NULL && strcmp(names[i], name) == 0)
            return (enum record_source)i;
    }
    cr_assert_fail("no source %s", name);
    return RECORD_POST_ONE;
}

static struct record_context context_of_case(const json_t *test) {
    const char *source = text_of(test, "source"), *now = text_of(test, "now");
    struct record_context context =
        context_of(source == NULL ? RECORD_PATCH : source_named(source));
    if (now != NULL)
        context.now_us = moment(now);
    const char *path_id = text_of(test, "path_id");
    context.default_id = path_id != NULL ? path_id : text_of(test, "idempotency_key");
    context.id_must_equal = path_id != NULL;
    return context;
}

static void expect_accepted(const char *path, const json_t *test, const struct record *record) {
    JSON_SCOPED *json = shown(record);
    cr_expect(json_is_null(json_object_get(json, "created_at")), "%s", path);
    cr_expect(json_is_null(json_object_get(json, "updated_at")), "%s", path);
    json_object_del(json, "created_at");
    json_object_del(json, "updated_at");
    const json_t *expected = json_object_get(test, "accepted");
    if (!json_equal(json, expected)) {
        char *text = json_dumps(json, JSON_COMPACT);
        cr_expect(false, "%s: accepted as %s", path, text);
        free(text);
    }
}

static bool is_reported(const struct problem *problem, const json_t *error) {
    for (size_t i = 0; i < problem->error_count; i++) {
        if (strcmp(problem->errors[i].at, text_of(error, "pointer")) == 0 &&
            strcmp(field_err_name(problem->errors[i].code), text_of(error, "code")) == 0 &&
            problem->errors[i].detail[0] != '\0' && !problem->errors[i].is_parameter)
            return true;
    }
    return false;
}

static void expect_refused(const char *path, const json_t *expected,
                           const struct problem *problem) {
    cr_expect(problem->code == ERR_INVALID_RECORD, "%s", path);
    cr_expect(problem->detail[0] != '\0', "%s", path);
    bool equal = problem->error_count == json_array_size(expected);
    for (size_t i = 0; i < json_array_size(expected); i++)
        equal &= is_reported(problem, json_array_get(expected, i));
    if (equal)
        return;
    cr_expect(false, "%s: other errors than expected", path);
    for (size_t i = 0; i < problem->error_count; i++)
        fprintf(stderr, "    %s %s: %s\n", problem->errors[i].at,
                field_err_name(problem->errors[i].code), problem->errors[i].detail);
}

static void expect_outcome(const char *path, const json_t *test, const json_t *given,
                           const struct record_context *context) {
    RECORD_SCOPED record = {0};
    PROBLEM_SCOPED problem = {0};
    const struct kind_spec *spec = kind_named(text_of(test, "kind"));
    enum err err = record_parse(spec, given, context, &record, &problem);
    const json_t *refused = json_object_get(test, "refused");
    cr_expect(err == (refused != NULL ? ERR_INVALID_RECORD : ERR_OK), "%s: %s", path,
              err_name(err));
    if (refused != NULL || err != ERR_OK)
        expect_refused(path, refused, &problem);
    else
        expect_accepted(path, test, &record);
}

static void run_record(const char *path, const json_t *test) {
    struct record_context context = context_of_case(test);
    expect_outcome(path, test, json_object_get(test, "given"), &context);
}

Test(record_cases, record) {
    size_t count = 0;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        char folder[64];
        snprintf(folder, sizeof folder, "record/%s", record_kinds[i].name);
        count += each_case(folder, run_record);
    }
    fprintf(stderr, "%zu case files of single records\n", count);
}

static void run_syntax(const char *path, const json_t *test) {
    PROBLEM_SCOPED problem = {0};
    JSON_SCOPED *json = NULL;
    const json_t *text = json_object_get(test, "text");
    enum err err =
        record_json_parse(json_string_value(text), json_string_length(text), &json, &problem);
    const json_t *value = json_object_get(test, "value");
    if (value != NULL) {
        cr_expect(err == ERR_OK && json_equal(json, value), "%s: %s", path, problem.detail);
        return;
    }
    cr_expect(strcmp(err_name(err), text_of(test, "code")) == 0, "%s: %s", path, err_name(err));
    cr_expect(problem.code == err && problem.detail[0] != '\0', "%s", path);
}

Test(record_cases, syntax) {
    fprintf(stderr, "%zu case files of JSON text\n", each_case("syntax", run_syntax));
}

static void run_same(const char *path, const json_t *test) {
    const struct kind_spec *spec = kind_named(text_of(test, "kind"));
    struct record_context context = context_of_case(test), later = context;
    later.now_us += 12345678;
    RECORD_SCOPED given = {0};
    RECORD_SCOPED again = {0};
    must_parse(spec, json_object_get(test, "given"), context, &given);
    must_parse(spec, json_object_get(test, "again"), later, &again);
    bool same = memcmp(given.hash, again.hash, RECORD_HASH_BYTES) == 0;
    cr_expect(same == json_is_true(json_object_get(test, "same")), "%s", path);
}

Test(record_cases, same) {
    fprintf(stderr, "%zu case files of pairs\n", each_case("same", run_same));
}

static void run_patch(const char *path, const json_t *test) {
    struct record_context context = context_of(RECORD_POST_ONE);
    const struct kind_spec *spec = kind_named(text_of(test, "kind"));
    RECORD_SCOPED stored = {0};
    must_parse(spec, json_object_get(test, "given"), context, &stored);

    PROBLEM_SCOPED problem = {0};
    JSON_SCOPED *merged = NULL;
    enum err err = record_merge_patch(&stored, json_object_get(test, "patch"), &merged, &problem);
    if (err != ERR_OK) {
        cr_expect(err == ERR_INVALID_RECORD, "%s", path);
        expect_refused(path, json_object_get(test, "refused"), &problem);
        return;
    }
    cr_expect(json_object_get(merged, "created_at") == NULL, "%s", path);
    cr_expect(json_object_get(merged, "updated_at") == NULL, "%s", path);
    context = context_of_case(test);
    context.default_id = record_id(&stored);
    context.id_must_equal = true;
    expect_outcome(path, test, merged, &context);
}

Test(record_cases, patch) {
    fprintf(stderr, "%zu case files of merge patches\n", each_case("patch", run_patch));
}
