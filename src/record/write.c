/*
 * A record as clients see it.
 */
#include "internal.h"

#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <sodium.h>
#include <string.h>

static void put_moment(struct buf *out, int64_t moment) {
    char text[TIMESTAMP_TEXT_MAX];
    size_t length = timestamp_format(moment, text);
    json_put_string(out, text, length);
}

static void put_value(struct buf *out, enum field_type type, const struct value *value) {
    switch (type) {
    case FIELD_TYPE_ID:
    case FIELD_TYPE_LABEL:
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_ENUM:
        json_put_string(out, value->text, value->length);
        break;
    case FIELD_TYPE_INTEGER:
        json_put_int(out, value->integer);
        break;
    case FIELD_TYPE_BOOLEAN:
        json_put_bool(out, value->integer != 0);
        break;
    case FIELD_TYPE_TIME:
        put_moment(out, value->integer);
        break;
    case FIELD_TYPE_METADATA:
        json_put_raw(out, value->text, value->length);
        break;
    }
}

static void put_stored_moment(struct buf *out, const char *key, bool stored, int64_t moment) {
    json_key(out, key);
    if (stored)
        put_moment(out, moment);
    else
        json_put_null(out);
}

void record_write_json(struct buf *out, const struct record *record) {
    const struct kind_spec *spec = record->spec;
    json_begin_object(out);
    for (size_t i = 0; i < spec->field_count; i++) {
        json_key(out, spec->fields[i].name);
        if (record->values[i].present)
            put_value(out, spec->fields[i].type, &record->values[i]);
        else
            json_put_null(out);
    }
    put_stored_moment(out, "created_at", record->stored, record->created_us);
    put_stored_moment(out, "updated_at", record->stored, record->updated_us);
    json_end_object(out);
}

enum { HASH_TEXT_BYTES = 2 + 2 * RECORD_HASH_BYTES + 1 };

/* As PostgreSQL reads and writes a bytea. */
static void write_hash(const struct record *record, char *ret_text) {
    memcpy(ret_text, "\\x", 2);
    sodium_bin2hex(ret_text + 2, HASH_TEXT_BYTES - 2, record->hash, RECORD_HASH_BYTES);
}

bool record_has_hash(const struct record *record, const char *stored) {
    char hash[HASH_TEXT_BYTES];
    write_hash(record, hash);
    return strcmp(hash, stored) == 0;
}
