/*
 * The writer's thread and queue: which jobs make up the next transaction, and who is told.
 * What happens inside the transaction is batch.c's.
 */
#include "vinculo/writer.h"

#include "batch.h"
#include "vinculo/log.h"
#include "vinculo/metrics_registry.h"
#include "vinculo/timed_wait.h"
#include "vinculo/timestamp.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    RECONNECT_MS = 500,
    LOCK_PATIENCE_MS = 100, /* the other workspaces wait so long for a locked one */
    HELD_MS = 250,          /* until a locked one is tried again */
    FIRST_REPLAN_RECORDS = 256
};

struct queue {
    struct write_job *head, *tail;
};

struct writer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct queue singles, streams;
    struct queue held; /* of workspaces whose lock another program has, such as a rebuild */
    size_t waiting;    /* records in the queues */
    bool atomic_is_next;
    size_t written, next_replan; /* records tried */
    bool stopping;
    int64_t stop_by_us; /* of the monotonic clock; the queue is failed after it */
    atomic_bool connected;
    struct db *db;
    struct batch_owner owner;
    size_t queue_max;
    int64_t lock_timeout_us; /* how long a job may be held */
};

const char *outcome_name(enum outcome outcome) {
    static const char *const names[] = {"none",    "created",  "unchanged",
                                        "updated", "rejected", "not_stored"};
    return names[outcome];
}

void write_item_clear(struct write_item *item) {
    record_clear(&item->record);
    json_decref(item->patch);
    problem_clear(&item->problem);
    *item = (struct write_item){0};
}

static void queue_put(struct queue *queue, struct write_job *job) {
    job->next = NULL;
    if (queue->tail != NULL) {
        queue->tail->next = job;
    } else {
        queue->head = job;
    }
    queue->tail = job;
}

static struct write_job *queue_take(struct queue *queue) {
    struct write_job *job = queue->head;
    if (job != NULL) {
        queue->head = job->next;
        if (queue->head == NULL) {
            queue->tail = NULL;
        }
        job->next = NULL;
    }
    return job;
}

enum err writer_submit(struct writer *writer, struct write_job *job, struct problem *problem) {
    enum err err = ERR_OK;
    pthread_mutex_lock(&writer->lock);
    if (writer->stopping) {
        err = ERR_SHUTTING_DOWN;
    } else if (writer->waiting > 0 && writer->waiting + job->count > writer->queue_max) {
        err = ERR_QUEUE_FULL;
    } else {
        job->queued_us = clock_monotonic_us();
        queue_put(job->single ? &writer->singles : &writer->streams, job);
        writer->waiting += job->count;
        metric_set(METRIC_WRITER_QUEUE, (int64_t)writer->waiting);
        pthread_cond_signal(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    if (err == ERR_SHUTTING_DOWN) {
        return problem_set(problem, err, "The service is shutting down; try again.");
    }
    if (err == ERR_QUEUE_FULL) {
        return problem_set(problem, err, "Too many records are waiting to be stored; try again.");
    }
    return ERR_OK;
}

bool writer_is_connected(const struct writer *writer) { return atomic_load(&writer->connected); }

static void set_connected(struct writer *writer, bool connected) {
    if (atomic_exchange(&writer->connected, connected) == connected) {
        return;
    }
    metric_set(METRIC_DATABASE_UP, connected);
    if (connected) {
        metric_add(METRIC_DATABASE_RECONNECTS, 1, NULL, NULL, NULL);
        log_event(LOG_INFO, "database_connected");
    } else {
        log_event(LOG_ERROR, "database_lost", LOG_STR("reason", db_message(writer->db)));
    }
}

static bool is_held_due(const struct writer *writer) {
    return writer->held.head != NULL &&
           (writer->stopping || clock_monotonic_us() >= writer->held.head->due_us);
}

static size_t move_job(struct queue *from, struct queue *to) {
    struct write_job *job = queue_take(from);
    if (job == NULL) {
        return 0;
    }
    queue_put(to, job);
    return job->count;
}

/* The next transaction's jobs: held ones that are due, single posts, one window of a stream; or, in
 * turns with these, one atomic job. */
static struct write_job *take_batch(struct writer *writer) {
    struct queue batch = {0};
    size_t records = 0;
    struct queue *late = is_held_due(writer) ? &writer->held : &writer->streams;
    bool atomic = late->head != NULL && late->head->atomic;
    bool alone = atomic && (writer->atomic_is_next || writer->singles.head == NULL);
    writer->atomic_is_next = !alone;
    while (!alone && late == &writer->held && is_held_due(writer) && !late->head->atomic) {
        records += move_job(late, &batch);
    }
    while (!alone && writer->singles.head != NULL && records < writer->owner.batch_max) {
        records += move_job(&writer->singles, &batch);
    }
    bool window = writer->streams.head != NULL && !writer->streams.head->atomic;
    if (alone) {
        records += move_job(late, &batch);
    } else if (window) {
        records += move_job(&writer->streams, &batch);
    }
    writer->waiting -= records;
    metric_set(METRIC_WRITER_QUEUE, (int64_t)writer->waiting);
    return batch.head;
}

static void queue_append(struct queue *queue, const struct queue *rest) {
    if (queue->tail == NULL) {
        *queue = *rest;
    } else if (rest->head != NULL) {
        queue->tail->next = rest->head;
        queue->tail = rest->tail;
    }
}

/* batch_owner's. */
static struct write_job *take_more(void *context, const int *workspaces, size_t count,
                                   size_t room) {
    struct writer *writer = context;
    struct queue taken = {0};
    struct queue left = {0};
    pthread_mutex_lock(&writer->lock);
    while (room > 0 && writer->singles.head != NULL) {
        struct write_job *job = queue_take(&writer->singles);
        bool fits = job->count <= room && bsearch(&job->workspace_id, workspaces, count,
                                                  sizeof *workspaces, batch_compare_workspaces);
        if (fits) {
            room -= job->count;
            writer->waiting -= job->count;
        }
        queue_put(fits ? &taken : &left, job);
    }
    queue_append(&left, &writer->singles);
    writer->singles = left;
    metric_set(METRIC_WRITER_QUEUE, (int64_t)writer->waiting);
    pthread_mutex_unlock(&writer->lock);
    return taken.head;
}

static void fail_job(struct write_job *job, enum err code, const char *detail) {
    for (size_t i = 0; i < job->count; i++) {
        if (job->items[i].outcome == OUTCOME_NONE) {
            job->items[i].outcome = OUTCOME_REJECTED;
            problem_set(&job->items[i].problem, code, "%s", detail);
        }
    }
}

static bool is_open(const struct write_job *job) {
    bool open = false;
    for (size_t i = 0; i < job->count && !open; i++) {
        open = job->items[i].outcome == OUTCOME_NONE;
    }
    return open;
}

/* Of a job that found its workspace locked: true where it is kept for later. */
static bool hold(struct writer *writer, struct write_job *job) {
    int64_t now_us = clock_monotonic_us();
    bool held = false;
    pthread_mutex_lock(&writer->lock);
    if (!writer->stopping && now_us - job->queued_us < writer->lock_timeout_us) {
        queue_put(&writer->held, job);
        job->due_us = now_us + HELD_MS * 1000;
        writer->waiting += job->count;
        held = true;
    }
    pthread_mutex_unlock(&writer->lock);
    if (!held) {
        fail_job(job, ERR_UNAVAILABLE, "The workspace is busy (a rebuild has it); try again.");
    }
    return held;
}

static void finish_jobs(struct writer *writer, struct write_job *jobs) {
    while (jobs != NULL) {
        struct write_job *job = jobs;
        jobs = job->next;
        job->next = NULL;
        if (is_open(job) && hold(writer, job)) {
            continue;
        }
        for (size_t i = 0; i < job->count; i++) {
            metric_add(METRIC_RECORDS, 1, job->items[i].record.spec->name,
                       outcome_name(job->items[i].outcome), NULL);
        }
        job->done(job); /* the job may be gone now */
    }
}

/* batch_owner's. */
static void batch_ended(void *context, struct write_job *jobs, size_t records) {
    struct writer *writer = context;
    writer->written += records;
    set_connected(writer, db_connection(writer->db) != NULL);
    finish_jobs(writer, jobs);
}

static bool is_idle(const struct writer *writer) {
    return !writer->stopping && writer->singles.head == NULL && writer->streams.head == NULL &&
           !is_held_due(writer);
}

/* Sleeps until there is work, a stop, or (while disconnected) time to try again. Returns the jobs
 * of the next batch; NULL with *ret_stop when all is done. */
static struct write_job *wait_for_batch(struct writer *writer, bool *ret_stop) {
    pthread_mutex_lock(&writer->lock);
    if (is_idle(writer)) { /* no next batch, which would read what the last COMMIT came to */
        pthread_mutex_unlock(&writer->lock);
        batch_settle(writer->db, &writer->owner);
        pthread_mutex_lock(&writer->lock);
    }
    if (is_idle(writer)) {
        long wait_ms = writer->held.head != NULL ? HELD_MS : RECONNECT_MS;
        cond_wait_until(&writer->changed, &writer->lock, clock_monotonic_us() + wait_ms * 1000);
    }
    struct write_job *batch = take_batch(writer);
    *ret_stop = writer->stopping && batch == NULL;
    bool too_late = writer->stopping && clock_monotonic_us() > writer->stop_by_us;
    pthread_mutex_unlock(&writer->lock);
    if (too_late) {
        for (struct write_job *job = batch; job != NULL; job = job->next) {
            fail_job(job, ERR_SHUTTING_DOWN, "The service is shutting down; try again.");
        }
        finish_jobs(writer, batch);
        return NULL;
    }
    return batch;
}

/* A plan that was made for a small table goes on reading all of it when it has grown, until
 * autovacuum gathers statistics: so statements are planned again whenever the writer's work has
 * doubled. */
static void replan(struct writer *writer) {
    if (writer->written < writer->next_replan || db_connection(writer->db) == NULL) {
        return;
    }
    writer->next_replan = 2 * writer->written;
    if (db_query(writer->db, "DISCARD PLANS", 0, NULL, NULL) != DB_OK) {
        db_close(writer->db); /* the next transaction opens another */
    }
}

static void *writer_main(void *argument) {
    struct writer *writer = argument;
    bool stop = false;
    while (!stop) {
        struct write_job *jobs = wait_for_batch(writer, &stop);
        if (jobs != NULL) {
            batch_write(writer->db, jobs, &writer->owner);
            replan(writer);
        } else if (!stop && !writer_is_connected(writer)) {
            set_connected(writer, db_ready(writer->db) == DB_OK);
        }
    }
    batch_settle(writer->db, &writer->owner);
    return NULL;
}

enum err writer_start(const struct writer_settings *settings, struct writer **ret_writer,
                      struct problem *problem) {
    struct writer *writer = calloc(1, sizeof *writer);
    struct db_options options = settings->database;
    options.lock_timeout_ms = LOCK_PATIENCE_MS;
    if (writer == NULL || (writer->db = db_new(&options)) == NULL) {
        free(writer);
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory.");
    }
    writer->next_replan = FIRST_REPLAN_RECORDS;
    writer->queue_max = settings->queue_max;
    writer->owner = (struct batch_owner){.more = take_more,
                                         .ended = batch_ended,
                                         .context = writer,
                                         .batch_max = settings->batch_max};
    writer->lock_timeout_us = (int64_t)settings->database.lock_timeout_ms * 1000;
    pthread_mutex_init(&writer->lock, NULL);
    cond_init(&writer->changed);
    set_connected(writer, db_ready(writer->db) == DB_OK);
    if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0) {
        writer_free(writer);
        return problem_set(problem, ERR_UNAVAILABLE, "Cannot start the writer's thread.");
    }
    *ret_writer = writer;
    return ERR_OK;
}

void writer_stop(struct writer *writer, int timeout_ms) {
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    writer->stop_by_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
}

void writer_free(struct writer *writer) {
    if (writer == NULL) {
        return;
    }
    db_free(writer->db);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}
