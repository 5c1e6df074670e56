/* The pool of worker threads: one bounded queue, first come, first served. Of idle workers the one
 * that was busy last goes on, because what its connection's process needs is then still in the
 * processor's caches. One that has lost its connection takes no work while another has its own: it
 * would fail at once, and be there for the next piece of work first. */
#include "vinculo/workers.h"

#include "vinculo/metrics_registry.h"
#include "vinculo/timed_wait.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RECONNECT_US = 200 * 1000 };

struct worker {
    struct workers *pool;
    struct db *db;
    pthread_t thread;
    pthread_cond_t woken;
    bool connected; /* counted in the pool's `connected` */
    bool idle;      /* in the pool's list */
    struct worker *idle_next;
};

struct workers {
    pthread_mutex_t lock;
    struct work *first, *last;
    struct worker *idle_first; /* a list in the order in which they are woken */
    size_t waiting, waiting_max;
    size_t connected;
    int64_t patience_us;
    bool stopping;
    size_t running; /* threads to join */
    size_t count;
    struct worker members[];
};

/* Under the lock. */
static void leave_idle(struct worker *worker) {
    struct worker **place = &worker->pool->idle_first;
    while (*place != worker)
        place = &(*place)->idle_next;
    *place = worker->idle_next;
    worker->idle = false;
}

/* Under the lock. */
static void wake_one(struct workers *workers) {
    struct worker *worker = workers->idle_first;
    if (worker != NULL) {
        leave_idle(worker);
        pthread_cond_signal(&worker->woken);
    }
}

/* Under the lock. One without a connection is woken after those that have theirs, or when it is
 * time to try again. */
static void rest(struct worker *worker) {
    struct worker **place = &worker->pool->idle_first;
    while (!worker->connected && *place != NULL)
        place = &(*place)->idle_next;
    worker->idle_next = *place;
    *place = worker;
    worker->idle = true;
    int64_t until_us = clock_monotonic_us() + RECONNECT_US;
    bool in_time = true;
    while (worker->idle && in_time) {
        if (worker->connected)
            pthread_cond_wait(&worker->woken, &worker->pool->lock);
        else
            in_time = cond_wait_until(&worker->woken, &worker->pool->lock, until_us);
    }
    if (worker->idle)
        leave_idle(worker);
}

/* Under the lock. */
static void count_connection(struct worker *worker) {
    worker->pool->connected -= worker->connected ? 1 : 0;
    worker->connected = db_connection(worker->db) != NULL;
    worker->pool->connected += worker->connected ? 1 : 0;
}

/* Under the lock, which is let go meanwhile. */
static void connect_again(struct worker *worker) {
    pthread_mutex_unlock(&worker->pool->lock);
    enum db_status status = db_ready(worker->db);
    (void)status; /* count_connection sees it */
    pthread_mutex_lock(&worker->pool->lock);
    count_connection(worker);
}

/* Under the lock. */
static bool may_take(const struct worker *worker) {
    const struct workers *workers = worker->pool;
    return workers->first != NULL && (worker->connected || workers->connected == 0);
}

/* The next piece of work, or NULL when the queue is empty and stays so. */
static struct work *take(struct worker *worker, bool *ret_stopping) {
    struct workers *workers = worker->pool;
    pthread_mutex_lock(&workers->lock);
    count_connection(worker);
    bool has_tried = false;
    while (!workers->stopping && !may_take(worker)) {
        has_tried = workers->first != NULL && !has_tried;
        if (has_tried)
            connect_again(worker); /* work waits, so those that have a connection are busy */
        else
            rest(worker);
    }
    struct work *work = workers->first;
    *ret_stopping = workers->stopping;
    if (work != NULL) {
        workers->first = work->next;
        workers->waiting--;
        metric_set(METRIC_WORKER_QUEUE, (int64_t)workers->waiting);
    }
    pthread_mutex_unlock(&workers->lock);
    return work;
}

static void *worker_main(void *argument) {
    struct worker *worker = argument;
    /* The first request need not wait for a connection; where this fails, `run` tries again. */
    enum db_status status = db_ready(worker->db);
    (void)status;
    struct work *work;
    bool stopping;
    while ((work = take(worker, &stopping)) != NULL) {
        if (stopping)
            work->refuse(work, ERR_SHUTTING_DOWN);
        else if (clock_monotonic_us() - work->queued_us > worker->pool->patience_us)
            work->refuse(work, ERR_UNAVAILABLE);
        else
            work->run(work, worker->db);
    }
    db_close(worker->db);
    return NULL;
}

static enum err start_threads(struct workers *workers, const struct db_options *database,
                              struct problem *problem) {
    for (size_t i = 0; i < workers->count; i++) {
        struct worker *worker = &workers->members[i];
        worker->pool = workers;
        worker->db = db_new(database);
        if (worker->db == NULL)
            return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
        int error = pthread_create(&worker->thread, NULL, worker_main, worker);
        if (error != 0)
            return problem_set(problem, ERR_UNAVAILABLE, "cannot start a worker thread: %s",
                               strerror(error));
        workers->running++;
    }
    return ERR_OK;
}

enum err workers_start(const struct db_options *database, size_t threads, size_t queue_max,
                       struct workers **ret_workers, struct problem *problem) {
    assert(threads > 0 && queue_max > 0);
    struct workers *workers = calloc(1, sizeof *workers + threads * sizeof *workers->members);
    if (workers == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
    pthread_mutex_init(&workers->lock, NULL);
    for (size_t i = 0; i < threads; i++)
        cond_init(&workers->members[i].woken);
    workers->count = threads;
    workers->waiting_max = queue_max;
    workers->patience_us = (int64_t)database->timeout_ms * 1000;
    enum err err = start_threads(workers, database, problem);
    if (err != ERR_OK) {
        workers_stop(workers);
        workers_free(workers);
        return err;
    }
    *ret_workers = workers;
    return ERR_OK;
}

/* Under the lock. */
static enum err admit(const struct workers *workers, struct problem *problem) {
    if (workers->stopping)
        return problem_set(problem, ERR_SHUTTING_DOWN, "The service is stopping; try again.");
    if (workers->waiting >= workers->waiting_max)
        return problem_set(problem, ERR_QUEUE_FULL,
                           "%zu requests are waiting already, which is the limit; try again.",
                           workers->waiting);
    return ERR_OK;
}

enum err workers_submit(struct workers *workers, struct work *work, struct problem *problem) {
    pthread_mutex_lock(&workers->lock);
    enum err err = admit(workers, problem);
    if (err == ERR_OK) {
        work->next = NULL;
        work->queued_us = clock_monotonic_us();
        if (workers->first == NULL)
            workers->first = work;
        else
            workers->last->next = work;
        workers->last = work;
        workers->waiting++;
        metric_set(METRIC_WORKER_QUEUE, (int64_t)workers->waiting);
        wake_one(workers);
    }
    pthread_mutex_unlock(&workers->lock);
    return err;
}

void workers_stop(struct workers *workers) {
    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    while (workers->idle_first != NULL)
        wake_one(workers);
    pthread_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->running; i++)
        db_abandon(workers->members[i].db);
    for (size_t i = 0; i < workers->running; i++)
        pthread_join(workers->members[i].thread, NULL);
    workers->running = 0;
}

void workers_free(struct workers *workers) {
    if (workers == NULL)
        return;
    assert(workers->running == 0 && workers->first == NULL);
    for (size_t i = 0; i < workers->count; i++) {
        db_free(workers->members[i].db);
        pthread_cond_destroy(&workers->members[i].woken);
    }
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}
