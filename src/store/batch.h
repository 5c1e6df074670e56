/* One writer transaction: batch.c orders and stores, conflict.c settles ids that are taken. */
#ifndef VINCULO_STORE_BATCH_H
#define VINCULO_STORE_BATCH_H

#include "vinculo/writer.h"

/* Stores the items of all jobs that have no outcome yet in one transaction and sets their outcomes;
 * where the data of one item makes the transaction fail, halves it until that item stands alone and
 * is refused. An atomic job comes alone and is stored whole or not at all. Items of a workspace
 * whose lock is not to be had stay OUTCOME_NONE: try again later. Returns the number of records
 * tried. */
size_t batch_write(struct db *db, struct write_job *jobs);

/* One item on its way into the database. */
struct entry {
    struct write_item *item;
    const struct write_job *job;
    size_t position; /* order of arrival */
    size_t round;    /* how many earlier entries have the same kind, workspace and id */
    /* Its id is taken by other content, or it is partial: settled after the round's INSERT. */
    bool taken;
    struct record *merged; /* to be stored instead of what was sent; owned */
};

/* The id has the same content already. */
MUST_CHECK enum db_status conflict_settle_same(struct db *db, struct entry *entry);
/* Refuses, replaces or merges the taken ones of `count` entries of one kind, ids unique among them,
 * as their jobs want it: two statements for all. */
MUST_CHECK enum db_status conflict_settle_taken(struct db *db, struct entry *entries, size_t count,
                                                size_t round);

#endif
