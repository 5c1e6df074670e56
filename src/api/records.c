/* One record: POST through the writer; GET, PUT, PATCH, DELETE on a worker. */
#include "handlers.h"

#include "item.h"
#include "routes.h"
#include "vinculo/json.h"
#include "vinculo/record_store.h"
#include "vinculo/timestamp.h"

#include <string.h>

static void reply_record(struct call *call, unsigned status, const struct record *record) {
    struct buf *body = call_reply_json(call, status);
    record_write_json(body, record);
    buf_add_char(body, '\n');
    if (status == 201) {
        BUF_SCOPED location = {0};
        buf_printf(&location, "/v1/%s/", record->spec->collection);
        percent_encode(&location, record_id(record));
        http_reply_header(call->request, "Location", buf_text(&location));
    }
}

/* Parses the body as one record of the call's kind. */
static enum err parse_body(struct call *call, const struct record_context *context) {
    json_t *json = NULL;
    enum err err = record_json_parse(buf_text(&call->request->body), call->request->body.length,
                                     &json, &call->problem);
    if (err == ERR_OK) {
        err = item_check(call, json, context, &call->item, &call->problem);
    }
    json_decref(json);
    return err;
}

/* On the writer's thread, once the outcome is known. */
static void post_done(struct write_job *job) {
    struct call *call = job->context;
    http_resume(call->request);
}

static enum http_next answer_post(struct call *call) {
    if (call->item.outcome == OUTCOME_REJECTED) {
        problem_clear(&call->problem);
        call->problem = call->item.problem;
        call->item.problem = (struct problem){0};
        return call_refuse(call);
    }
    const struct record *shown = call->stored.spec != NULL ? &call->stored : &call->item.record;
    reply_record(call, call->item.outcome == OUTCOME_CREATED ? 201 : 200, shown);
    call_finish_reply(call);
    return HTTP_REPLY;
}

enum http_next handle_record_post(struct call *call) {
    if (stream_is_array(call)) {
        return stream_array(call);
    }
    struct record_context context = {
        .source = call->grant.scope == SCOPE_PUBLISHABLE ? RECORD_PUBLISHABLE : RECORD_POST_ONE,
        .now_us = timestamp_now(),
        .currency = call->grant.currency,
        .default_id = call->idempotency_key};
    if (parse_body(call, &context) != ERR_OK) {
        return call_refuse(call);
    }
    call->job = (struct write_job){.workspace_id = call->grant.workspace_id,
                                   .items = &call->item,
                                   .count = 1,
                                   .single = true,
                                   .on_conflict = call->on_conflict,
                                   .check = context,
                                   .ret_stored = &call->stored,
                                   .done = post_done,
                                   .context = call};
    call->answer = answer_post;
    if (writer_submit(call->app->writer, &call->job, &call->problem) != ERR_OK) {
        return call_refuse(call);
    }
    return HTTP_WAIT;
}

static void run_get(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    enum err err = record_store_read(db, call->kind, call->grant.workspace_id, call->name,
                                     &call->item.record, &call->problem);
    if (err == ERR_OK) {
        reply_record(call, 200, &call->item.record);
    }
    call_conclude(call, err);
}

enum http_next handle_record_get(struct call *call) { return call_run_on_worker(call, run_get); }

static void run_put(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    enum outcome outcome;
    enum err err = record_store_put(db, call->grant.workspace_id, &call->item.record, &outcome,
                                    &call->problem);
    if (err == ERR_OK) {
        reply_record(call, outcome == OUTCOME_CREATED ? 201 : 200, &call->item.record);
    }
    call_conclude(call, err);
}

enum http_next handle_record_put(struct call *call) {
    struct record_context context = {.source = RECORD_PUT,
                                     .now_us = timestamp_now(),
                                     .currency = call->grant.currency,
                                     .default_id = call->name,
                                     .id_must_equal = true};
    if (parse_body(call, &context) != ERR_OK) {
        return call_refuse(call);
    }
    return call_run_on_worker(call, run_put);
}

static void run_patch(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct record_context context = {.source = RECORD_PATCH,
                                     .now_us = timestamp_now(),
                                     .currency = call->grant.currency,
                                     .default_id = call->name,
                                     .id_must_equal = true};
    json_t *patch = NULL;
    enum err err = record_json_parse(buf_text(&call->request->body), call->request->body.length,
                                     &patch, &call->problem);
    if (err == ERR_OK) {
        err = record_store_patch(db, call->kind, call->grant.workspace_id, call->name, patch,
                                 &context, &call->item.record, &call->problem);
    }
    json_decref(patch);
    if (err == ERR_OK) {
        reply_record(call, 200, &call->item.record);
    }
    call_conclude(call, err);
}

enum http_next handle_record_patch(struct call *call) {
    return call_run_on_worker(call, run_patch);
}

static void run_delete(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    enum err err =
        record_store_delete(db, call->kind, call->grant.workspace_id, call->name, &call->problem);
    if (err == ERR_OK) {
        http_reply_set(call->request, 204, NULL);
    }
    call_conclude(call, err);
}

enum http_next handle_record_delete(struct call *call) {
    return call_run_on_worker(call, run_delete);
}
