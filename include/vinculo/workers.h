/*
 * A pool of threads, each with a connection of its own, for everything that waits for the database
 * but is not a POST: reads, PUT, PATCH, DELETE.
 */
#ifndef VINCULO_WORKERS_H
#define VINCULO_WORKERS_H

#include "vinculo/db.h"

#include <stdbool.h>
#include <stddef.h>

/* Embedded in the caller's own structure; `run` finds that by its own means (container). */
struct work {
    void (*run)(struct work *work, struct db *db); /* on a worker's thread; db may be closed */
    /* Instead of run: ERR_SHUTTING_DOWN once the pool is stopped, ERR_UNAVAILABLE where it has
     * waited for a connection longer than a statement may take. */
    void (*refuse)(struct work *work, enum err code);
    int64_t queued_us; /* private, as next */
    struct work *next;
};

struct workers;

MUST_CHECK enum err workers_start(const struct db_options *database, size_t threads,
                                  size_t queue_max, struct workers **ret_workers,
                                  struct problem *problem);
/* ERR_QUEUE_FULL or ERR_SHUTTING_DOWN: refused. */
MUST_CHECK enum err workers_submit(struct workers *workers, struct work *work,
                                   struct problem *problem);
/* Refuses what is queued, abandons the statements that still run, and joins: soon, whatever a
 * statement was allowed. Callers that want the queue done wait for it before. */
void workers_stop(struct workers *workers);
void workers_free(struct workers *workers);

#endif
