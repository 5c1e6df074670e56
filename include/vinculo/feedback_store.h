/*
 * What customers wrote: searching comments, the words of a period's comments; and what drives their
 * overall score. Each reads in one snapshot, on a worker's thread.
 */
#ifndef VINCULO_FEEDBACK_STORE_H
#define VINCULO_FEEDBACK_STORE_H

#include "vinculo/driver.h"
#include "vinculo/kpi_store.h"
#include "vinculo/record_list.h"

enum {
    TERMS_READ_MAX = 10000, /* comments of a period, the newest */
    TERMS_MAX = 200,
    DRIVERS_MAX = 100, /* aspects, the most answered ones */
    LANGUAGE_TEXT_MAX = 3
};

/* The period that is asked for, once the workspace's clock is known; its error ends the reading. */
struct feedback_period {
    enum err (*plan)(void *context, const struct kpi_clock *clock, struct period *ret_period,
                     struct problem *problem);
    void *context;
};

/* What a list of comments needs to know first: the days of `period` (NULL: as list->from and to
 * have it), and how the search is carried out in the workspace's language. ERR_INVALID_PARAMETER
 * (parameter q) where it is nothing but stop words, ERR_UNAVAILABLE, the plan's own. */
MUST_CHECK enum err feedback_store_begin(struct db *db, const struct feedback_period *period,
                                         struct record_list *list, struct problem *problem);

/* What terms and drivers are asked for. */
struct feedback_query {
    int workspace_id;
    const char *segment; /* NULL: all */
    const char *channel;
    struct feedback_period period;
    size_t limit; /* terms */
};

/* A term, and how many comments have it. */
struct term {
    char *lexeme; /* owned, as is word: its most frequent form */
    char *word;
    int64_t n, positive, neutral, negative, unscored;
    int64_t before; /* in the period before */
};

struct feedback_terms {
    struct kpi_clock clock;
    struct period period, previous;
    char language[LANGUAGE_TEXT_MAX];
    int64_t total, total_before; /* comments; the newest TERMS_READ_MAX of each are read */
    struct term *terms;          /* owned; most frequent first */
    size_t count;
};

MUST_CHECK enum err feedback_store_terms(struct db *db, const struct feedback_query *query,
                                         struct feedback_terms *ret_terms, struct problem *problem);
void feedback_terms_clear(struct feedback_terms *terms);

struct feedback_drivers {
    struct kpi_clock clock;
    struct period period;
    struct driver_totals *totals; /* owned; one per aspect, most answered first */
    size_t count;
};

MUST_CHECK enum err feedback_store_drivers(struct db *db, const struct feedback_query *query,
                                           struct feedback_drivers *ret_drivers,
                                           struct problem *problem);
void feedback_drivers_clear(struct feedback_drivers *drivers);

#endif
