/*
 * Group commit: one thread, one connection; whatever waits when the last transaction has ended
 * becomes the next one. A job's `done` is called on the writer's thread after COMMIT (or after
 * the job failed), never before.
 */
#ifndef VINCULO_WRITER_H
#define VINCULO_WRITER_H

#include "vinculo/db.h"
#include "vinculo/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome {
    OUTCOME_NONE, /* not tried */
    OUTCOME_CREATED,
    OUTCOME_UNCHANGED,
    OUTCOME_UPDATED,
    OUTCOME_REJECTED /* problem says why */
};

struct write_item {
    struct record record; /* of one workspace and kind; after an unchanged single: the stored one */
    enum outcome outcome;
    struct problem problem;
};

struct write_job {
    int workspace_id;
    struct write_item *items;
    size_t count;
    bool single;  /* goes before streams; an unchanged record is read back */
    bool replace; /* where the id has other content, replace it instead of refusing */
    void (*done)(struct write_job *job);
    void *context;
    int64_t queued_us; /* private, as next */
    struct write_job *next;
};

struct writer;

struct writer_settings {
    struct db_options database;
    size_t queue_max; /* records that wait */
    size_t batch_max; /* records of single posts in one transaction */
};

/* Starts the thread; it connects by itself, and again after every loss. */
MUST_CHECK enum err writer_start(const struct writer_settings *settings, struct writer **ret_writer,
                                 struct problem *problem);

/* Queues a job; it and its items belong to the writer until done. ERR_QUEUE_FULL or
 * ERR_SHUTTING_DOWN: refused, still the caller's. */
MUST_CHECK enum err writer_submit(struct writer *writer, struct write_job *job,
                                  struct problem *problem);

bool writer_is_connected(const struct writer *writer);

/* Refuses new jobs, finishes the queue until the deadline, fails the rest (503), joins. */
void writer_stop(struct writer *writer, int timeout_ms);
void writer_free(struct writer *writer);

#endif
