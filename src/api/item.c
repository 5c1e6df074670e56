/* Checking what was sent, whole or to be merged. */
#include "item.h"

const char *item_named_id(const json_t *json) {
    const json_t *id = json_object_get(json, "id");
    if (!json_is_string(id) || !record_id_is_valid(json_string_value(id), json_string_length(id))) {
        return NULL;
    }
    return json_string_value(id);
}

/* A record of nothing but its id: by that the writer finds what to merge into. */
static enum err make_partial(const struct kind_spec *spec, const char *id,
                             struct record *ret_record) {
    const char *columns[RECORD_FIELDS_MAX + 2] = {id};
    return record_from_row(spec, columns, ret_record);
}

static const char *id_to_merge_by(const json_t *json, const struct record_context *context) {
    const json_t *id = json_object_get(json, "id");
    if (id != NULL && !json_is_null(id)) {
        return item_named_id(json);
    }
    return json_is_object(json) ? context->default_id : NULL;
}

enum err item_check(const struct call *call, json_t *json, const struct record_context *context,
                    struct write_item *ret_item, struct problem *problem) {
    enum err err = record_parse(call->kind, json, context, &ret_item->record, problem);
    if (call->on_conflict != ON_CONFLICT_MERGE) {
        return err;
    }
    const char *id = id_to_merge_by(json, context);
    if (err == ERR_INVALID_RECORD && id != NULL) {
        problem_clear(problem);
        err = make_partial(call->kind, id, &ret_item->record);
        if (err != ERR_OK) {
            return problem_set(problem, err, "Out of memory; try again.");
        }
        ret_item->partial = true;
    }
    if (err == ERR_OK) {
        ret_item->patch = json_incref(json);
        ret_item->checked_us = context->now_us;
    }
    return err;
}
