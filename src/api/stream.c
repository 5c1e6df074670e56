/*
 * POST of many records, one JSON object a line, in constant memory: lines are checked as they come,
 * a window of records goes to the writer, and the request waits until it is committed.
 *
 * The result lists one entry per record up to RESULTS_MAX, beyond that the first RESULTS_MAX
 * refused ones; both lists are kept until it is known which one is asked for.
 */
#include "handlers.h"

#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_RECORDS = 500,
    WINDOW_BYTES = 1024 * 1024,
    LINE_MAX_BYTES = 64 * 1024,
    RESULTS_MAX = 1000,
    STREAMS_MAX = 64,
    INDEX_DIGITS = 20 /* room that an Idempotency-Key leaves for ":index" */
};

/* One line of the window. */
struct line {
    uint64_t number; /* from 1, empty lines included */
    uint64_t index;  /* from 0, records only */
    bool refused;    /* here already; its item was not sent to the writer */
    char id[4 * FIELD_ID_MAX + 1];
    struct problem problem; /* of a refused line */
};

struct stream {
    struct call *call;
    struct buf pending; /* the line being read */
    bool overlong;      /* its bytes are being skipped */
    uint64_t lines;     /* read so far */
    struct line window[WINDOW_RECORDS];
    size_t window_count;
    size_t window_bytes;
    struct write_item items[WINDOW_RECORDS]; /* of the window's good lines, in order */
    size_t item_count;
    struct write_job job;
    bool waiting; /* the window is the writer's */
    uint64_t received, created, unchanged, updated, rejected;
    struct buf results, refusals; /* JSON entries, separated by commas */
    uint64_t refusal_count;
    bool failed; /* the database is gone: read the rest, store nothing */
};

enum err stream_begin(struct call *call) {
    if (call->idempotency_key != NULL &&
        strlen(call->idempotency_key) > FIELD_ID_MAX - INDEX_DIGITS) {
        return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "Idempotency-Key",
                                     "For many records it has at most %d bytes: record i gets "
                                     "KEY:i as its id.",
                                     FIELD_ID_MAX - INDEX_DIGITS);
    }
    call->stream = calloc(1, sizeof *call->stream);
    if (call->stream == NULL) {
        return problem_set(&call->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    call->stream->call = call;
    if (atomic_fetch_add(&call->app->streams, 1) >= STREAMS_MAX) {
        return problem_set(&call->problem, ERR_QUEUE_FULL,
                           "At most %d streams of records are taken at a time; try again.",
                           STREAMS_MAX);
    }
    return ERR_OK;
}

static void clear_window(struct stream *stream) {
    for (size_t i = 0; i < stream->window_count; i++) {
        problem_clear(&stream->window[i].problem);
    }
    for (size_t i = 0; i < stream->item_count; i++) {
        record_clear(&stream->items[i].record);
        problem_clear(&stream->items[i].problem);
        stream->items[i].outcome = OUTCOME_NONE;
    }
    stream->window_count = 0;
    stream->window_bytes = 0;
    stream->item_count = 0;
}

void stream_free(struct stream *stream) {
    if (stream == NULL) {
        return;
    }
    atomic_fetch_sub(&stream->call->app->streams, 1);
    clear_window(stream);
    buf_free(&stream->pending);
    buf_free(&stream->results);
    buf_free(&stream->refusals);
    free(stream);
}

/* The server's trouble rather than the record's: ends the storing. */
static bool is_server_trouble(enum err code) { return problem_status(code) >= 500; }

static void write_result(struct buf *out, const struct line *line, const char *outcome,
                         const struct problem *problem) {
    if (out->length > 0) {
        buf_add_char(out, ',');
    }
    BUF_SCOPED entry = {0};
    json_begin_object(&entry);
    json_key(&entry, "index");
    json_put_int(&entry, (int64_t)line->index);
    json_key(&entry, "line");
    json_put_int(&entry, (int64_t)line->number);
    json_key(&entry, "id");
    json_put_text(&entry, line->id[0] != '\0' ? line->id : NULL);
    json_key(&entry, "outcome");
    json_put_text(&entry, outcome);
    if (problem != NULL) {
        json_key(&entry, "problem");
        problem_write(&entry, problem, NULL);
    }
    json_end_object(&entry);
    if (buf_ok(&entry)) {
        buf_add(out, entry.data, entry.length);
    } else {
        out->failed = true;
    }
}

static void count_outcome(struct stream *stream, const struct line *line, enum outcome outcome,
                          const struct problem *problem) {
    static const char *const names[] = {"none", "created", "unchanged", "updated", "rejected"};
    stream->created += outcome == OUTCOME_CREATED;
    stream->unchanged += outcome == OUTCOME_UNCHANGED;
    stream->updated += outcome == OUTCOME_UPDATED;
    stream->rejected += outcome == OUTCOME_REJECTED;
    const struct problem *shown = outcome == OUTCOME_REJECTED ? problem : NULL;
    if (line->index < RESULTS_MAX) {
        write_result(&stream->results, line, names[outcome], shown);
    }
    if (outcome == OUTCOME_REJECTED && stream->refusal_count < RESULTS_MAX) {
        write_result(&stream->refusals, line, names[outcome], shown);
        stream->refusal_count++;
    }
}

/* Takes the outcomes of a window over into counts and results. */
static void harvest(struct stream *stream) {
    size_t item = 0;
    for (size_t i = 0; i < stream->window_count && !stream->failed; i++) {
        const struct line *line = &stream->window[i];
        if (line->refused) {
            count_outcome(stream, line, OUTCOME_REJECTED, &line->problem);
            continue;
        }
        const struct write_item *stored = &stream->items[item++];
        if (stored->outcome == OUTCOME_REJECTED && is_server_trouble(stored->problem.code)) {
            stream->failed = true;
            problem_set(&stream->call->problem, stored->problem.code, "%s", stored->problem.detail);
            break;
        }
        count_outcome(stream, line, stored->outcome, &stored->problem);
    }
    clear_window(stream);
}

/* On the writer's thread. */
static void window_done(struct write_job *job) {
    struct stream *stream = job->context;
    http_resume(stream->call->request);
}

/* Sends the window to the writer. True: wait for it. */
static bool submit_window(struct stream *stream) {
    if (stream->failed || stream->item_count == 0) {
        harvest(stream);
        return false;
    }
    stream->job = (struct write_job){.workspace_id = stream->call->grant.workspace_id,
                                     .items = stream->items,
                                     .count = stream->item_count,
                                     .replace = stream->call->replace,
                                     .done = window_done,
                                     .context = stream};
    stream->waiting = true;
    if (writer_submit(stream->call->app->writer, &stream->job, &stream->call->problem) == ERR_OK) {
        return true;
    }
    stream->waiting = false;
    stream->failed = true;
    clear_window(stream);
    return false;
}

/* The id that a refused line shows, where it has a readable one. */
static void take_id(struct line *line, const json_t *json) {
    const json_t *id = json_object_get(json, "id");
    if (json_is_string(id) && json_string_length(id) < sizeof line->id &&
        record_id_is_valid(json_string_value(id), json_string_length(id))) {
        snprintf(line->id, sizeof line->id, "%s", json_string_value(id));
    }
}

/* Checks one line and puts it into the window, which has room. */
static void take_line(struct stream *stream, const char *text, size_t length) {
    struct call *call = stream->call;
    struct line *line = &stream->window[stream->window_count++];
    struct write_item *item = &stream->items[stream->item_count];
    stream->window_bytes += length;
    *line = (struct line){.number = stream->lines, .index = stream->received++};
    char default_id[FIELD_ID_MAX * 4 + 24];
    if (call->idempotency_key != NULL) {
        snprintf(default_id, sizeof default_id, "%s:%llu", call->idempotency_key,
                 (unsigned long long)line->index);
    }
    struct record_context context = {.source = RECORD_BULK,
                                     .now_us = timestamp_now(),
                                     .default_id =
                                         call->idempotency_key != NULL ? default_id : NULL};
    enum err err = ERR_OK;
    json_t *json = NULL;
    if (stream->overlong) {
        err = problem_set(&line->problem, ERR_TOO_LARGE, "A line may have at most %d bytes.",
                          LINE_MAX_BYTES);
    } else {
        err = record_json_parse(text, length, &json, &line->problem);
    }
    if (err == ERR_OK) {
        take_id(line, json);
        err = record_parse(call->kind, json, &context, &item->record, &line->problem);
    }
    json_decref(json);
    line->refused = err != ERR_OK;
    if (line->refused) {
        record_clear(&item->record);
        return;
    }
    snprintf(line->id, sizeof line->id, "%s", record_id(&item->record));
    stream->item_count++;
}

static bool is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r') {
            return false;
        }
    }
    return true;
}

/* The pending line is complete. */
static void end_line(struct stream *stream) {
    stream->lines++;
    if (stream->overlong || !is_blank(buf_text(&stream->pending), stream->pending.length)) {
        take_line(stream, buf_text(&stream->pending), stream->pending.length);
    }
    buf_reset(&stream->pending);
    stream->overlong = false;
}

static void add_to_line(struct stream *stream, const char *data, size_t length) {
    if (stream->overlong || stream->pending.length + length > LINE_MAX_BYTES) {
        stream->overlong = true;
        buf_reset(&stream->pending);
        return;
    }
    buf_add(&stream->pending, data, length);
    if (!buf_ok(&stream->pending)) {
        stream->failed = true;
        problem_set(&stream->call->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
}

enum http_next stream_data(struct call *call, const char *data, size_t length,
                           size_t *ret_consumed) {
    struct stream *stream = call->stream;
    if (stream->waiting) {
        stream->waiting = false;
        harvest(stream);
    }
    if (atomic_load(&call->app->stopping) && !stream->failed) {
        stream->failed = true; /* an endless stream would keep the service from ending */
        problem_set(&call->problem, ERR_SHUTTING_DOWN, "The service is shutting down; try again.");
    }
    size_t used = 0;
    while (used < length && !stream->failed) {
        const char *newline = memchr(data + used, '\n', length - used);
        size_t part = newline != NULL ? (size_t)(newline - (data + used)) : length - used;
        add_to_line(stream, data + used, part);
        used += part + (newline != NULL);
        if (newline == NULL) {
            continue;
        }
        end_line(stream);
        bool full = stream->window_count == WINDOW_RECORDS || stream->window_bytes >= WINDOW_BYTES;
        if (full && submit_window(stream)) {
            *ret_consumed = used;
            return HTTP_WAIT;
        }
    }
    *ret_consumed = length; /* after a failure the rest is read and dropped */
    return HTTP_CONTINUE;
}

static void write_counts(struct buf *out, const struct stream *stream) {
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {{"received", stream->received},
                  {"created", stream->created},
                  {"unchanged", stream->unchanged},
                  {"updated", stream->updated},
                  {"rejected", stream->rejected}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        json_key(out, counts[i].name);
        json_put_int(out, (int64_t)counts[i].count);
    }
}

/* The problem, with the counts of what is stored for certain. */
static enum http_next refuse_with_counts(struct call *call) {
    enum http_next next = call_refuse(call);
    struct buf *body = &call->request->reply.body;
    if (buf_ok(body) && body->length > 0) {
        body->length--; /* reopen the object */
        write_counts(body, call->stream);
        json_end_object(body);
    }
    return next;
}

enum http_next stream_end(struct call *call) {
    struct stream *stream = call->stream;
    if (stream->waiting) {
        stream->waiting = false;
        harvest(stream);
    }
    if ((stream->pending.length > 0 || stream->overlong) && !stream->failed) {
        end_line(stream); /* the last line may lack its newline */
    }
    if (!stream->failed && stream->window_count > 0 && submit_window(stream)) {
        return HTTP_WAIT;
    }
    if (stream->failed) {
        return refuse_with_counts(call);
    }
    bool all_refused = stream->received > 0 && stream->rejected == stream->received;
    unsigned status = stream->rejected == 0 ? 200 : all_refused ? 422 : 207;
    struct buf *body = call_reply_json(call, status);
    const struct buf *results =
        stream->received <= RESULTS_MAX ? &stream->results : &stream->refusals;
    json_begin_object(body);
    write_counts(body, stream);
    json_key(body, "results");
    buf_printf(body, "[%s]", buf_text(results));
    json_end_object(body);
    buf_add_char(body, '\n');
    body->failed = body->failed || !buf_ok(results);
    if (stream->rejected > 0) {
        char count[24];
        snprintf(count, sizeof count, "%llu", (unsigned long long)stream->rejected);
        http_reply_header(call->request, "Vinculo-Rejected", count);
    }
    call_finish_reply(call);
    return HTTP_REPLY;
}
