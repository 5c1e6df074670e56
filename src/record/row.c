/*
 * Records as PostgreSQL takes them: an array of a composite type in the binary form of its protocol
 * (array_recv, record_recv and the columns' own receive functions; all integers big-endian).
 */
#include "vinculo/record.h"

#include <endian.h>
#include <string.h>

/* pg_type.dat of PostgreSQL; these never change. */
enum type_oid {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_JSON = 114,
    OID_TIMESTAMPTZ = 1184
};

enum {
    OWN_COLUMNS = 3,      /* ord, workspace_id, content_hash */
    ROW_COUNT_AT = 3 * 4, /* after dimensions, flags and type */
    LENGTH_OF_NULL = -1
};

/* PostgreSQL counts µs from 2000-01-01 UTC. */
static const int64_t postgres_epoch_us = INT64_C(946684800000000);

static void put_int32(struct buf *out, int32_t value) {
    uint32_t bytes = htobe32((uint32_t)value);
    buf_add(out, &bytes, sizeof bytes);
}

static void put_int64(struct buf *out, int64_t value) {
    uint64_t bytes = htobe64((uint64_t)value);
    buf_add(out, &bytes, sizeof bytes);
}

/* Into a place that was left for it. */
static void set_int32(struct buf *out, size_t at, int32_t value) {
    uint32_t bytes = htobe32((uint32_t)value);
    if (buf_ok(out))
        memcpy(out->data + at, &bytes, sizeof bytes);
}

static enum type_oid type_of(enum field_type type) {
    switch (type) {
    case FIELD_TYPE_INTEGER:
        return OID_INT8;
    case FIELD_TYPE_BOOLEAN:
        return OID_BOOL;
    case FIELD_TYPE_TIME:
        return OID_TIMESTAMPTZ;
    case FIELD_TYPE_METADATA:
        return OID_JSON;
    case FIELD_TYPE_ID:
    case FIELD_TYPE_LABEL:
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_ENUM:
        break;
    }
    return OID_TEXT;
}

static void put_bytes(struct buf *out, const void *bytes, size_t length) {
    put_int32(out, (int32_t)length);
    buf_add(out, bytes, length);
}

static void put_present(struct buf *out, enum field_type type, const struct value *value) {
    switch (type) {
    case FIELD_TYPE_INTEGER:
        put_int32(out, sizeof value->integer);
        put_int64(out, value->integer);
        break;
    case FIELD_TYPE_TIME:
        put_int32(out, sizeof value->integer);
        put_int64(out, value->integer - postgres_epoch_us);
        break;
    case FIELD_TYPE_BOOLEAN:
        put_int32(out, 1);
        buf_add_char(out, (char)value->integer);
        break;
    case FIELD_TYPE_ID:
    case FIELD_TYPE_LABEL:
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_ENUM:
    case FIELD_TYPE_METADATA:
        put_bytes(out, value->text, value->length);
        break;
    }
}

static void put_place(struct buf *out, int32_t number) {
    put_int32(out, OID_INT4);
    put_int32(out, sizeof number);
    put_int32(out, number);
}

void record_rows_begin(struct buf *out, unsigned row_type) {
    put_int32(out, 1); /* dimension */
    put_int32(out, 0); /* flags: no row is null */
    put_int32(out, (int32_t)row_type);
    put_int32(out, 0); /* rows: record_rows_end's */
    put_int32(out, 1); /* the first one's subscript */
}

void record_rows_add(struct buf *out, const struct record *record, int workspace_id, size_t ord) {
    const struct kind_spec *spec = record->spec;
    size_t length_at = out->length;
    put_int32(out, 0);
    size_t from = out->length;
    put_int32(out, (int32_t)spec->field_count + OWN_COLUMNS);
    put_place(out, (int32_t)ord);
    put_place(out, workspace_id);
    for (size_t i = 0; i < spec->field_count; i++) {
        put_int32(out, (int32_t)type_of(spec->fields[i].type));
        if (record->values[i].present)
            put_present(out, spec->fields[i].type, &record->values[i]);
        else
            put_int32(out, LENGTH_OF_NULL);
    }
    put_int32(out, OID_BYTEA);
    put_bytes(out, record->hash, RECORD_HASH_BYTES);
    set_int32(out, length_at, (int32_t)(out->length - from));
}

void record_rows_end(struct buf *out, size_t count) {
    set_int32(out, ROW_COUNT_AT, (int32_t)count);
}
