/*
 * One thread's event loop around one libmicrohttpd daemon.
 *
 * The loop is ours because libmicrohttpd's own epoll thread stalls when exactly 128 connections are
 * ready, and because a resume that is issued from inside its callbacks would lie until the next
 * event. So resumes are collected, issued between two runs, and followed by a run.
 */
#include "internal.h"

#include <errno.h>
#include <linux/tcp.h> /* its tcp_info is longer than netinet/tcp.h's */
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const int64_t SWEEP_INTERVAL_US = 1000000;
static const char TLS_PRIORITIES[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* The path must arrive as sent: it is split before it is decoded. */
static size_t keep_escapes(void *closure, struct MHD_Connection *mhd, char *text) {
    (void)closure;
    (void)mhd;
    return strlen(text);
}

static void connection_open(struct http_loop *loop, struct MHD_Connection *mhd, void **context) {
    *context = NULL;
    struct http_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return; /* its first request finds no context and closes it */
    connection->loop = loop;
    connection->mhd = mhd;
    connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection->following = loop->connections;
    if (loop->connections != NULL)
        loop->connections->previous = connection;
    loop->connections = connection;
    *context = connection;
    atomic_fetch_add(&loop->server->connections, 1);
}

static void connection_close(struct http_loop *loop, struct http_connection *connection) {
    if (connection == NULL)
        return;
    if (connection->previous != NULL)
        connection->previous->following = connection->following;
    else
        loop->connections = connection->following;
    if (connection->following != NULL)
        connection->following->previous = connection->previous;
    free(connection);
    atomic_fetch_sub(&loop->server->connections, 1);
}

static void on_connection(void *closure, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    struct http_loop *loop = closure;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_open(loop, mhd, context);
    else
        connection_close(loop, *context);
}

static struct MHD_Daemon *start_daemon(struct http_loop *loop,
                                       const struct http_settings *settings) {
    const struct http_server *server = loop->server;
    unsigned limit = (settings->connections_max + settings->threads - 1) / settings->threads;
    bool secure = server->tls_certificate != NULL;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, server->listen_fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, limit, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)settings->memory_per_connection, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)exchange_on_request_line, loop},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)exchange_on_completed, loop},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, loop},
        {secure ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, server->tls_certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, server->tls_key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (secure ? MHD_USE_TLS : 0U);
    return MHD_start_daemon(flags, 0, NULL, NULL, exchange_on_call, loop, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

enum err loop_init(struct http_loop *loop, struct http_server *server,
                   const struct http_settings *settings, struct problem *problem) {
    loop->server = server;
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0)
        return problem_set(problem, ERR_UNAVAILABLE, "cannot make an eventfd: %s", strerror(errno));
    loop->daemon = start_daemon(loop, settings);
    if (loop->daemon == NULL)
        return problem_set(problem, ERR_UNAVAILABLE,
                           server->tls_certificate == NULL
                               ? "cannot start the HTTP library"
                               : "cannot start the HTTP library with this certificate and key");
    return ERR_OK;
}

void loop_wake(struct http_loop *loop) {
    uint64_t one = 1;
    /* Fails only where the counter is full: then the loop is awake anyway. */
    ssize_t written = write(loop->wake_fd, &one, sizeof one);
    (void)written;
}

void http_resume(struct http_request *request) {
    struct http_loop *loop = request->connection->loop;
    pthread_mutex_lock(&loop->lock);
    request->next = loop->resumed;
    loop->resumed = request;
    bool wake = loop->asleep;
    loop->asleep = false;
    pthread_mutex_unlock(&loop->lock);
    if (wake)
        loop_wake(loop);
}

/* True where there was something to resume. */
static bool issue_resumes(struct http_loop *loop) {
    pthread_mutex_lock(&loop->lock);
    struct http_request *request = loop->resumed;
    loop->resumed = NULL;
    pthread_mutex_unlock(&loop->lock);
    bool any = request != NULL;
    while (request != NULL) {
        struct http_request *next = request->next;
        exchange_resume((struct http_exchange *)request);
        request = next;
    }
    return any;
}

static bool tcp_bytes_received(int fd, uint64_t *ret_bytes) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
        length < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
        return false;
    *ret_bytes = info.tcpi_bytes_received;
    return true;
}

/* libmicrohttpd tells of a request once its first line is complete. Whether a part of that line has
 * come is seen by bytes that arrived since the sweep that found the connection at rest. */
static bool line_is_late(struct http_connection *connection, int64_t now_us) {
    uint64_t bytes;
    if (!tcp_bytes_received(connection->fd, &bytes))
        return false;
    if (connection->swept_requests != connection->requests) {
        connection->swept_requests = connection->requests;
        connection->swept_bytes = bytes;
        connection->partial_since_us = 0;
    }
    if (bytes != connection->swept_bytes && connection->partial_since_us == 0)
        connection->partial_since_us = now_us;
    return connection->partial_since_us != 0 &&
           now_us - connection->partial_since_us > connection->loop->server->request_timeout_us;
}

/* TCP_CLOSE_WAIT; its name is in netinet/tcp.h alone, which excludes linux/tcp.h. */
enum { STATE_CLOSE_WAIT = 8 };

/* The client has closed its side, and nothing it sent is left to read: an unfinished body stays so.
 * libmicrohttpd does not see it where that happened while the connection was suspended. */
static bool has_hung_up(int fd) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    int unread = 0;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
           info.tcpi_state == STATE_CLOSE_WAIT && ioctl(fd, FIONREAD, &unread) == 0 && unread == 0;
}

/* While draining, a client may pause so long in the middle of its request. */
#define DRAIN_STALL_US INT64_C(1000000)

static bool is_late(struct http_connection *connection, int64_t now_us) {
    const struct http_exchange *exchange = connection->exchange;
    if (exchange == NULL)
        return line_is_late(connection, now_us);
    if (exchange->waiting)
        return false;
    struct http_server *server = connection->loop->server;
    bool draining = atomic_load(&server->draining);
    if (draining && now_us > atomic_load(&server->cut_at_us))
        return true; /* does not read its answer, too */
    if (exchange->phase >= PHASE_END)
        return false;
    if (draining && now_us - exchange->progress_us > DRAIN_STALL_US)
        return true;
    return now_us - exchange->progress_us > server->request_timeout_us ||
           has_hung_up(connection->fd);
}

/* Ends connections whose client takes too long over a request. Idle ones are libmicrohttpd's. */
static void sweep(struct http_loop *loop, int64_t now_us) {
    struct http_connection *connection = loop->connections;
    for (; connection != NULL; connection = connection->following) {
        if (is_late(connection, now_us))
            shutdown(connection->fd, SHUT_RDWR);
    }
    loop->next_sweep_us = now_us + SWEEP_INTERVAL_US;
}

/* Until libmicrohttpd's next time-out or our next sweep, whichever is first. */
static int sleep_ms(struct http_loop *loop) {
    int64_t left_us = loop->next_sweep_us - clock_monotonic_us();
    int64_t left_ms = left_us <= 0 ? 0 : left_us / 1000 + 1;
    MHD_UNSIGNED_LONG_LONG mhd_ms;
    if (MHD_get_timeout(loop->daemon, &mhd_ms) == MHD_YES && mhd_ms < (uint64_t)left_ms)
        left_ms = (int64_t)mhd_ms;
    return (int)left_ms;
}

static void wait_for_events(struct http_loop *loop, int epoll_fd) {
    struct pollfd fds[] = {{.fd = epoll_fd, .events = POLLIN},
                           {.fd = loop->wake_fd, .events = POLLIN}};
    int timeout_ms = sleep_ms(loop);
    pthread_mutex_lock(&loop->lock);
    loop->asleep = loop->resumed == NULL;
    if (!loop->asleep)
        timeout_ms = 0;
    pthread_mutex_unlock(&loop->lock);
    poll(fds, 2, timeout_ms);
    pthread_mutex_lock(&loop->lock);
    loop->asleep = false;
    pthread_mutex_unlock(&loop->lock);
    if ((fds[1].revents & POLLIN) != 0) {
        uint64_t count;
        ssize_t got = read(loop->wake_fd, &count, sizeof count);
        (void)got;
    }
}

static void quiesce(struct http_loop *loop) {
    if (loop->quiesced)
        return;
    loop->quiesced = true;
    MHD_quiesce_daemon(loop->daemon); /* returns the shared socket, which the server closes */
}

static void *run(void *closure) {
    struct http_loop *loop = closure;
    int epoll_fd = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    /* A suspended connection would make libmicrohttpd abort: wait for it even when stopping. */
    while (!atomic_load(&loop->stop_wanted) || loop->waiting > 0) {
        wait_for_events(loop, epoll_fd);
        do {
            MHD_run(loop->daemon);
        } while (issue_resumes(loop));
        if (atomic_load(&loop->quiesce_wanted) && !loop->quiesced) {
            quiesce(loop);
            sem_post(&loop->server->loops_quiesced);
        }
        int64_t now_us = clock_monotonic_us();
        if (now_us >= loop->next_sweep_us)
            sweep(loop, now_us);
    }
    return NULL;
}

enum err loop_start(struct http_loop *loop, struct problem *problem) {
    int failure = pthread_create(&loop->thread, NULL, run, loop);
    if (failure != 0)
        return problem_set(problem, ERR_UNAVAILABLE, "cannot start a thread: %s",
                           strerror(failure));
    loop->started = true;
    return ERR_OK;
}

void loop_free(struct http_loop *loop) {
    if (loop->server == NULL)
        return; /* never initialised */
    if (loop->started) {
        atomic_store(&loop->stop_wanted, true);
        loop_wake(loop);
        pthread_join(loop->thread, NULL);
    }
    if (loop->daemon != NULL) {
        quiesce(loop); /* or it would close the shared socket */
        MHD_stop_daemon(loop->daemon);
    }
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
}
