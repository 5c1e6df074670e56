/*
 * The hash by which the same content is recognised: BLAKE2b over the normal form, each value with
 * its field's name, a tag and its length, so that no two contents share an encoding. The id and a
 * time that the server filled in are left out, as are absent fields: a later version may add some.
 */
#include "internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct member {
    const char *key;
    const json_t *value;
};

static void add_tag(crypto_generichash_state *state, char tag) {
    crypto_generichash_update(state, (const unsigned char *)&tag, 1);
}

static void add_u64(crypto_generichash_state *state, char tag, uint64_t number) {
    unsigned char bytes[9] = {(unsigned char)tag};
    for (int i = 0; i < 8; i++)
        bytes[1 + i] = (unsigned char)(number >> (8 * i));
    crypto_generichash_update(state, bytes, sizeof bytes);
}

static void add_text(crypto_generichash_state *state, const char *text, size_t length) {
    add_u64(state, 's', length);
    crypto_generichash_update(state, (const unsigned char *)text, length);
}

static void add_real(crypto_generichash_state *state, double real) {
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    add_u64(state, 'r', bits);
}

static int compare_members(const void *a, const void *b) {
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static enum err add_json(crypto_generichash_state *state, const json_t *json);

static enum err add_object(crypto_generichash_state *state, const json_t *json) {
    size_t count = json_object_size(json), filled = 0;
    struct member *members = calloc(count + 1, sizeof *members);
    if (members == NULL)
        return ERR_UNAVAILABLE;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value) {
        members[filled++] = (struct member){.key = key, .value = value};
    }
    qsort(members, count, sizeof *members, compare_members);

    enum err err = ERR_OK;
    add_u64(state, 'o', count);
    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        add_text(state, members[i].key, strlen(members[i].key));
        err = add_json(state, members[i].value);
    }
    free(members);
    return err;
}

static enum err add_array(crypto_generichash_state *state, const json_t *json) {
    size_t index;
    json_t *item;
    enum err err = ERR_OK;
    add_u64(state, 'a', json_array_size(json));
    json_array_foreach(json, index, item) {
        if (err == ERR_OK)
            err = add_json(state, item);
    }
    return err;
}

/* Recursive: metadata is at most METADATA_DEPTH_MAX deep. */
static enum err add_json(crypto_generichash_state *state, const json_t *json) {
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return add_object(state, json);
    case JSON_ARRAY:
        return add_array(state, json);
    case JSON_STRING:
        add_text(state, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        add_u64(state, 'i', (uint64_t)json_integer_value(json));
        break;
    case JSON_REAL:
        add_real(state, json_real_value(json));
        break;
    case JSON_TRUE:
        add_tag(state, 'T');
        break;
    case JSON_FALSE:
        add_tag(state, 'F');
        break;
    case JSON_NULL:
        add_tag(state, 'N');
        break;
    }
    return ERR_OK;
}

static enum err add_value(crypto_generichash_state *state, enum field_type type,
                          const struct value *value, const json_t *metadata) {
    switch (type) {
    case FIELD_TYPE_ID:
    case FIELD_TYPE_LABEL:
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_ENUM:
        add_text(state, value->text, value->length);
        break;
    case FIELD_TYPE_INTEGER:
    case FIELD_TYPE_BOOLEAN:
    case FIELD_TYPE_TIME:
        add_u64(state, 'i', (uint64_t)value->integer);
        break;
    case FIELD_TYPE_METADATA:
        return add_json(state, metadata);
    }
    return ERR_OK;
}

enum err record_hash(struct record *record, const json_t *metadata) {
    const struct kind_spec *spec = record->spec;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, RECORD_HASH_BYTES);
    add_text(&state, spec->name, strlen(spec->name));
    for (size_t i = 1; i < spec->field_count; i++) {
        const struct field_spec *field = &spec->fields[i];
        if (!record->values[i].present || record_is_from_server(record, i))
            continue;
        add_text(&state, field->name, strlen(field->name));
        enum err err = add_value(&state, field->type, &record->values[i], metadata);
        if (err != ERR_OK)
            return err;
    }
    crypto_generichash_final(&state, record->hash, RECORD_HASH_BYTES);
    return ERR_OK;
}
