/* Checking the settings of a workspace against their table, form by form. */
#include "workspace_settings.h"

#include "members.h"
#include "vinculo/record.h"
#include "vinculo/workspace_store.h"

#include <stdio.h>
#include <string.h>

enum { POINTER_MAX = 96 };

static bool is_share(const json_t *json, const char *pointer, struct problem *problem) {
    double share;
    if (!members_number(json, pointer, 0, 1, &share, problem)) {
        return false;
    }
    if (share <= 0) {
        problem_add_field(problem, pointer, FIELD_OUT_OF_RANGE,
                          "must be a number above 0 and at most 1, such as 0.8");
        return false;
    }
    return true;
}

static bool is_repeated(const json_t *labels, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (json_equal(json_array_get(labels, i), json_array_get(labels, index))) {
            return true;
        }
    }
    return false;
}

static bool are_labels(const json_t *json, const char *pointer, int max, struct problem *problem) {
    size_t before = problem->error_count;
    size_t count = json_array_size(json);
    if (!json_is_array(json)) {
        problem_add_field(problem, pointer, FIELD_WRONG_TYPE,
                          "must be an array of labels, or null for all");
    } else if (count == 0) {
        problem_add_field(problem, pointer, FIELD_OUT_OF_RANGE,
                          "must have at least one label; null stands for all");
    } else if (count > (size_t)max) {
        problem_add_field(problem, pointer, FIELD_TOO_LONG, "must have at most %d labels", max);
    }
    for (size_t i = 0; problem->error_count == before && i < count; i++) {
        char place[2 * POINTER_MAX];
        snprintf(place, sizeof place, "%s/%zu", pointer, i);
        const char *label = members_text(json_array_get(json, i), place, problem);
        if (label != NULL && !record_label_is_valid(label, strlen(label))) {
            problem_add_field(problem, place, FIELD_OUT_OF_RANGE,
                              "must be a label of 1 to 64 characters");
        } else if (label != NULL && is_repeated(json, i)) {
            problem_add_field(problem, place, FIELD_OUT_OF_RANGE, "is there already");
        }
    }
    return problem->error_count == before;
}

static bool are_weights(const json_t *json, const char *pointer, struct problem *problem) {
    size_t before = problem->error_count;
    double sum = 0;
    if (!members_check(json, pointer, workspace_weights, problem)) {
        return false;
    }
    for (size_t i = 0; workspace_weights[i] != NULL; i++) {
        char place[2 * POINTER_MAX];
        snprintf(place, sizeof place, "%s/%s", pointer, workspace_weights[i]);
        const json_t *member = json_object_get(json, workspace_weights[i]);
        double weight = 0;
        if (member == NULL || json_is_null(member)) {
            problem_add_field(problem, place, FIELD_REQUIRED,
                              "weights are sent together: a number from 0 to 1");
        } else if (members_number(member, place, 0, 1, &weight, problem)) {
            sum += weight;
        }
    }
    if (problem->error_count == before && sum <= 0) {
        problem_add_field(problem, pointer, FIELD_OUT_OF_RANGE,
                          "must have at least one weight above 0");
    }
    return problem->error_count == before;
}

static bool is_good(const struct workspace_setting_spec *spec, const json_t *json,
                    struct problem *problem) {
    char pointer[POINTER_MAX];
    int number;
    snprintf(pointer, sizeof pointer, "/settings/%s", spec->name);
    switch (spec->form) {
    case VALUE_INTEGER:
        return members_integer(json, pointer, spec->min, spec->max, &number, problem);
    case VALUE_SHARE:
        return is_share(json, pointer, problem);
    case VALUE_LABELS:
        return are_labels(json, pointer, spec->max, problem);
    case VALUE_WEIGHTS:
        return are_weights(json, pointer, problem);
    }
    return false;
}

json_t *workspace_settings_take(const json_t *settings, struct problem *problem) {
    const char *names[WORKSPACE_SETTING_COUNT + 1] = {NULL};
    for (size_t i = 0; i < WORKSPACE_SETTING_COUNT; i++) {
        names[i] = workspace_settings[i].name;
    }
    bool removed = json_is_null(settings);
    if (settings == NULL || (!removed && !members_check(settings, "/settings", names, problem))) {
        return NULL;
    }
    json_t *taken = json_object();
    bool complete = taken != NULL;
    for (size_t i = 0; i < WORKSPACE_SETTING_COUNT; i++) {
        const struct workspace_setting_spec *spec = &workspace_settings[i];
        json_t *json = json_object_get(settings, spec->name);
        if (removed || json_is_null(json)) {
            json_t *fallback = json_loads(spec->fallback, JSON_DECODE_ANY, NULL);
            complete = complete && json_object_set_new(taken, spec->name, fallback) == 0;
        } else if (json != NULL && is_good(spec, json, problem)) {
            complete = complete && json_object_set(taken, spec->name, json) == 0;
        }
    }
    if (!complete) { /* whatever was taken is dropped, lest half a change be made */
        json_decref(taken);
        problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
        return NULL;
    }
    return taken;
}
