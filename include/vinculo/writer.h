/*
 * Group commit: one thread, one connection; whatever waits when the last transaction's COMMIT has
 * been sent becomes the next one, which is sent behind it. A job's `done` is called on the writer's
 * thread after COMMIT (or after the job failed), never before.
 */
#ifndef VINCULO_WRITER_H
#define VINCULO_WRITER_H

#include "vinculo/db.h"
#include "vinculo/record.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome {
    OUTCOME_NONE, /* not tried */
    OUTCOME_CREATED,
    OUTCOME_UNCHANGED,
    OUTCOME_UPDATED,
    OUTCOME_REJECTED,  /* problem says why */
    OUTCOME_NOT_STORED /* nothing against it, but another item of its atomic job was refused */
};

/* What happens where the id is taken by other content. */
enum on_conflict {
    ON_CONFLICT_REFUSE,
    ON_CONFLICT_REPLACE,
    ON_CONFLICT_MERGE /* RFC 7396: what was sent into what is stored; then checked like a POST */
};

/* Its owner releases it with write_item_clear, after `done`. */
struct write_item {
    struct record record; /* as sent */
    json_t *patch;        /* MERGE: what was sent; NULL otherwise */
    bool partial;         /* MERGE: the record holds its id alone, being no whole one by itself */
    int64_t checked_us;   /* MERGE: the clock by which it was checked, and is checked again */
    enum outcome outcome;
    struct problem problem;
};

struct write_job {
    int workspace_id;
    struct write_item *items;
    size_t count;
    bool single; /* goes before streams */
    bool atomic; /* all items or none, in a transaction of their own; not for a single */
    enum on_conflict on_conflict;
    struct record_context
        check; /* MERGE: how the merged record is checked; default_id is set here */
    /* Of a single: where the stored record goes when it is not the one sent (unchanged, merged);
     * the caller's, empty before. NULL: nobody asks. */
    struct record *ret_stored;
    void (*done)(struct write_job *job);
    void *context;
    int64_t queued_us, due_us; /* private, as next */
    struct write_job *next;
};

/* As clients see it, such as "created". */
const char *outcome_name(enum outcome outcome);
void write_item_clear(struct write_item *item);

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
