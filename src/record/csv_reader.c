/*
 * Rows of CSV as JSON objects of one kind: the header line's columns, and cells to values.
 */
#include "csv_internal.h"
#include "internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { COLUMN_IGNORED = -1 };

struct csv_reader {
    const struct kind_spec *spec;
    struct csv_scanner scanner;
    bool has_header, has_row, has_ended;
    enum err refused; /* the header line was */
    size_t column_count;
    int columns[CSV_CELLS_MAX]; /* positions of fields, or COLUMN_IGNORED */
};

struct csv_reader *csv_reader_new(const struct kind_spec *spec, enum csv_charset charset) {
    struct csv_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->spec = spec;
    csv_scanner_init(&reader->scanner, charset);
    return reader;
}

void csv_reader_free(struct csv_reader *reader) {
    if (reader == NULL)
        return;
    buf_free(&reader->scanner.text);
    free(reader);
}

uint64_t csv_reader_line(const struct csv_reader *reader) { return reader->scanner.row_line; }

static bool is_repeated(const struct csv_scanner *scanner, size_t cell) {
    size_t length, other_length;
    const char *text = csv_scanner_cell(scanner, cell, &length);
    for (size_t i = 0; i < cell; i++) {
        const char *other = csv_scanner_cell(scanner, i, &other_length);
        if (length == other_length && memcmp(text, other, length) == 0)
            return true;
    }
    return false;
}

/* One column's name; *ret_taken is false where it was refused. */
static enum err take_column(struct csv_reader *reader, size_t cell, struct problem *problem,
                            bool *ret_taken) {
    size_t length;
    const char *text = csv_scanner_cell(&reader->scanner, cell, &length);
    BUF_SCOPED name = {0};
    buf_add(&name, text, length);
    if (!buf_ok(&name))
        return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
    int field = record_field_index(reader->spec, buf_text(&name));
    bool is_known = field >= 0 || record_is_read_only(buf_text(&name));
    bool repeated = is_repeated(&reader->scanner, cell);
    *ret_taken = is_known && !repeated;
    reader->columns[cell] = field >= 0 ? field : COLUMN_IGNORED;
    if (!is_known && !repeated)
        return record_refuse_name(reader->spec, buf_text(&name), problem);
    if (is_known && repeated) {
        char pointer[64];
        snprintf(pointer, sizeof pointer, "/%s", buf_text(&name));
        (void)problem_add_field(problem, pointer, FIELD_NOT_ALLOWED_HERE,
                                "the header line names this column more than once");
    }
    return ERR_OK;
}

static enum err take_header(struct csv_reader *reader, struct problem *problem) {
    const struct csv_scanner *scanner = &reader->scanner;
    enum err err = csv_scanner_check(scanner, problem);
    bool all_taken = scanner->cell_count <= CSV_CELLS_MAX;
    size_t count = all_taken ? scanner->cell_count : CSV_CELLS_MAX;
    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        bool taken = false;
        err = take_column(reader, i, problem, &taken);
        all_taken = all_taken && taken;
    }
    if (err != ERR_OK)
        return err;
    if (!all_taken)
        return problem_set(problem, ERR_INVALID_RECORD,
                           "the header line on line %" PRIu64
                           " names columns that are unknown or repeated: see errors",
                           scanner->row_line);
    reader->column_count = count;
    reader->has_header = true;
    return ERR_OK;
}

static enum csv_event refuse_again(const struct csv_reader *reader, struct problem *problem) {
    (void)problem_set(problem, reader->refused, "the header line was refused");
    return CSV_REFUSED;
}

/* A row is complete: the header line, or one to show. */
static enum csv_event take_row(struct csv_reader *reader, struct problem *problem) {
    if (reader->has_header) {
        reader->has_row = true;
        return CSV_ROW;
    }
    reader->refused = take_header(reader, problem);
    csv_scanner_next(&reader->scanner);
    return reader->refused == ERR_OK ? CSV_MORE : CSV_REFUSED;
}

static void forget_row(struct csv_reader *reader) {
    if (reader->has_row)
        csv_scanner_next(&reader->scanner);
    reader->has_row = false;
}

enum csv_event csv_reader_feed(struct csv_reader *reader, const char *data, size_t length,
                               size_t *ret_used, struct problem *problem) {
    *ret_used = 0;
    if (reader->refused != ERR_OK)
        return refuse_again(reader, problem);
    forget_row(reader);
    enum csv_event event = CSV_MORE;
    while (event == CSV_MORE && *ret_used < length) {
        size_t used;
        if (csv_scanner_feed(&reader->scanner, data + *ret_used, length - *ret_used, &used))
            event = take_row(reader, problem);
        *ret_used += used;
    }
    return event;
}

enum csv_event csv_reader_end(struct csv_reader *reader, struct problem *problem) {
    if (reader->refused != ERR_OK)
        return refuse_again(reader, problem);
    forget_row(reader);
    enum csv_event event = CSV_MORE;
    if (!reader->has_ended && csv_scanner_end(&reader->scanner))
        event = take_row(reader, problem);
    reader->has_ended = true;
    if (event == CSV_MORE && !reader->has_header) {
        reader->refused = problem_set(problem, ERR_MALFORMED_CSV,
                                      "the text is empty: its first line must name the columns");
        return CSV_REFUSED;
    }
    return event;
}

/* An integer's text: JSON's, but for zeros in front. One too large for 64 bits becomes the largest,
 * which is out of every field's range. */
static json_t *integer_value(const char *text, size_t length) {
    size_t digits = length - (text[0] == '-');
    if (digits == 0 || strspn(text + (text[0] == '-'), "0123456789") != digits)
        return json_stringn(text, length);
    return json_integer(strtoll(text, NULL, 10)); /* saturates */
}

static json_t *boolean_value(const char *text, size_t length) {
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        {"true", true}, {"1", true},    {"sim", true},  {"false", false},
        {"0", false},   {"não", false}, {"nÃo", false}, {"nao", false},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(words[i].word, text) == 0) /* in the C locale: ASCII letters alone */
            return json_boolean(words[i].value);
    }
    return json_stringn(text, length);
}

/* Text that is no JSON stays text, which is not an object either. NULL: memory. */
static json_t *metadata_value(const char *text, size_t length) {
    json_t *json = NULL;
    enum err err = record_json_parse(text, length, &json, NULL);
    if (err == ERR_MALFORMED_JSON)
        return json_stringn(text, length);
    return err == ERR_OK ? json : NULL;
}

/* `text` ends with NUL and holds none. NULL: memory. */
static json_t *cell_value(enum field_type type, const char *text, size_t length) {
    switch (type) {
    case FIELD_TYPE_INTEGER:
        return integer_value(text, length);
    case FIELD_TYPE_BOOLEAN:
        return boolean_value(text, length);
    case FIELD_TYPE_METADATA:
        return metadata_value(text, length);
    case FIELD_TYPE_ID:
    case FIELD_TYPE_LABEL:
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_ENUM:
    case FIELD_TYPE_TIME:
        break;
    }
    return json_stringn(text, length);
}

static bool add_cell(const struct csv_reader *reader, size_t cell, struct buf *scratch,
                     json_t *row) {
    size_t length;
    const char *text = csv_scanner_cell(&reader->scanner, cell, &length);
    int field = reader->columns[cell];
    if (field == COLUMN_IGNORED || length == 0)
        return true;
    buf_reset(scratch);
    buf_add(scratch, text, length);
    if (!buf_ok(scratch))
        return false;
    const struct field_spec *spec = &reader->spec->fields[field];
    return json_object_set_new(row, spec->name, cell_value(spec->type, scratch->data, length)) == 0;
}

enum err csv_reader_row(const struct csv_reader *reader, json_t **ret_json,
                        struct problem *problem) {
    const struct csv_scanner *scanner = &reader->scanner;
    enum err err = csv_scanner_check(scanner, problem);
    if (err != ERR_OK)
        return err;
    if (scanner->cell_count != reader->column_count)
        return problem_set(problem, ERR_MALFORMED_CSV,
                           "line %" PRIu64 ": the row has %zu and not the header line's %zu cells",
                           scanner->row_line, scanner->cell_count, reader->column_count);
    BUF_SCOPED scratch = {0};
    json_t *row = json_object();
    bool ok = row != NULL;
    for (size_t i = 0; i < reader->column_count && ok; i++)
        ok = add_cell(reader, i, &scratch, row);
    if (!ok) {
        json_decref(row);
        return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
    }
    *ret_json = row;
    return ERR_OK;
}
