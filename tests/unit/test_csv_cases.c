/*
 * The case files under tests/cases/csv: a text, and the rows or the refusal that must come of it,
 * however the text is cut into pieces.
 */
#include "test_cases.h"
#include "test_csv.h"

static void read_text(const char *path, struct buf *ret_text) {
    char text_path[PATH_MAX], piece[4096];
    snprintf(text_path, sizeof text_path, "%.*s.csv", (int)(strrchr(path, '.') - path), path);
    FILE *file = fopen(text_path, "rb");
    cr_assert(file != NULL, "%s", text_path);
    for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;)
        buf_add(ret_text, piece, got);
    fclose(file);
}

static bool has_errors(const struct problem *problem, const json_t *expected) {
    size_t index, found = 0;
    const json_t *error;
    json_array_foreach(expected, index, error) {
        for (size_t i = 0; i < problem->error_count; i++)
            found += strcmp(problem->errors[i].at, text_of(error, "pointer")) == 0 &&
                     strcmp(field_err_name(problem->errors[i].code), text_of(error, "code")) == 0;
    }
    return found == problem->error_count && found == json_array_size(expected);
}

static void expect_row(const char *path, const json_t *expected, const struct csv_reader *reader) {
    PROBLEM_SCOPED problem = {0};
    JSON_SCOPED *json = NULL;
    enum err err = csv_reader_row(reader, &json, &problem);
    json_int_t line = json_integer_value(json_object_get(expected, "line"));
    cr_expect((json_int_t)csv_reader_line(reader) == line, "%s: line %d", path, (int)line);
    const char *code = text_of(expected, "code");
    if (code != NULL) {
        cr_expect_str_eq(err_name(err), code, "%s: line %d", path, (int)line);
        cr_expect(problem.code == err && problem.detail[0] != '\0', "%s", path);
    } else if (err != ERR_OK || !json_equal(json, json_object_get(expected, "record"))) {
        char *text = json_dumps(json, JSON_COMPACT);
        cr_expect(false, "%s: line %d: %s %s", path, (int)line, text, problem.detail);
        free(text);
    }
}

static void run_in_pieces(const char *path, const json_t *test, const struct buf *text,
                          size_t piece) {
    enum csv_charset charset = CSV_UTF_8;
    const char *name = text_of(test, "charset");
    cr_assert(name == NULL || csv_charset_find(name, strlen(name), &charset));
    struct csv_reader *reader = csv_reader_new(kind_named(text_of(test, "kind")), charset);
    PROBLEM_SCOPED problem = {0};
    struct csv_source source = {.reader = reader, .text = text, .piece = piece};
    const json_t *rows = json_object_get(test, "rows"), *refused = json_object_get(test, "refused");
    size_t count = 0;
    enum csv_event event;
    while ((event = csv_source_next(&source, &problem)) == CSV_ROW) {
        expect_row(path, json_array_get(rows, count), reader);
        count++;
    }
    cr_expect(count == json_array_size(rows), "%s: %zu rows", path, count);
    cr_expect((event == CSV_REFUSED) == (refused != NULL), "%s: %s", path, problem.detail);
    if (refused != NULL) {
        cr_expect_str_eq(err_name(problem.code), text_of(refused, "code"), "%s", path);
        cr_expect(has_errors(&problem, json_object_get(refused, "errors")), "%s", path);
        cr_expect(problem.detail[0] != '\0', "%s", path);
    }
    csv_reader_free(reader);
}

static void run_csv(const char *path, const json_t *test) {
    static const size_t pieces[] = {1, 2, 3, 7, 64, SIZE_MAX};
    BUF_SCOPED text = {0};
    read_text(path, &text);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        run_in_pieces(path, test, &text, pieces[i]);
}

Test(csv_cases, csv) { fprintf(stderr, "%zu case files of CSV\n", each_case("csv", run_csv)); }
