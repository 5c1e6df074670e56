/*
 * One API call: what the route, the key and the query string said, and how it is answered.
 * A call belongs to its request (request->app) and follows its owner from thread to thread.
 */
#ifndef VINCULO_API_CALL_H
#define VINCULO_API_CALL_H

#include "vinculo/csv.h"
#include "vinculo/http.h"
#include "vinculo/keyring.h"
#include "vinculo/record.h"
#include "vinculo/settings.h"
#include "vinculo/workers.h"
#include "vinculo/writer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What all calls share. */
struct app {
    const struct settings *settings;
    struct writer *writer;
    struct workers *workers; /* for changes */
    struct workers *readers; /* for reads, which never wait behind a change that waits for a lock */
    struct keyring *keyring;
    struct versions *versions;
    struct folding *folding;
    struct answers *answers;
    struct http_server *server;
    atomic_bool stopping;
    atomic_bool recounting; /* a change of a workspace that may take long is under way */
    atomic_int streams;     /* POSTs of many under way */
    atomic_int exports;     /* lists that are being sent as CSV or NDJSON */
    atomic_int rankings;    /* lists of customers that are being put in order of risk */
};

enum form { FORM_JSON /* one object or an array */, FORM_NDJSON, FORM_CSV };

enum format { FORMAT_JSON, FORMAT_NDJSON, FORMAT_CSV, FORMAT_COUNT };

enum { REQUEST_ID_MAX = 128, PARAMETERS_MAX = 16 };

/* A decoded query parameter. */
struct parameter {
    char *name;  /* owned */
    char *value; /* owned */
};

struct route;
struct route_method;

struct call {
    struct app *app;
    struct http_request *request;
    const struct route *route;         /* NULL: no such route */
    const struct route_method *method; /* NULL: not allowed */
    const struct kind_spec *kind;      /* of {kind} */
    char *name;                        /* of {id} or {kpi}, decoded; owned */
    struct grant grant;
    char request_id[REQUEST_ID_MAX + 1];
    char *idempotency_key; /* owned; NULL: none */
    char *if_none_match;   /* owned; NULL: none */
    struct parameter parameters[PARAMETERS_MAX];
    size_t parameter_count;
    struct problem problem;
    struct work work;       /* when handed to a worker */
    struct write_job job;   /* when handed to the writer */
    struct write_item item; /* POST of one record */
    struct record stored;   /* … and what is stored instead of it */
    /* Makes the reply after the wait, on the loop's thread; NULL: it was made before resuming. */
    enum http_next (*answer)(struct call *call);
    enum form form;     /* of the body */
    enum format format; /* of the answer, where there is a choice */
    enum csv_charset charset;
    bool gzip;
    bool atomic; /* POST of many: all or none */
    enum on_conflict on_conflict;
    bool claimed_stream;
    struct stream *stream; /* POST of many; owned */
    struct list *list;     /* GET of many; owned */
};

/* The value of a query parameter, or NULL. */
const char *call_parameter(const struct call *call, const char *name);

/* Replies with the call's problem (problem.c). Always HTTP_REPLY. */
enum http_next call_refuse(struct call *call);

/* Starts a JSON reply; the body goes to the returned buffer. */
struct buf *call_reply_json(struct call *call, unsigned status);
/* The last step of every reply: a body that ran out of memory becomes a 503; headers that every
 * answer has are added. */
void call_finish_reply(struct call *call);

/* Hands the call to a worker: `run` gets the worker's connection and writes a reply or sets
 * call->problem and returns its code. HTTP_WAIT, or HTTP_REPLY where the queue is full. */
enum http_next call_run_on_worker(struct call *call, void (*run)(struct work *work, struct db *db));
/* For `run`: the call of a work item; and its end: replies with the problem unless err is ERR_OK,
 * then gives the request back to its loop. */
struct call *call_of_work(struct work *work);
void call_conclude(struct call *call, enum err err);

/* HTTP status of a code, and the problem document. */
unsigned problem_status(enum err code);
void problem_write(struct buf *out, const struct problem *problem, const char *request_id);

#endif
