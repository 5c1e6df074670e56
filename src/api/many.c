/*
 * The window of a POST of many, its counts and its results.
 *
 * The results list one entry per record up to MANY_ITEMS_MAX, beyond that the first MANY_ITEMS_MAX
 * refused ones; both lists are kept until it is known which one is asked for. An atomic request
 * has one window for all.
 */
#include "many.h"

#include "item.h"
#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_RECORDS = 500,
    WINDOW_BYTES = 1024 * 1024,
    ATOMIC_BYTES = 32 * 1024 * 1024,
    RESULTS_BYTES = 4 * 1024 * 1024, /* of results, beyond which field errors are left out */
    JSON_VALUE_BYTES = 64,           /* what a parsed value takes, roughly, */
    JSON_OBJECT_BYTES = 256,         /* an object, which has a table of its own, */
    FIELD_ERROR_BYTES = 96           /* and a field error besides its texts */
};

/* One record of the window. */
struct line {
    uint64_t number; /* in the text, from 1; 0: none */
    uint64_t index;  /* from 0 */
    bool refused;    /* here already; it has no item */
    char *id;        /* of a refused one, where it has a readable one; owned */
    struct problem problem;
};

struct many {
    struct call *call;
    size_t window_max;
    struct line *window; /* window_max of them */
    size_t window_count;
    size_t window_bytes;      /* that the lines take, roughly */
    struct write_item *items; /* of the window's good lines, in order */
    size_t item_count;
    struct write_job job;
    uint64_t received, created, unchanged, updated, rejected, not_stored;
    struct buf results, refusals; /* JSON entries, separated by commas */
    uint64_t refusal_count;
    bool failed;
};

struct many *many_new(struct call *call) {
    struct many *many = calloc(1, sizeof *many);
    if (many == NULL) {
        return NULL;
    }
    many->call = call;
    many->window_max = call->atomic ? MANY_ITEMS_MAX : WINDOW_RECORDS;
    many->window = calloc(many->window_max, sizeof *many->window);
    many->items = calloc(many->window_max, sizeof *many->items);
    if (many->window == NULL || many->items == NULL) {
        many_free(many);
        return NULL;
    }
    return many;
}

static void clear_window(struct many *many) {
    for (size_t i = 0; i < many->window_count; i++) {
        free(many->window[i].id);
        problem_clear(&many->window[i].problem);
    }
    for (size_t i = 0; i < many->item_count; i++) {
        write_item_clear(&many->items[i]);
    }
    many->window_count = 0;
    many->window_bytes = 0;
    many->item_count = 0;
}

void many_free(struct many *many) {
    if (many == NULL) {
        return;
    }
    clear_window(many);
    free(many->window);
    free(many->items);
    buf_free(&many->results);
    buf_free(&many->refusals);
    free(many);
}

bool many_has_failed(const struct many *many) { return many->failed; }

void many_fail(struct many *many) {
    assert(many->call->problem.code != ERR_OK);
    many->failed = true;
    clear_window(many);
}

bool many_is_full(const struct many *many) {
    return !many->call->atomic &&
           (many->window_count == many->window_max || many->window_bytes >= WINDOW_BYTES);
}

/* The server's trouble rather than the record's: ends the storing. */
static bool is_server_trouble(enum err code) { return problem_status(code) >= 500; }

/* The problem as it is shown: a few bytes can hold many field errors, and many times over where
 * they are compressed. */
static void write_problem(struct buf *out, const struct problem *problem, bool with_errors) {
    if (with_errors || problem->error_count == 0) {
        problem_write(out, problem, NULL);
        return;
    }
    struct problem brief = {0};
    problem_set(&brief, problem->code,
                "Its %zu field errors are left out, for those of the records before it make the "
                "answer long enough; send it again to see them.",
                problem->error_count);
    problem_write(out, &brief, NULL);
}

static void write_result(struct buf *out, const struct line *line, const char *id,
                         enum outcome outcome, const struct problem *problem) {
    bool with_errors = out->length < RESULTS_BYTES;
    if (out->length > 0) {
        buf_add_char(out, ',');
    }
    BUF_SCOPED entry = {0};
    json_begin_object(&entry);
    json_key(&entry, "index");
    json_put_int(&entry, (int64_t)line->index);
    json_key(&entry, "line");
    if (line->number > 0) {
        json_put_int(&entry, (int64_t)line->number);
    } else {
        json_put_null(&entry);
    }
    json_key(&entry, "id");
    json_put_text(&entry, id);
    json_key(&entry, "outcome");
    json_put_text(&entry, outcome_name(outcome));
    if (problem != NULL) {
        json_key(&entry, "problem");
        write_problem(&entry, problem, with_errors);
    }
    json_end_object(&entry);
    if (buf_ok(&entry)) {
        buf_add(out, entry.data, entry.length);
    } else {
        out->failed = true;
    }
}

static void count_outcome(struct many *many, const struct line *line, const char *id,
                          enum outcome outcome, const struct problem *problem) {
    many->created += outcome == OUTCOME_CREATED;
    many->unchanged += outcome == OUTCOME_UNCHANGED;
    many->updated += outcome == OUTCOME_UPDATED;
    many->rejected += outcome == OUTCOME_REJECTED;
    many->not_stored += outcome == OUTCOME_NOT_STORED;
    const struct problem *shown = outcome == OUTCOME_REJECTED ? problem : NULL;
    if (line->index < MANY_ITEMS_MAX) {
        write_result(&many->results, line, id, outcome, shown);
    }
    if (outcome == OUTCOME_REJECTED && many->refusal_count < MANY_ITEMS_MAX) {
        write_result(&many->refusals, line, id, outcome, shown);
        many->refusal_count++;
    }
}

/* An item that the server could not store, for certain or for all that is known, is not counted. */
static void count_item(struct many *many, const struct line *line, const struct write_item *item) {
    if (item->outcome != OUTCOME_REJECTED || !is_server_trouble(item->problem.code)) {
        count_outcome(many, line, record_id(&item->record), item->outcome, &item->problem);
        return;
    }
    if (!many->failed) {
        many->failed = true;
        problem_set(&many->call->problem, item->problem.code, "%s", item->problem.detail);
    }
}

void many_collect(struct many *many) {
    size_t item = 0;
    for (size_t i = 0; i < many->window_count; i++) {
        const struct line *line = &many->window[i];
        if (line->refused) {
            count_outcome(many, line, line->id, OUTCOME_REJECTED, &line->problem);
        } else {
            count_item(many, line, &many->items[item++]);
        }
    }
    clear_window(many);
}

/* On the writer's thread. */
static void window_done(struct write_job *job) {
    struct many *many = job->context;
    http_resume(many->call->request);
}

/* Of an atomic request with refused records the others are not tried. */
static void hold_back(struct many *many) {
    for (size_t i = 0; i < many->item_count; i++) {
        many->items[i].outcome = OUTCOME_NOT_STORED;
    }
}

bool many_send(struct many *many) {
    struct call *call = many->call;
    bool held_back = call->atomic && many->item_count < many->window_count;
    if (held_back) {
        hold_back(many);
    }
    if (many->failed || many->item_count == 0 || held_back) {
        many_collect(many);
        return false;
    }
    many->job = (struct write_job){.workspace_id = call->grant.workspace_id,
                                   .items = many->items,
                                   .count = many->item_count,
                                   .atomic = call->atomic,
                                   .on_conflict = call->on_conflict,
                                   .check = {.source = RECORD_BULK,
                                             .now_us = timestamp_now(),
                                             .currency = call->grant.currency},
                                   .done = window_done,
                                   .context = many};
    if (writer_submit(call->app->writer, &many->job, &call->problem) != ERR_OK) {
        many_fail(many);
        return false;
    }
    return true;
}

/* What a parsed value takes in memory, roughly. */
static size_t weigh(const json_t *value) {
    size_t bytes =
        json_is_object(value) ? JSON_OBJECT_BYTES : JSON_VALUE_BYTES + json_string_length(value);
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        bytes += strlen(key) + weigh(member);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        bytes += weigh(json_array_get(value, i));
    }
    return bytes;
}

static size_t weigh_problem(const struct problem *problem) {
    size_t bytes = 0;
    for (size_t i = 0; i < problem->error_count; i++) {
        const struct problem_error *error = &problem->errors[i];
        bytes += FIELD_ERROR_BYTES + strlen(error->at) + strlen(error->detail);
    }
    return bytes;
}

/* Takes the JSON over into the next item. */
static enum err take_item(struct many *many, const struct line *line, json_t *json,
                          struct problem *problem) {
    struct call *call = many->call;
    char default_id[FIELD_ID_MAX * 4 + 24];
    struct record_context context = {
        .source = RECORD_BULK, .now_us = timestamp_now(), .currency = call->grant.currency};
    if (call->idempotency_key != NULL) {
        snprintf(default_id, sizeof default_id, "%s:%llu", call->idempotency_key,
                 (unsigned long long)line->index);
        context.default_id = default_id;
    }
    enum err err = item_check(call, json, &context, &many->items[many->item_count], problem);
    if (err == ERR_OK) {
        const struct write_item *item = &many->items[many->item_count++];
        for (size_t i = 0; i < item->record.spec->field_count; i++) {
            many->window_bytes += item->record.values[i].length;
        }
        many->window_bytes += item->patch != NULL ? weigh(item->patch) : 0;
    }
    return err;
}

void many_take(struct many *many, json_t *json, uint64_t number, struct problem *problem) {
    struct call *call = many->call;
    uint64_t index = many->received++;
    if (many->window_count == many->window_max) {
        assert(call->atomic);
        problem_clear(problem);
        problem_set(&call->problem, ERR_TOO_LARGE,
                    "With atomic=true at most %d records can be sent at a time.", MANY_ITEMS_MAX);
        many_fail(many);
        return;
    }
    if (call->atomic && many->window_bytes > ATOMIC_BYTES) {
        problem_clear(problem);
        problem_set(&call->problem, ERR_TOO_LARGE,
                    "With atomic=true at most %d MiB of records can be sent at a time.",
                    ATOMIC_BYTES / 1024 / 1024);
        many_fail(many);
        return;
    }
    struct line *line = &many->window[many->window_count++];
    *line = (struct line){.number = number, .index = index};
    if (json == NULL) {
        line->refused = true;
        line->problem = *problem;
        *problem = (struct problem){0};
        return;
    }
    line->refused = take_item(many, line, json, &line->problem) != ERR_OK;
    many->window_bytes += weigh_problem(&line->problem);
    const char *id = line->refused ? item_named_id(json) : NULL;
    line->id = id != NULL ? strdup(id) : NULL;
}

static void write_counts(struct buf *out, const struct many *many) {
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {{"received", many->received},   {"created", many->created},
                  {"unchanged", many->unchanged}, {"updated", many->updated},
                  {"rejected", many->rejected},   {"not_stored", many->not_stored}};
    size_t shown = sizeof counts / sizeof counts[0] - (many->call->atomic ? 0 : 1);
    for (size_t i = 0; i < shown; i++) {
        json_key(out, counts[i].name);
        json_put_int(out, (int64_t)counts[i].count);
    }
}

/* The problem, with the counts of what is stored for certain. */
static enum http_next refuse_with_counts(struct many *many) {
    struct call *call = many->call;
    enum http_next next = call_refuse(call);
    struct buf *body = &call->request->reply.body;
    if (buf_ok(body) && body->length > 0 && many->received > 0) {
        body->length--; /* reopen the object */
        write_counts(body, many);
        json_end_object(body);
    }
    return next;
}

enum http_next many_reply(struct many *many) {
    struct call *call = many->call;
    if (many->failed) {
        return refuse_with_counts(many);
    }
    bool nothing = many->rejected > 0 && many->rejected + many->not_stored == many->received;
    struct buf *body = call_reply_json(call, many->rejected == 0 ? 200 : nothing ? 422 : 207);
    const struct buf *results = many->received <= MANY_ITEMS_MAX ? &many->results : &many->refusals;
    json_begin_object(body);
    write_counts(body, many);
    json_key(body, "results");
    buf_printf(body, "[%s]", buf_text(results));
    json_end_object(body);
    buf_add_char(body, '\n');
    body->failed = body->failed || !buf_ok(results);
    if (many->rejected > 0) {
        char count[24];
        snprintf(count, sizeof count, "%llu", (unsigned long long)many->rejected);
        http_reply_header(call->request, "Vinculo-Rejected", count);
    }
    call_finish_reply(call);
    return HTTP_REPLY;
}
