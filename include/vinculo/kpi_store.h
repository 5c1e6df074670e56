/*
 * Totals of periods, by filter or by label, read from the aggregates in one snapshot. Runs on a
 * worker's thread.
 */
#ifndef VINCULO_KPI_STORE_H
#define VINCULO_KPI_STORE_H

#include "vinculo/db.h"
#include "vinculo/keyring.h" /* CURRENCY_TEXT_MAX */
#include "vinculo/kpi.h"
#include "vinculo/period.h"
#include "vinculo/target.h"
#include "vinculo/totals.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMEZONE_TEXT_MAX = 64 };

/* Groups of an answer by label: the largest; one for all others and one without label may follow.
 */
enum { KPI_GROUPS_MAX = 100 };

/* Of which totals there are changes that have not been added to them (migrations/0004). */
struct kpi_waiting {
    bool source[SOURCE_COUNT];
    bool buyers;
};

/* What the workspace says before periods can be resolved. */
struct kpi_clock {
    char timezone[TIMEZONE_TEXT_MAX];
    char currency[CURRENCY_TEXT_MAX];
    int32_t today; /* civil date there */
    struct kpi_settings settings;
    bool has_data;
    int32_t first, last; /* days that have records, at most today; meaningful with has_data */
    /* First day with a record of the kind, INT32_MAX: none. */
    int32_t surveys_from, interactions_from, payments_from;
    bool cancellations_stored;
    int64_t version;     /* of the workspace's data and settings */
    int64_t day_ends_us; /* when today ends there */
    struct kpi_waiting waiting;
};

/* Actions: those open, of these the ones that were due before today, and those done in the answer's
 * first period. */
struct kpi_actions {
    int64_t open, overdue, done;
};

struct kpi_query {
    int workspace_id;
    const char *segment; /* NULL: all */
    const char *channel;
    enum kpi_label by; /* KPI_LABEL_NONE: one figure for all */
    unsigned needs;    /* bits of enum kpi_need: what is read; all else stays 0 */
    /* What each period needs of it, one per period; NULL: all. Sketches, losses and purchases are
     * not read for periods that do not need them. */
    const unsigned *period_needs;
    enum totals_source ranked_by;    /* whose records make a group large */
    struct kpi_actions *ret_actions; /* NULL: they are not asked for */
    /* Resolves the periods, once the clock is known. Its error ends the query. The array is freed
     * by kpi_answer_clear. */
    enum err (*plan)(void *context, const struct kpi_clock *clock, struct period **ret_periods,
                     size_t *ret_count, struct problem *problem);
    void *context;
};

struct kpi_group {
    char *label; /* owned; "" without a label */
    bool other;  /* all groups that are not among the largest */
};

struct kpi_answer {
    struct kpi_clock clock;
    struct target_set targets;
    struct period *periods;
    size_t count;
    struct kpi_group *groups; /* one without label where nothing was asked by label */
    size_t group_count;
    struct totals *totals; /* those of group g and period p at g × count + p */
};

MUST_CHECK enum err kpi_store_read(struct db *db, const struct kpi_query *query,
                                   struct kpi_answer *ret_answer, struct problem *problem);
void kpi_answer_clear(struct kpi_answer *answer);

/* The workspace's clock alone, inside a running transaction. */
MUST_CHECK enum db_status kpi_store_read_clock(struct db *db, int workspace_id,
                                               struct kpi_clock *ret_clock);

#endif
