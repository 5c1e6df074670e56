/*
 * CSV: kind, charset, bytes per piece, then the text. However it is cut, the same rows come; what
 * is accepted of them, written out and read again is the same record with the same hash.
 */
#include "fuzz.h"

#include "vinculo/csv.h"

#include <stdio.h>

/* One reading of a text. `take` gets each row's line, and its JSON or why there is none. */
struct reading {
    const struct kind_spec *spec;
    enum csv_charset charset;
    const char *text;
    size_t length, piece;
    void (*take)(void *context, uint64_t line, const json_t *json, const struct problem *problem);
    void *context;
};

/* In blocks of their own, so that reading beyond a piece is found. */
static enum csv_event next_event(const struct reading *reading, struct csv_reader *reader,
                                 size_t *at, struct problem *problem) {
    enum csv_event event = CSV_MORE;
    while (event == CSV_MORE && *at < reading->length) {
        size_t left = reading->length - *at, used = 0;
        size_t length = left < reading->piece ? left : reading->piece;
        char *piece = malloc(length);
        assert(piece != NULL);
        memcpy(piece, reading->text + *at, length);
        event = csv_reader_feed(reader, piece, length, &used, problem);
        free(piece);
        assert(used <= length && (used == length || event != CSV_MORE));
        *at += used;
    }
    return event == CSV_MORE ? csv_reader_end(reader, problem) : event;
}

/* ERR_OK, or why the header line was refused. */
static enum err read_all(const struct reading *reading, struct problem *problem) {
    struct csv_reader *reader = csv_reader_new(reading->spec, reading->charset);
    assert(reader != NULL);
    size_t at = 0;
    uint64_t last_line = 0;
    enum csv_event event;
    while ((event = next_event(reading, reader, &at, problem)) == CSV_ROW) {
        PROBLEM_SCOPED row_problem = {0};
        JSON_SCOPED *json = NULL;
        enum err err = csv_reader_row(reader, &json, &row_problem);
        assert((err == ERR_OK) == (json != NULL));
        assert(err == ERR_OK || err == ERR_MALFORMED_CSV || err == ERR_TOO_LARGE);
        if (err != ERR_OK)
            expect_refusal(&row_problem, err);
        assert(csv_reader_line(reader) > last_line + (last_line == 0));
        last_line = csv_reader_line(reader);
        reading->take(reading->context, last_line, json, &row_problem);
    }
    csv_reader_free(reader);
    if (event == CSV_REFUSED)
        expect_refusal(problem, problem->code);
    else
        assert(problem->code == ERR_OK);
    return problem->code;
}

static void trace_row(void *context, uint64_t line, const json_t *json,
                      const struct problem *problem) {
    struct buf *trace = context;
    buf_printf(trace, "%llu %s ", (unsigned long long)line, problem->detail);
    if (json != NULL)
        json_put_value(trace, json);
    buf_add_char(trace, '\n');
}

/* ERR_OK, or why the header line was refused. */
static enum err trace_all(struct reading reading, size_t piece, struct buf *trace) {
    PROBLEM_SCOPED problem = {0};
    reading.piece = piece;
    reading.take = trace_row;
    reading.context = trace;
    enum err err = read_all(&reading, &problem);
    buf_printf(trace, "%s %s", err_name(err), problem.detail);
    for (size_t i = 0; i < problem.error_count; i++)
        buf_printf(trace, "\n%s %s", problem.errors[i].at, problem.errors[i].detail);
    assert(buf_ok(trace));
    return err;
}

/* The record that was written, to be compared with what is read of it. */
struct copy {
    const struct record *record;
    size_t rows;
};

static void compare_row(void *context, uint64_t line, const json_t *json,
                        const struct problem *problem) {
    struct copy *copy = context;
    assert(line == 2 && json != NULL && problem->code == ERR_OK);
    RECORD_SCOPED again = {0};
    must_parse(copy->record->spec, json, &again);
    assert(record_equal(copy->record, &again) && same_hash(copy->record, &again));
    copy->rows++;
}

static void check_row(void *context, uint64_t line, const json_t *json,
                      const struct problem *problem) {
    (void)line;
    (void)problem;
    const struct reading *reading = context;
    struct record_context bulk = context_of(RECORD_BULK);
    RECORD_SCOPED record = {0};
    PROBLEM_SCOPED refusal = {0};
    if (json == NULL)
        return;
    enum err err = record_parse(reading->spec, json, &bulk, &record, &refusal);
    if (err != ERR_OK) {
        expect_refusal(&refusal, err);
        return;
    }
    record.stored = true;
    record.created_us = record.updated_us = NOW_US;
    BUF_SCOPED text = {0};
    csv_write_header(&text, record.spec);
    csv_write_record(&text, &record);
    assert(buf_ok(&text));
    struct copy copy = {.record = &record};
    struct reading back = {.spec = record.spec,
                           .charset = CSV_UTF_8,
                           .text = text.data,
                           .length = text.length,
                           .piece = reading->piece,
                           .take = compare_row,
                           .context = &copy};
    PROBLEM_SCOPED none = {0};
    err = read_all(&back, &none);
    assert(err == ERR_OK && copy.rows == 1);
}

/* Quotes come in pairs: where one is left over, a row is refused. */
static void expect_quotes_in_pairs(const struct reading *reading, const char *trace) {
    size_t quotes = 0;
    for (size_t i = 0; i < reading->length; i++)
        quotes += reading->text[i] == '"';
    assert(quotes % 2 == 0 || strstr(trace, ", column ") != NULL);
}

/* A byte order mark in front says UTF-8, whatever the charset, and nothing else. */
static void expect_mark_to_say_utf_8(struct reading reading) {
    BUF_SCOPED marked = {0};
    BUF_SCOPED plain_trace = {0};
    BUF_SCOPED marked_trace = {0};
    buf_add_str(&marked, "\xEF\xBB\xBF");
    buf_add(&marked, reading.text, reading.length);
    struct reading with_mark = reading;
    with_mark.text = marked.data;
    with_mark.length = marked.length;
    reading.charset = CSV_UTF_8;
    (void)trace_all(reading, SIZE_MAX, &plain_trace);
    (void)trace_all(with_mark, reading.piece, &marked_trace);
    assert(strcmp(plain_trace.data, marked_trace.data) == 0);
}

static bool is_ascii(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] >= 0x80)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = input_of(data, size);
    struct reading reading = {.spec = &record_kinds[take_choice(&input, KIND_COUNT)]};
    reading.charset = take_choice(&input, 2) == 0 ? CSV_UTF_8 : CSV_WINDOWS_1252;
    reading.piece = 1 + take_choice(&input, 64);
    reading.text = input.at;
    reading.length = input.left;

    BUF_SCOPED whole = {0};
    BUF_SCOPED pieces = {0};
    enum err err = trace_all(reading, SIZE_MAX, &whole);
    (void)trace_all(reading, reading.piece, &pieces);
    assert(strcmp(whole.data, pieces.data) == 0);
    if (err == ERR_OK)
        expect_quotes_in_pairs(&reading, whole.data);
    if (reading.length == 0 || reading.text[0] != '\xEF')
        expect_mark_to_say_utf_8(reading);
    if (is_ascii(reading.text, reading.length)) {
        BUF_SCOPED other = {0};
        struct reading in_other = reading;
        in_other.charset = reading.charset == CSV_UTF_8 ? CSV_WINDOWS_1252 : CSV_UTF_8;
        (void)trace_all(in_other, SIZE_MAX, &other);
        assert(strcmp(whole.data, other.data) == 0);
    }
    PROBLEM_SCOPED problem = {0};
    reading.take = check_row;
    reading.context = &reading;
    (void)read_all(&reading, &problem);
    return 0;
}
