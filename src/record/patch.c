/*
 * RFC 7396 merge patches on stored records.
 */
#include "internal.h"

#include "vinculo/timestamp.h"

#include <string.h>

static json_t *value_to_json(enum field_type type, const struct value *value) {
    char text[TIMESTAMP_TEXT_MAX];
    size_t length;
    switch (type) {
    case FIELD_TYPE_INTEGER:
        return json_integer(value->integer);
    case FIELD_TYPE_BOOLEAN:
        return json_boolean(value->integer != 0);
    case FIELD_TYPE_TIME:
        length = timestamp_format(value->integer, text);
        return json_stringn(text, length);
    case FIELD_TYPE_METADATA:
        return json_loadb(value->text, value->length, 0, NULL);
    case FIELD_TYPE_ID:
    case FIELD_TYPE_LABEL:
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_ENUM:
        break;
    }
    return json_stringn(value->text, value->length);
}

static json_t *record_to_json(const struct record *record) {
    json_t *json = json_object();
    for (size_t i = 0; json != NULL && i < record->spec->field_count; i++) {
        const struct field_spec *field = &record->spec->fields[i];
        if (record->values[i].present &&
            json_object_set_new(json, field->name,
                                value_to_json(field->type, &record->values[i])) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static bool merge(json_t *target, const json_t *patch);

/* Recursive: a patch is at most RECORD_JSON_DEPTH_MAX deep. */
static bool merge_member(json_t *target, const char *key, json_t *value) {
    if (json_is_null(value)) {
        (void)json_object_del(target, key); /* fails where there is none */
        return true;
    }
    if (!json_is_object(value))
        return json_object_set(target, key, value) == 0;
    json_t *old = json_object_get(target, key);
    if (!json_is_object(old)) {
        /* Merged into nothing rather than taken over: nulls inside a patch are never stored. */
        old = json_object();
        if (json_object_set_new(target, key, old) != 0)
            return false;
    }
    return merge(old, value);
}

static bool merge(json_t *target, const json_t *patch) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)patch, key, value) {
        if (!merge_member(target, key, value))
            return false;
    }
    return true;
}

/* A null for a field that the kind does not have would vanish here; record_parse is to refuse it.
 */
static bool keep_unknown(json_t *target, const struct kind_spec *spec, const json_t *patch) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)patch, key, value) {
        if (json_is_null(value) && record_field_index(spec, key) < 0 &&
            json_object_set(target, key, value) != 0)
            return false;
    }
    return true;
}

enum err record_merge_patch(const struct record *stored, const json_t *patch, json_t **ret_json,
                            struct problem *problem) {
    if (!json_is_object(patch)) {
        (void)problem_add_field(problem, "", FIELD_WRONG_TYPE,
                                "a merge patch must be a JSON object");
        return problem_set(problem, ERR_INVALID_RECORD, "a merge patch is a JSON object");
    }
    json_t *json = record_to_json(stored);
    if (json == NULL || !merge(json, patch) || !keep_unknown(json, stored->spec, patch)) {
        json_decref(json);
        return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
    }
    (void)json_object_del(json, "created_at");
    (void)json_object_del(json, "updated_at");
    *ret_json = json;
    return ERR_OK;
}
