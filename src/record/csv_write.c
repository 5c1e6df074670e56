/*
 * Records as rows of CSV.
 */
#include "vinculo/csv.h"

#include "vinculo/timestamp.h"

#include <inttypes.h>
#include <string.h>

/* Blanks at the ends are kept by RFC 4180, but trimmed by some readers where no quotes are. */
static bool needs_quotes(const char *text, size_t length) {
    if (length > 0 && (text[0] == ' ' || text[length - 1] == ' '))
        return true;
    for (size_t i = 0; i < length; i++) {
        if (strchr("\",;\r\n", text[i]) != NULL)
            return true;
    }
    return false;
}

static void add_quoted(struct buf *out, const char *text, size_t length) {
    buf_add_char(out, '"');
    for (size_t done = 0; done < length;) {
        const char *quote = memchr(text + done, '"', length - done);
        size_t end = quote != NULL ? (size_t)(quote - text) + 1 : length;
        buf_add(out, text + done, end - done);
        if (quote != NULL)
            buf_add_char(out, '"');
        done = end;
    }
    buf_add_char(out, '"');
}

void csv_put_cell(struct buf *out, const char *text, size_t length) {
    if (needs_quotes(text, length))
        add_quoted(out, text, length);
    else
        buf_add(out, text, length);
    buf_add_char(out, ',');
}

void csv_end_row(struct buf *out) {
    if (out->failed)
        return;
    out->length--; /* the comma behind the last cell */
    buf_add_str(out, "\r\n");
}

void csv_reopen_row(struct buf *out) {
    if (out->failed)
        return;
    out->length -= 2; /* CRLF */
    buf_add_char(out, ',');
}

static void put_text(struct buf *out, const char *text) { csv_put_cell(out, text, strlen(text)); }

static void put_moment(struct buf *out, int64_t moment) {
    char text[TIMESTAMP_TEXT_MAX];
    size_t length = timestamp_format(moment, text);
    csv_put_cell(out, text, length);
}

static void put_value(struct buf *out, enum field_type type, const struct value *value) {
    char digits[24];
    switch (type) {
    case FIELD_TYPE_INTEGER:
        snprintf(digits, sizeof digits, "%" PRId64, value->integer);
        put_text(out, digits);
        break;
    case FIELD_TYPE_BOOLEAN:
        put_text(out, value->integer != 0 ? "true" : "false");
        break;
    case FIELD_TYPE_TIME:
        put_moment(out, value->integer);
        break;
    case FIELD_TYPE_ID:
    case FIELD_TYPE_LABEL:
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_ENUM:
    case FIELD_TYPE_METADATA:
        csv_put_cell(out, value->text, value->length);
        break;
    }
}

void csv_write_header(struct buf *out, const struct kind_spec *spec) {
    for (size_t i = 0; i < spec->field_count; i++)
        put_text(out, spec->fields[i].name);
    put_text(out, "created_at");
    put_text(out, "updated_at");
    csv_end_row(out);
}

void csv_write_record(struct buf *out, const struct record *record) {
    const struct kind_spec *spec = record->spec;
    for (size_t i = 0; i < spec->field_count; i++) {
        if (record->values[i].present)
            put_value(out, spec->fields[i].type, &record->values[i]);
        else
            put_text(out, "");
    }
    for (size_t i = 0; i < 2; i++) {
        if (record->stored)
            put_moment(out, i == 0 ? record->created_us : record->updated_us);
        else
            put_text(out, "");
    }
    csv_end_row(out);
}
