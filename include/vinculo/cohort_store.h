/*
 * Cohorts: of the customers who first started in a period, how many are active as time goes by.
 * Read from the life events in one snapshot. Runs on a worker's thread.
 */
#ifndef VINCULO_COHORT_STORE_H
#define VINCULO_COHORT_STORE_H

#include "vinculo/db.h"
#include "vinculo/kpi_store.h"
#include "vinculo/period.h"

#include <stddef.h>
#include <stdint.h>

enum { COHORTS_MAX = 120, COHORT_CELLS_MAX = 120 };

struct cohort_query {
    int workspace_id;
    const char *segment; /* the customer's; NULL: all */
    const char *channel;
    /* Resolves the periods of the rows once the clock is known: neighbours of one granularity, in
     * order, at most COHORTS_MAX. Its error ends the query. The array is freed by
     * cohort_answer_clear. */
    enum err (*plan)(void *context, const struct kpi_clock *clock, struct period **ret_periods,
                     size_t *ret_count, struct problem *problem);
    void *context;
};

/* The customers who first started in a period, and cell by cell those of them who were active at
 * the start of the k-th period after it; cell 0 counts all. A period's start that is still to come
 * has no cell, so the cell_count of a period yet to begin is 0. */
struct cohort {
    size_t cell_count;
    int64_t cells[COHORT_CELLS_MAX];
};

struct cohort_answer {
    struct kpi_clock clock;
    struct period *periods;
    struct cohort *cohorts; /* one per period */
    size_t count;
};

MUST_CHECK enum err cohort_store_read(struct db *db, const struct cohort_query *query,
                                      struct cohort_answer *ret_answer, struct problem *problem);
void cohort_answer_clear(struct cohort_answer *answer);

#endif
