/* One writer transaction. */
#ifndef VINCULO_STORE_BATCH_H
#define VINCULO_STORE_BATCH_H

#include "vinculo/writer.h"

/* Stores the items of all jobs that have no outcome yet in one transaction and sets their outcomes;
 * where the data of one item makes the transaction fail, halves it until that item stands alone and
 * is refused. Items of a workspace whose lock is not to be had stay OUTCOME_NONE: try again later.
 * Returns the number of records tried. */
size_t batch_write(struct db *db, struct write_job *jobs);

#endif
