/*
 * The HTTP server: the only module that names libmicrohttpd.
 *
 * N threads, each with its own event loop and daemon on one shared listening socket. A request is
 * owned by one thread at a time: by its loop until a callback returns HTTP_WAIT, then by whoever
 * the application handed it to, until that thread calls http_resume(). The application never
 * blocks a loop's thread.
 */
#ifndef VINCULO_HTTP_H
#define VINCULO_HTTP_H

#include "vinculo/buf.h"
#include "vinculo/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_server;

struct http_request;

enum http_next {
    HTTP_REPLY,    /* the reply is set; a body still to come is read and discarded first, unless it
                      is long or the client holds it back (Expect): then the connection closes */
    HTTP_COLLECT,  /* begin only: collect the body (≤ collect_limit) and call end */
    HTTP_STREAM,   /* begin only: hand parts to data as they come, then call end */
    HTTP_CONTINUE, /* data only: go on */
    HTTP_WAIT      /* data, end and more: suspended until http_resume */
};

/* A reply; the request owns it. Fill with http_reply_* from the request's present owner. */
struct http_reply {
    unsigned status;          /* 0: none yet */
    const char *content_type; /* static; NULL: no body */
    struct buf body;
    char *headers[8][2]; /* owned copies: name, value */
    size_t header_count;
    bool close; /* answer with Connection: close */
    /* A body of any length, made while it is sent (NULL: the body is whole). Called with the
     * application's context on the loop's thread each time that all of `body` has been sent, and
     * not at all for HEAD. Replaces what is in `body`, or has that done by another thread
     * (HTTP_WAIT, then http_resume); an empty body is the end. */
    enum http_next (*more)(void *context, struct http_request *request);
    bool failed; /* in the middle of such a body: the connection is cut, so that it shows */
};

struct http_request {
    const char *method;  /* "GET", …; HEAD comes as it is */
    const char *path;    /* as sent: not decoded, without the query */
    const char *query;   /* as sent, after '?'; NULL where there is none */
    uint64_t sequence;   /* unique in this process */
    int64_t received_us; /* CLOCK_MONOTONIC when the headers were complete */
    uint64_t body_bytes; /* received so far */
    struct buf body;     /* whole body when begin returned HTTP_COLLECT */
    struct http_reply reply;
    void *app; /* the application's own state, freed in its `finish` */
    /* private to http/ */
    struct http_connection *connection;
    struct http_request *next;
};

/* Callbacks. They run on the request's loop thread and must not block. */
struct http_app {
    void *context;
    /* Headers are complete. HTTP_REPLY, HTTP_COLLECT or HTTP_STREAM. */
    enum http_next (*begin)(void *context, struct http_request *request);
    /* A part of a streamed body; consumes some or all of it. Cannot reply in mid-body: keep the
     * failure, consume the rest, reply in end. HTTP_CONTINUE or HTTP_WAIT; after a wait it is
     * called again with what was left (also when that is nothing new: length may be 0). */
    enum http_next (*data)(void *context, struct http_request *request, const char *data,
                           size_t length, size_t *ret_consumed);
    /* The body is complete, or a wait that began in end is over and no reply is set yet.
     * HTTP_REPLY or HTTP_WAIT. A reply that is set when a wait ends is sent without calling it. */
    enum http_next (*end)(void *context, struct http_request *request);
    /* A collected body passed its limit: set the reply (413). */
    void (*too_large)(void *context, struct http_request *request);
    /* The exchange is over (reply sent, or the connection broke). Log, free request->app. */
    void (*finish)(void *context, struct http_request *request, bool completed);
};

struct http_settings {
    const char *listen;           /* "127.0.0.1:8080", "[::1]:0", "0.0.0.0:8080" */
    unsigned threads;             /* event loops */
    unsigned connections_max;     /* over all loops */
    unsigned idle_timeout_s;      /* a connection without traffic */
    unsigned request_timeout_s;   /* from the first byte of a request to its last; a stream counts
                                     from its last part */
    size_t collect_limit;         /* bytes of a collected body */
    size_t memory_per_connection; /* bytes: request line + headers must fit */
    const char *tls_certificate;  /* PEM file paths; NULL: plain */
    const char *tls_key;
};

/* Binds, listens and starts the loops. Takes a copy of app; settings are read during the call. */
MUST_CHECK enum err http_server_start(const struct http_settings *settings,
                                      const struct http_app *app, struct http_server **ret_server,
                                      struct problem *problem);
/* "http://127.0.0.1:8080" with the real port. Valid until http_server_free. */
const char *http_server_url(const struct http_server *server);
/* Stops accepting new connections, after those that the kernel has already made, and closes the
 * listening socket; takes 50 ms to 1 s. Requests on open ones still come to begin (the application
 * then refuses new work); every reply from now on closes its connection. */
void http_server_quiesce(struct http_server *server);
/* After quiesce: waits until every connection is closed, or no request has been under way for
 * 100 ms, or the time is over; true where none is under way. Requests that are not complete are cut
 * off when they stall for a second, or by half of the time: nothing of them was accepted. */
bool http_server_drain(struct http_server *server, unsigned timeout_ms);
/* Stops loops and daemons; idle connections are closed. No request should be waiting any more: it
 * would block until they are all resumed. NULL does nothing. */
void http_server_free(struct http_server *server);
/* Numbers for /metrics, of the request's server. */
void http_request_stats(const struct http_request *request, uint64_t *ret_connections,
                        uint64_t *ret_requests_under_way);

/* A request header's value, or NULL. Loop thread only (begin, data, end), before a wait. */
const char *http_request_header(const struct http_request *request, const char *name);

/* Gives a waiting request back to its loop. Any thread; the caller may not touch it afterwards. */
void http_resume(struct http_request *request);

/* Sets status and content type (static string); the body is then written to request->reply.body. */
void http_reply_set(struct http_request *request, unsigned status, const char *content_type);
/* Adds a header; copies. Dropped where memory is short or 8 are set (assert in debug). */
void http_reply_header(struct http_request *request, const char *name, const char *value);

#endif
