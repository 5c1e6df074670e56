/*
 * Totals of periods, read from the aggregates in one snapshot. Runs on a worker's thread.
 */
#ifndef VINCULO_KPI_STORE_H
#define VINCULO_KPI_STORE_H

#include "vinculo/db.h"
#include "vinculo/period.h"
#include "vinculo/totals.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMEZONE_TEXT_MAX = 64 };

/* What the workspace says before periods can be resolved. */
struct kpi_clock {
    char timezone[TIMEZONE_TEXT_MAX];
    int32_t today; /* civil date there */
    int response_window_days;
    bool has_data;
    int32_t first, last; /* days that have records; meaningful with has_data */
};

struct kpi_query {
    int workspace_id;
    const char *segment; /* NULL: all */
    const char *channel;
    /* Resolves the periods, once the clock is known. Its error ends the query. The array is freed
     * by kpi_answer_clear. */
    enum err (*plan)(void *context, const struct kpi_clock *clock, struct period **ret_periods,
                     size_t *ret_count, struct problem *problem);
    void *context;
};

struct kpi_answer {
    struct kpi_clock clock;
    struct period *periods;
    struct totals *totals; /* one per period */
    size_t count;
};

MUST_CHECK enum err kpi_store_read(struct db *db, const struct kpi_query *query,
                                   struct kpi_answer *ret_answer, struct problem *problem);
void kpi_answer_clear(struct kpi_answer *answer);

#endif
