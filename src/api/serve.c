/* The service's life: start in order, wait for a signal, stop in order. */
#include "vinculo/serve.h"

#include "answers.h"
#include "app.h"
#include "vinculo/folding.h"
#include "vinculo/log.h"
#include "vinculo/metrics_registry.h"
#include "vinculo/migrate.h"
#include "vinculo/timestamp.h"
#include "vinculo/versions.h"

#include <jansson.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    MEMORY_PER_CONNECTION = 16 * 1024,
    START_PATIENCE_MS = 10000,
    START_PAUSE_MS = 250,
    HANGING_S = 5
};

static struct db_options database_options(const struct settings *settings) {
    return (struct db_options){.url = settings->database_url,
                               .prepare = true,
                               .read_write = true,
                               .timeout_ms = (int)settings->database_timeout_ms,
                               .lock_timeout_ms = (int)settings->lock_timeout_ms};
}

static void pause_ms(long ms) {
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* The schema must be this program's own; a database that is still starting is waited for. */
static enum err check_schema(const struct settings *settings, struct problem *problem) {
    struct db_options options = database_options(settings);
    options.prepare = false;
    struct db *db = db_new(&options);
    if (db == NULL) {
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory.");
    }
    enum db_status status = db_ready(db);
    for (int waited = 0; status != DB_OK && waited < START_PATIENCE_MS; waited += START_PAUSE_MS) {
        pause_ms(START_PAUSE_MS);
        status = db_ready(db);
    }
    enum err err = status == DB_OK
                       ? migrate_check(db, problem)
                       : problem_set(problem, ERR_UNAVAILABLE, "The database cannot be reached: %s",
                                     db_message(db));
    db_free(db);
    return err;
}

static enum err start_http(struct app *app, const struct settings *settings,
                           struct problem *problem) {
    struct http_settings http = {.listen = settings->listen,
                                 .threads = (unsigned)settings->http_threads,
                                 .connections_max = (unsigned)settings->connections_max,
                                 .idle_timeout_s = (unsigned)settings->idle_timeout_s,
                                 .request_timeout_s = (unsigned)settings->request_timeout_s,
                                 .collect_limit = (size_t)settings->body_max_bytes,
                                 .memory_per_connection = MEMORY_PER_CONNECTION,
                                 .tls_certificate = settings->tls_certificate,
                                 .tls_key = settings->tls_key};
    struct http_app callbacks = app_callbacks(app);
    return http_server_start(&http, &callbacks, &app->server, problem);
}

static enum err start_workers(struct app *app, const struct settings *settings,
                              struct problem *problem) {
    struct db_options options = database_options(settings);
    size_t threads = (size_t)settings->workers;
    size_t queue_max = (size_t)settings->worker_queue_max;
    enum err err = workers_start(&options, threads, queue_max, &app->workers, problem);
    if (err != ERR_OK) {
        return err;
    }
    if (settings->read_database_url != NULL) {
        options.url = settings->read_database_url;
        options.read_write = false;
    }
    err = workers_start(&options, threads, queue_max, &app->readers, problem);
    return err == ERR_OK ? versions_start(&options, &app->versions, problem) : err;
}

static enum err start(struct app *app, const struct settings *settings, struct problem *problem) {
    struct db_options for_writing = database_options(settings);
    struct writer_settings writer = {.database = for_writing,
                                     .queue_max = (size_t)settings->writer_queue_max,
                                     .batch_max = (size_t)settings->writer_batch_max};
    app->answers = answers_new();
    if (app->answers == NULL) {
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory.");
    }
    enum err err = check_schema(settings, problem);
    if (err == ERR_OK) {
        /* Before all those that connect at once, since the keys have a time to be there. */
        err = keyring_start(&for_writing, &app->keyring, problem);
    }
    if (err == ERR_OK) {
        err = writer_start(&writer, &app->writer, problem);
    }
    if (err == ERR_OK) {
        err = start_workers(app, settings, problem);
    }
    if (err == ERR_OK) {
        err =
            folding_start(&for_writing, (int)settings->rebuild_timeout_ms, &app->folding, problem);
    }
    return err == ERR_OK ? start_http(app, settings, problem) : err;
}

/* Nothing that was accepted is dropped while the deadline lasts: new requests are refused, those
 * under way are answered, then the threads end from the outside in. */
static bool stop(struct app *app, int timeout_ms) {
    bool drained = true;
    atomic_store(&app->stopping, true);
    /* What still hangs well after the deadline (a database that neither answers nor dies) is ended
     * by SIGALRM: nothing of it was acknowledged. */
    alarm((unsigned)timeout_ms / 1000 + HANGING_S);
    if (app->server != NULL) {
        http_server_quiesce(app->server);
        drained = http_server_drain(app->server, (unsigned)timeout_ms);
    }
    if (app->writer != NULL) {
        writer_stop(app->writer, 0);
    }
    workers_stop(app->workers);
    workers_stop(app->readers);
    if (app->server != NULL) {
        http_server_drain(app->server, 1000); /* the last refusals go out */
        http_server_free(app->server);
    }
    if (app->keyring != NULL) {
        keyring_stop(app->keyring);
    }
    versions_stop(app->versions);
    folding_stop(app->folding);
    answers_free(app->answers);
    workers_free(app->workers);
    workers_free(app->readers);
    writer_free(app->writer);
    return drained;
}

int serve(const struct settings *settings) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    /* Blocked before any thread starts, so that only sigwait below sees them. */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    log_set_level(settings->log_level);
    metric_add(METRIC_BUILD_INFO, 1, VINCULO_VERSION, NULL, NULL);
    metric_set(METRIC_START_TIME, timestamp_now() / MICROSECONDS_PER_SECOND);

    struct app app = {.settings = settings};
    struct problem problem = {0};
    int code = EXIT_SUCCESS;
    json_object_seed(0); /* not safe later, among threads */
    if (sodium_init() < 0) {
        fprintf(stderr, "vinculo: libsodium cannot be initialised.\n");
        return EXIT_FAILURE;
    }
    if (start(&app, settings, &problem) != ERR_OK) {
        fprintf(stderr, "vinculo: %s\n", problem.detail);
        code = EXIT_FAILURE;
    } else {
        printf("ready %s\n", http_server_url(app.server));
        fflush(stdout);
        int signal_number = 0;
        sigwait(&signals, &signal_number);
        log_event(LOG_INFO, "stopping");
    }
    if (!stop(&app, (int)settings->shutdown_timeout_ms)) {
        log_event(LOG_WARN, "stopped_before_all_requests_ended");
        code = EXIT_FAILURE;
    }
    problem_clear(&problem);
    return code;
}
