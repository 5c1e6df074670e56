/*
 * What the files of http/ share. listen.c: the socket. loop.c: one thread's event loop.
 * exchange.c: one request and its reply. server.c: the public life cycle.
 */
#ifndef VINCULO_HTTP_INTERNAL_H
#define VINCULO_HTTP_INTERNAL_H

#include "vinculo/http.h"
#include "vinculo/timestamp.h"

#include <microhttpd.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

/* A client's connection; belongs to its loop's thread. */
struct http_connection {
    struct http_loop *loop;
    struct MHD_Connection *mhd;
    struct http_exchange *exchange; /* the request under way, from its request line on */
    struct http_connection *previous, *following; /* in loop->connections */
    int fd;
    uint64_t requests; /* begun so far */
    /* What the last sweep saw of a connection between two requests. */
    uint64_t swept_requests;
    uint64_t swept_bytes;
    int64_t partial_since_us; /* 0: no part of a request line has come */
};

enum exchange_phase {
    PHASE_HEADERS, /* the request line is there, the headers are coming */
    PHASE_COLLECT,
    PHASE_STREAM,
    PHASE_DISCARD, /* the reply is known; the body is read and thrown away */
    PHASE_END,     /* the request is complete, the application was told */
    PHASE_SENDING  /* the reply is libmicrohttpd's */
};

/* A request with its private state. The fields beside `request` belong to the loop's thread even
 * while another thread owns the request. */
struct http_exchange {
    struct http_request request; /* first: http_resume casts back */
    enum exchange_phase phase;
    bool begun; /* the application knows it: owes it `finish` */
    bool waiting;
    size_t left_over;    /* of the stream's last part: comes again */
    int64_t progress_us; /* the request line's arrival, or a stream's last part */
    size_t sent;         /* of the present part of a reply made while it is sent */
    bool refilled;       /* that part is new: the application was asked for it */
    char target[];       /* path and query as sent */
};

struct http_loop {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    struct http_connection *connections;
    pthread_t thread;
    bool started;  /* the thread */
    bool quiesced; /* loop thread only */
    size_t waiting;
    int64_t next_sweep_us;
    int wake_fd;
    atomic_bool quiesce_wanted, stop_wanted;
    pthread_mutex_t lock; /* of the two below */
    struct http_request *resumed;
    bool asleep; /* a wake-up needs the eventfd */
};

struct http_server {
    struct http_app app;
    char *url;
    int listen_fd; /* -1 once closed */
    size_t collect_limit;
    int64_t request_timeout_us;
    char *tls_certificate, *tls_key; /* PEM texts; NULL: plain */
    atomic_bool draining;            /* every reply closes its connection */
    _Atomic int64_t cut_at_us;       /* draining: requests still incomplete then are cut off */
    sem_t loops_quiesced;
    _Atomic uint64_t connections, requests_under_way, requests_begun;
    size_t loop_count;
    struct http_loop loops[];
};

/* listen.c */
MUST_CHECK enum err listen_open(const char *address, int *ret_fd, struct problem *problem);
/* "http://ADDRESS:PORT" as bound; owned by the caller; NULL without memory. */
char *listen_url(int fd, const char *scheme);
/* Lets no further client begin a connection and waits until those in the queue are accepted. */
void listen_drain(int fd);

/* loop.c */
MUST_CHECK enum err loop_init(struct http_loop *loop, struct http_server *server,
                              const struct http_settings *settings, struct problem *problem);
MUST_CHECK enum err loop_start(struct http_loop *loop, struct problem *problem);
void loop_wake(struct http_loop *loop);
/* Joins the thread and frees all; the loop may be half made. */
void loop_free(struct http_loop *loop);

/* exchange.c: libmicrohttpd's callbacks, with a struct http_loop as closure */
void *exchange_on_request_line(void *closure, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result exchange_on_call(void *closure, struct MHD_Connection *mhd, const char *url,
                                 const char *method, const char *version, const char *upload_data,
                                 size_t *upload_data_size, void **request_closure);
void exchange_on_completed(void *closure, struct MHD_Connection *mhd, void **request_closure,
                           enum MHD_RequestTerminationCode code);
/* A wait is over: goes on, or waits again. On the loop's thread. */
void exchange_resume(struct http_exchange *exchange);

#endif
