/*
 * A body of many records as it comes: decompressed where it is, cut into records by the source of
 * its form, and made to wait while a window is stored.
 */
#include "gunzip.h"
#include "handlers.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

enum {
    STREAMS_MAX = 64,
    /* Text that one turn may work through before other connections of the loop have theirs: a
     * compressed part can hold a thousand times its size. */
    TURN_BYTES = 256 * 1024,
    INDEX_DIGITS = 20 /* room that an Idempotency-Key leaves for ":index" */
};

struct stream {
    struct call *call;
    struct many *many;
    struct source *source;
    struct gunzip *gunzip; /* NULL: not compressed */
    bool waiting;          /* the window is the writer's */
    bool began_to_end;     /* the body is complete, and not a single object */
    bool ended;            /* the source has given its last record */
};

enum err stream_claim(struct call *call) {
    if (call->claimed_stream) {
        return ERR_OK;
    }
    if (atomic_fetch_add(&call->app->streams, 1) >= STREAMS_MAX) {
        atomic_fetch_sub(&call->app->streams, 1);
        return problem_set(&call->problem, ERR_QUEUE_FULL,
                           "At most %d streams of records are taken at a time; try again.",
                           STREAMS_MAX);
    }
    call->claimed_stream = true;
    return ERR_OK;
}

void stream_free(struct call *call) {
    struct stream *stream = call->stream;
    if (call->claimed_stream) {
        atomic_fetch_sub(&call->app->streams, 1);
        call->claimed_stream = false;
    }
    if (stream == NULL) {
        return;
    }
    if (stream->source != NULL) {
        stream->source->free(stream->source);
    }
    gunzip_free(stream->gunzip);
    many_free(stream->many);
    free(stream);
    call->stream = NULL;
}

static struct source *new_source(struct call *call, struct many *many) {
    switch (call->form) {
    case FORM_NDJSON:
        return source_ndjson_new(call, many);
    case FORM_CSV:
        return source_csv_new(call, many);
    case FORM_JSON:
        break;
    }
    return source_array_new(call, many);
}

enum err stream_begin(struct call *call) {
    /* An array claims its place only when it is longer than a single object. */
    if (call->form != FORM_JSON && stream_claim(call) != ERR_OK) {
        return call->problem.code;
    }
    if (call->form != FORM_JSON && call->idempotency_key != NULL &&
        strlen(call->idempotency_key) > FIELD_ID_MAX - INDEX_DIGITS) {
        return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "Idempotency-Key",
                                     "For many records it has at most %d bytes: record i gets "
                                     "KEY:i as its id.",
                                     FIELD_ID_MAX - INDEX_DIGITS);
    }
    struct stream *stream = call->stream = calloc(1, sizeof *stream);
    if (stream != NULL) {
        stream->call = call;
        stream->many = many_new(call);
    }
    if (stream != NULL && stream->many != NULL) {
        stream->source = new_source(call, stream->many);
        stream->gunzip = call->gzip ? gunzip_new() : NULL;
    }
    if (stream == NULL || stream->source == NULL || (call->gzip && stream->gunzip == NULL)) {
        return problem_set(&call->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    return ERR_OK;
}

static void fail_damaged(struct stream *stream, const char *what) {
    struct call *call = stream->call;
    problem_set(&call->problem, call->form == FORM_CSV ? ERR_MALFORMED_CSV : ERR_MALFORMED_JSON,
                "The gzip data %s. What was stored before is counted here; sending all again is "
                "safe where the records have ids.",
                what);
    many_fail(stream->many);
}

/* The next text for the source: of the part at hand, or what is decompressed from it. */
static const char *next_text(struct stream *stream, const char *data, size_t length,
                             size_t *ret_used, size_t *ret_length) {
    *ret_used = 0;
    *ret_length = length;
    if (stream->gunzip == NULL) {
        return data;
    }
    (void)gunzip_text(stream->gunzip, ret_length);
    if (*ret_length == 0 && !gunzip_fill(stream->gunzip, data, length, ret_used)) {
        fail_damaged(stream, "are damaged");
    }
    return gunzip_text(stream->gunzip, ret_length);
}

/* The source has taken so much of that text. */
static size_t drop_text(struct stream *stream, size_t taken) {
    if (stream->gunzip == NULL) {
        return taken;
    }
    gunzip_drop(stream->gunzip, taken);
    return 0;
}

static void collect(struct stream *stream) {
    if (stream->waiting) {
        stream->waiting = false;
        many_collect(stream->many);
    }
}

enum http_next stream_data(struct call *call, const char *data, size_t length,
                           size_t *ret_consumed) {
    struct stream *stream = call->stream;
    size_t worked = 0;
    *ret_consumed = 0;
    collect(stream);
    if (atomic_load(&call->app->stopping) && !many_has_failed(stream->many)) {
        /* An endless stream would keep the service from ending. */
        problem_set(&call->problem, ERR_SHUTTING_DOWN, "The service is shutting down; try again.");
        many_fail(stream->many);
    }
    while (!many_has_failed(stream->many)) {
        size_t used, available;
        const char *text =
            next_text(stream, data + *ret_consumed, length - *ret_consumed, &used, &available);
        *ret_consumed += used;
        if (many_has_failed(stream->many) || available == 0) {
            break;
        }
        size_t taken = stream->source->feed(stream->source, text, available);
        *ret_consumed += drop_text(stream, taken);
        worked += taken;
        if (many_is_full(stream->many) && many_send(stream->many)) {
            stream->waiting = true;
            return HTTP_WAIT;
        }
        if (worked >= TURN_BYTES) {
            http_resume(call->request);
            return HTTP_WAIT;
        }
    }
    *ret_consumed = length; /* after a failure the rest is read and dropped */
    return HTTP_CONTINUE;
}

/* A single object that came as a stream, for its length was not known: as if collected. */
static enum http_next end_single(struct call *call) {
    struct buf *text = source_array_text(call->stream->source);
    call->request->body = *text;
    *text = (struct buf){0};
    return handle_record_post(call);
}

static bool is_single(const struct stream *stream) {
    const struct buf *text =
        stream->call->form == FORM_JSON ? source_array_text(stream->source) : NULL;
    return text != NULL && !many_has_failed(stream->many) &&
           !source_json_is_array(buf_text(text), text->length);
}

enum http_next stream_end(struct call *call) {
    struct stream *stream = call->stream;
    collect(stream);
    if (stream->gunzip != NULL && !gunzip_is_complete(stream->gunzip) &&
        !many_has_failed(stream->many)) {
        fail_damaged(stream, "end too early");
    }
    if (!stream->began_to_end && is_single(stream)) {
        return end_single(call);
    }
    stream->began_to_end = true;
    while (!many_has_failed(stream->many)) {
        stream->ended = stream->ended || stream->source->end(stream->source);
        if (many_has_failed(stream->many)) {
            break;
        }
        if (many_send(stream->many)) {
            stream->waiting = true;
            return HTTP_WAIT;
        }
        if (stream->ended) {
            break;
        }
    }
    return many_reply(stream->many);
}

bool stream_is_array(const struct call *call) {
    const struct buf *body = &call->request->body;
    return source_json_is_array(buf_text(body), body->length);
}

enum http_next stream_array(struct call *call) {
    if (call->grant.scope == SCOPE_PUBLISHABLE) {
        problem_set(&call->problem, ERR_FORBIDDEN_SCOPE,
                    "A publishable key may post one survey at a time.");
        return call_refuse(call);
    }
    if (stream_begin(call) != ERR_OK) {
        return call_refuse(call);
    }
    *source_array_text(call->stream->source) = call->request->body;
    call->request->body = (struct buf){0};
    return stream_end(call);
}
