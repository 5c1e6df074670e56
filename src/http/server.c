/* The life of the HTTP server: start, quiesce, drain, free. */
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    PEM_MAX = 1024 * 1024,
    FILES_BESIDE_CONNECTIONS = 256,
    DRAIN_LOOK_MS = 10,
    DRAIN_QUIET_MS = 100, /* without a new request on the connections still open */
};

static void close_file(FILE **file) {
    if (*file != NULL)
        fclose(*file);
}

static enum err read_pem(const char *path, char **ret_text, struct problem *problem) {
    __attribute__((cleanup(close_file))) FILE *file = fopen(path, "re");
    if (file == NULL)
        return problem_set(problem, ERR_INVALID_PARAMETER, "cannot read %s: %s", path,
                           strerror(errno));
    BUF_SCOPED text = {0};
    char part[4096];
    size_t length;
    while ((length = fread(part, 1, sizeof part, file)) > 0 && text.length < PEM_MAX)
        buf_add(&text, part, length);
    if (ferror(file) || text.length >= PEM_MAX || text.length == 0 || !buf_ok(&text))
        return problem_set(problem, ERR_INVALID_PARAMETER, "cannot use %s as a PEM file", path);
    *ret_text = text.data;
    text = (struct buf){0};
    return ERR_OK;
}

static enum err load_tls(struct http_server *server, const struct http_settings *settings,
                         struct problem *problem) {
    if (settings->tls_certificate == NULL)
        return ERR_OK;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return problem_set(problem, ERR_INVALID_PARAMETER,
                           "this libmicrohttpd was built without TLS");
    enum err err = read_pem(settings->tls_certificate, &server->tls_certificate, problem);
    if (err != ERR_OK)
        return err;
    return read_pem(settings->tls_key, &server->tls_key, problem);
}

/* Many systems give 1,024 files unless asked for more. */
static void raise_file_limit(unsigned connections_max) {
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections_max + FILES_BESIDE_CONNECTIONS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Signals are the main thread's. */
static enum err start_loops(struct http_server *server, struct problem *problem) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    enum err err = ERR_OK;
    for (size_t i = 0; i < server->loop_count && err == ERR_OK; i++)
        err = loop_start(&server->loops[i], problem);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

static enum err build(struct http_server *server, const struct http_settings *settings,
                      struct problem *problem) {
    enum err err = load_tls(server, settings, problem);
    if (err != ERR_OK)
        return err;
    err = listen_open(settings->listen, &server->listen_fd, problem);
    if (err != ERR_OK)
        return err;
    server->url = listen_url(server->listen_fd, server->tls_key == NULL ? "http" : "https");
    if (server->url == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "cannot tell the address listened on");
    raise_file_limit(settings->connections_max);
    for (size_t i = 0; i < server->loop_count && err == ERR_OK; i++)
        err = loop_init(&server->loops[i], server, settings, problem);
    return err == ERR_OK ? start_loops(server, problem) : err;
}

enum err http_server_start(const struct http_settings *settings, const struct http_app *app,
                           struct http_server **ret_server, struct problem *problem) {
    size_t size = sizeof(struct http_server) + settings->threads * sizeof(struct http_loop);
    struct http_server *server = calloc(1, size);
    if (server == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
    server->app = *app;
    server->listen_fd = -1;
    atomic_init(&server->cut_at_us, INT64_MAX);
    server->collect_limit = settings->collect_limit;
    server->request_timeout_us = (int64_t)settings->request_timeout_s * 1000000;
    server->loop_count = settings->threads;
    sem_init(&server->loops_quiesced, 0, 0);
    enum err err = build(server, settings, problem);
    if (err != ERR_OK) {
        http_server_free(server);
        return err;
    }
    *ret_server = server;
    return ERR_OK;
}

const char *http_server_url(const struct http_server *server) { return server->url; }

void http_server_quiesce(struct http_server *server) {
    if (server->listen_fd < 0)
        return;
    atomic_store(&server->draining, true);
    listen_drain(server->listen_fd);
    for (size_t i = 0; i < server->loop_count; i++) {
        atomic_store(&server->loops[i].quiesce_wanted, true);
        loop_wake(&server->loops[i]);
    }
    for (size_t i = 0; i < server->loop_count; i++) {
        while (sem_wait(&server->loops_quiesced) != 0)
            continue; /* a signal */
    }
    close(server->listen_fd);
    server->listen_fd = -1;
}

bool http_server_drain(struct http_server *server, unsigned timeout_ms) {
    int64_t now_us = clock_monotonic_us();
    int64_t deadline_us = now_us + (int64_t)timeout_ms * 1000;
    int64_t quiet_since_us = now_us;
    uint64_t begun = atomic_load(&server->requests_begun);
    /* What is not complete by half-time leaves the rest of the time to be answered in. */
    atomic_store(&server->cut_at_us, now_us + (int64_t)timeout_ms * 500);
    for (;;) {
        if (atomic_load(&server->connections) == 0)
            return true;
        uint64_t begun_now = atomic_load(&server->requests_begun);
        if (atomic_load(&server->requests_under_way) > 0 || begun_now != begun)
            quiet_since_us = now_us;
        begun = begun_now;
        if (now_us - quiet_since_us >= DRAIN_QUIET_MS * 1000)
            return true;
        if (now_us >= deadline_us)
            return atomic_load(&server->requests_under_way) == 0;
        nanosleep(&(struct timespec){.tv_nsec = DRAIN_LOOK_MS * 1000000L}, NULL);
        now_us = clock_monotonic_us();
    }
}

void http_server_free(struct http_server *server) {
    if (server == NULL)
        return;
    for (size_t i = 0; i < server->loop_count; i++)
        loop_free(&server->loops[i]);
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    sem_destroy(&server->loops_quiesced);
    free(server->url);
    free(server->tls_certificate);
    free(server->tls_key);
    free(server);
}

void http_request_stats(const struct http_request *request, uint64_t *ret_connections,
                        uint64_t *ret_requests_under_way) {
    const struct http_server *server = request->connection->loop->server;
    *ret_connections = atomic_load(&server->connections);
    *ret_requests_under_way = atomic_load(&server->requests_under_way);
}
