/* One writer transaction: batch.c orders and stores, conflict.c settles ids that are taken. */
#ifndef VINCULO_STORE_BATCH_H
#define VINCULO_STORE_BATCH_H

#include "vinculo/writer.h"

/* Whom batches are written for. */
struct batch_owner {
    /* Takes further singles of these workspaces (ascending), `room` at most; NULL: none. It is
     * called inside the transaction, while the workspaces' locks are held. */
    struct write_job *(*more)(void *context, const int *workspaces, size_t count, size_t room);
    /* Takes back the jobs of a batch that has ended, with those that more() added; `records` were
     * tried. It may not use the connection, which may be at the next batch. */
    void (*ended)(void *context, struct write_job *jobs, size_t records);
    void *context;
    size_t batch_max; /* records */
    /* The last batch had to wait for its lock: others write to the same workspaces. Kept here from
     * one batch to the next, false at first. */
    bool crowded;
    struct batch *refused; /* at their COMMIT, to be written again; NULL at first */
};

/* Stores the items of all jobs that have no outcome yet in one transaction and sets their outcomes;
 * where the data of one item makes the transaction fail, halves it until that item stands alone and
 * is refused. An atomic job comes alone and is stored whole or not at all. Items of a workspace
 * whose lock is not to be had stay OUTCOME_NONE: try again later. Does not wait for the COMMIT: the
 * jobs are the batch's until owner->ended, which is called when the next batch has been sent, or in
 * batch_settle; at once where the transaction failed. */
void batch_write(struct db *db, struct write_job *jobs, struct batch_owner *owner);

/* Waits for the last batch's COMMIT, if it is under way; what was refused there is written again.
 */
void batch_settle(struct db *db, struct batch_owner *owner);

/* For qsort and bsearch. */
static inline int batch_compare_workspaces(const void *first, const void *second) {
    const int *a = first;
    const int *b = second;
    return (*a > *b) - (*a < *b);
}

/* One item on its way into the database. */
struct entry {
    struct write_item *item;
    const struct write_job *job;
    size_t position;       /* order of arrival */
    size_t round;          /* how many earlier entries have the same kind, workspace and id */
    struct record *merged; /* to be stored instead of what was sent; owned */
};

/* After a round's INSERT: of `count` entries of one kind those of the round without an outcome,
 * whose ids are taken or which are partial. The same content is left as it is; the rest is refused,
 * replaced or merged, as the jobs want it. Three statements at most for all. */
MUST_CHECK enum db_status conflict_settle(struct db *db, struct entry *entries, size_t count,
                                          size_t round);

#endif
