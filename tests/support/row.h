/*
 * Reads the rows that record_rows_begin and the like write, as PostgreSQL's array_recv and
 * record_recv do.
 */
#ifndef VINCULO_TEST_ROW_H
#define VINCULO_TEST_ROW_H

#include "vinculo/record.h"
#include "vinculo/timestamp.h"

#include <string.h>

struct row_reader {
    const unsigned char *at;
    size_t left;
    bool failed; /* something was not there, or not as it should be */
};

/* A big-endian integer of so many bytes. */
static inline int64_t row_integer(struct row_reader *reader, size_t bytes) {
    uint64_t value = 0;
    if (reader->left < bytes) {
        reader->failed = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | reader->at[i];
    reader->at += bytes;
    reader->left -= bytes;
    return bytes == 4 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

static inline void row_expect(struct row_reader *reader, size_t bytes, int64_t value) {
    if (row_integer(reader, bytes) != value)
        reader->failed = true;
}

static inline void row_expect_bytes(struct row_reader *reader, const void *bytes, size_t length) {
    if (reader->left < length || memcmp(reader->at, bytes, length) != 0) {
        reader->failed = true;
        return;
    }
    reader->at += length;
    reader->left -= length;
}

/* Types by their OIDs: int4 23, int8 20, bool 16, timestamptz 1184, json 114, bytea 17, text 25. */
static inline void row_expect_field(struct row_reader *reader, enum field_type type,
                                    const struct value *value) {
    int64_t year_2000;
    timestamp_parse("2000-01-01T00:00:00Z", strlen("2000-01-01T00:00:00Z"), &year_2000);
    bool is_time = type == FIELD_TYPE_TIME;
    bool is_integer = type == FIELD_TYPE_INTEGER || is_time;
    bool is_boolean = type == FIELD_TYPE_BOOLEAN;
    row_expect(reader, 4,
               is_time                       ? 1184
               : is_integer                  ? 20
               : is_boolean                  ? 16
               : type == FIELD_TYPE_METADATA ? 114
                                             : 25);
    if (!value->present) {
        row_expect(reader, 4, -1);
    } else if (is_integer) {
        row_expect(reader, 4, 8);
        row_expect(reader, 8, value->integer - (is_time ? year_2000 : 0));
    } else if (is_boolean) {
        row_expect(reader, 4, 1);
        row_expect_bytes(reader, value->integer != 0 ? "\1" : "\0", 1);
    } else {
        row_expect(reader, 4, (int64_t)value->length);
        row_expect_bytes(reader, value->text, value->length);
    }
}

/* Is this an array of `row_type` with the record alone? */
static inline bool row_is(const struct buf *rows, unsigned row_type, const struct record *record,
                          int workspace_id, int ord) {
    struct row_reader reader = {.at = (const unsigned char *)buf_text(rows), .left = rows->length};
    const int64_t head[] = {1 /* dimension */, 0 /* nulls */, row_type, 1 /* row */,
                            1 /* its place */};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        row_expect(&reader, 4, head[i]);
    int64_t length = row_integer(&reader, 4);
    if (length != (int64_t)reader.left)
        reader.failed = true;
    const int64_t columns[] = {
        (int64_t)record->spec->field_count + 3, 23, 4, ord, 23, 4, workspace_id};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        row_expect(&reader, 4, columns[i]);
    for (size_t i = 0; i < record->spec->field_count; i++)
        row_expect_field(&reader, record->spec->fields[i].type, &record->values[i]);
    row_expect(&reader, 4, 17);
    row_expect(&reader, 4, RECORD_HASH_BYTES);
    row_expect_bytes(&reader, record->hash, RECORD_HASH_BYTES);
    return buf_ok(rows) && !reader.failed && reader.left == 0;
}

#endif
