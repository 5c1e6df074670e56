/*
 * A record's memory, and records that come out of the database.
 */
#include "internal.h"

#include "vinculo/timestamp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *record_id(const struct record *record) { return record->values[0].text; }

void record_clear(struct record *record) {
    if (record == NULL)
        return;
    free(record->texts);
    *record = (struct record){0};
}

enum err record_own_texts(struct record *record) {
    size_t size = 0;
    for (size_t i = 0; i < record->spec->field_count; i++) {
        if (record->values[i].text != NULL)
            size += record->values[i].length + 1;
    }
    char *texts = malloc(size > 0 ? size : 1);
    if (texts == NULL)
        return ERR_UNAVAILABLE;
    char *next = texts;
    for (size_t i = 0; i < record->spec->field_count; i++) {
        struct value *value = &record->values[i];
        if (value->text == NULL)
            continue;
        memcpy(next, value->text, value->length);
        next[value->length] = '\0';
        value->text = next;
        next += value->length + 1;
    }
    record->texts = texts;
    return ERR_OK;
}

static bool read_integer(const char *column, int64_t *ret_integer) {
    char *end;
    errno = 0;
    long long integer = strtoll(column, &end, 10);
    *ret_integer = integer;
    return errno == 0 && end != column && *end == '\0';
}

static bool read_boolean(const char *column, int64_t *ret_integer) {
    *ret_integer = column[0] == 't';
    return strcmp(column, "t") == 0 || strcmp(column, "f") == 0;
}

static bool read_column(enum field_type type, const char *column, struct value *ret_value) {
    *ret_value = (struct value){.present = true};
    switch (type) {
    case FIELD_TYPE_INTEGER:
        return read_integer(column, &ret_value->integer);
    case FIELD_TYPE_BOOLEAN:
        return read_boolean(column, &ret_value->integer);
    case FIELD_TYPE_TIME:
        return timestamp_parse_postgres(column, &ret_value->integer);
    case FIELD_TYPE_ID:
    case FIELD_TYPE_LABEL:
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_ENUM:
    case FIELD_TYPE_METADATA:
        ret_value->text = column;
        ret_value->length = strlen(column);
    }
    return true;
}

enum err record_from_row(const struct kind_spec *spec, const char *const *columns,
                         struct record *ret_record) {
    struct record record = {.spec = spec};
    for (size_t i = 0; i < spec->field_count; i++) {
        if (columns[i] != NULL && !read_column(spec->fields[i].type, columns[i], &record.values[i]))
            return ERR_UNAVAILABLE;
    }
    const char *created = columns[spec->field_count], *updated = columns[spec->field_count + 1];
    record.stored = created != NULL && updated != NULL;
    if (record.stored && (!timestamp_parse_postgres(created, &record.created_us) ||
                          !timestamp_parse_postgres(updated, &record.updated_us)))
        return ERR_UNAVAILABLE;
    enum err err = record_own_texts(&record);
    if (err == ERR_OK)
        *ret_record = record;
    return err;
}

bool record_equal(const struct record *a, const struct record *b) {
    for (size_t i = 0; i < a->spec->field_count; i++) {
        const struct value *x = &a->values[i];
        const struct value *y = &b->values[i];
        if (x->present != y->present || (x->present && x->integer != y->integer)) {
            return false;
        }
        if (x->present && x->text != NULL &&
            (x->length != y->length || memcmp(x->text, y->text, x->length) != 0)) {
            return false;
        }
    }
    return true;
}
