/* GET /v1/targets and GET, PUT, DELETE /v1/targets/{kpi}: what the key's workspace aims at. */
#include "handlers.h"

#include "members.h"
#include "vinculo/json.h"
#include "vinculo/target.h"
#include "vinculo/target_store.h"
#include "vinculo/timestamp.h"

#include <string.h>

/* As migrations/0008 checks it. */
#define LARGEST 1e15

static void put_target(struct buf *out, const struct kpi_spec *spec, const struct target *target) {
    char updated_at[TIMESTAMP_TEXT_MAX];
    timestamp_format(target->updated_us, updated_at);
    json_begin_object(out);
    json_key(out, "kpi");
    json_put_text(out, spec->name);
    json_key(out, "healthy");
    json_put_decimal(out, target->healthy);
    json_key(out, "warning");
    json_put_decimal(out, target->warning);
    json_key(out, "updated_at");
    json_put_text(out, updated_at);
    json_end_object(out);
}

static void run_list(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct target_set set;
    enum db_status status = target_store_list(db, call->grant.workspace_id, &set);
    if (status == DB_OK) {
        struct buf *body = call_reply_json(call, 200);
        json_begin_object(body);
        json_key(body, "items");
        json_begin_array(body);
        for (size_t i = 0; i < kpi_count; i++) {
            const struct target *target = target_of(&set, &kpi_catalogue[i]);
            if (target != NULL) {
                put_target(body, &kpi_catalogue[i], target);
            }
        }
        json_end_array(body);
        json_end_object(body);
        buf_add_char(body, '\n');
    }
    call_conclude(call, db_problem(db, status, &call->problem));
}

enum http_next handle_targets(struct call *call) { return call_run_on_worker(call, run_list); }

static const struct kpi_spec *spec_of(const struct call *call) {
    return kpi_find(call->name, strlen(call->name));
}

static enum err none(struct call *call) {
    return problem_set(&call->problem, ERR_NOT_FOUND,
                       "There is no target for this KPI; PUT {\"healthy\": …, \"warning\": …} sets "
                       "one.");
}

static void run_get(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct target_set set;
    enum db_status status = target_store_list(db, call->grant.workspace_id, &set);
    enum err err = db_problem(db, status, &call->problem);
    if (err == ERR_OK) {
        const struct target *target = target_of(&set, spec_of(call));
        err = target == NULL ? none(call) : ERR_OK;
        if (target != NULL) {
            put_target(call_reply_json(call, 200), spec_of(call), target);
            buf_add_char(&call->request->reply.body, '\n');
        }
    }
    call_conclude(call, err);
}

static void take_number(const json_t *json, const char *pointer, double *ret_number,
                        struct problem *problem) {
    const json_t *member = json_object_get(json, pointer + 1);
    if (member == NULL || json_is_null(member)) {
        problem_add_field(problem, pointer, FIELD_REQUIRED, "must be a number in the KPI's unit");
    } else {
        members_number(member, pointer, -LARGEST, LARGEST, ret_number, problem);
    }
}

/* The name may be repeated in the body, so that what was read can be sent again. */
static void check_name(const json_t *json, const struct kpi_spec *spec, struct problem *problem) {
    const json_t *member = json_object_get(json, "kpi");
    if (member == NULL || json_is_null(member)) {
        return;
    }
    const char *name = members_text(member, "/kpi", problem);
    if (name != NULL && strcmp(name, spec->name) != 0) {
        problem_add_field(problem, "/kpi", FIELD_ID_MISMATCH, "must be %s, as in the path",
                          spec->name);
    }
}

static enum err take_target(const json_t *json, const struct kpi_spec *spec,
                            struct target *ret_target, struct problem *problem) {
    static const char *const names[] = {"kpi", "healthy", "warning", "updated_at", NULL};
    struct target target = {0};
    if (!target_is_possible(spec)) {
        problem_add_field(problem, "", FIELD_NOT_ALLOWED_HERE,
                          "%s has no direction: neither more nor less of it is better, so there is "
                          "no target for it",
                          spec->name);
    } else if (members_check(json, "", names, problem)) {
        check_name(json, spec, problem);
        take_number(json, "/healthy", &target.healthy, problem);
        take_number(json, "/warning", &target.warning, problem);
    }
    if (problem->error_count == 0 && !target_is_ordered(spec, &target)) {
        problem_add_field(problem, "/warning", FIELD_OUT_OF_RANGE,
                          "must be %s healthy: of %s, %s is better",
                          spec->higher_is_better ? "at most" : "at least", spec->name,
                          spec->higher_is_better ? "more" : "less");
    }
    *ret_target = target;
    return problem->error_count > 0 ? ERR_INVALID_RECORD : ERR_OK;
}

static void run_put(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct target target;
    bool created = false;
    json_t *json = NULL;
    enum err err = record_json_parse(buf_text(&call->request->body), call->request->body.length,
                                     &json, &call->problem);
    if (err == ERR_OK) {
        err = take_target(json, spec_of(call), &target, &call->problem);
    }
    if (err == ERR_OK) {
        enum db_status status =
            target_store_put(db, call->grant.workspace_id, spec_of(call), &target, &created);
        err = db_problem(db, status, &call->problem);
    }
    if (err == ERR_OK) {
        put_target(call_reply_json(call, created ? 201 : 200), spec_of(call), &target);
        buf_add_char(&call->request->reply.body, '\n');
    }
    json_decref(json);
    call_conclude(call, err);
}

static void run_delete(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    enum db_status status = target_store_delete(db, call->grant.workspace_id, spec_of(call));
    enum err err = status == DB_STOP ? none(call) : db_problem(db, status, &call->problem);
    if (err == ERR_OK) {
        http_reply_set(call->request, 204, NULL);
    }
    call_conclude(call, err);
}

static enum http_next run_for_kpi(struct call *call,
                                  void (*run)(struct work *work, struct db *db)) {
    if (spec_of(call) == NULL) {
        kpi_refuse_unknown(call, ERR_NOT_FOUND);
        return call_refuse(call);
    }
    return call_run_on_worker(call, run);
}

enum http_next handle_target_get(struct call *call) { return run_for_kpi(call, run_get); }
enum http_next handle_target_put(struct call *call) { return run_for_kpi(call, run_put); }
enum http_next handle_target_delete(struct call *call) { return run_for_kpi(call, run_delete); }
