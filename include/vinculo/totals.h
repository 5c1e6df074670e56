/*
 * Additive totals: what the aggregates hold, summed over stretches of time, and what follows for
 * one period and filter. The lists below yield the structs' members and the queries that fill them.
 */
#ifndef VINCULO_TOTALS_H
#define VINCULO_TOTALS_H

#include "vinculo/err.h"
#include "vinculo/period.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Columns of the totals tables, each list one table; migrations say what they count. COUNT: an
 * integer; SUM: a sum that may be large (µs, minor units), kept as a double, exact to 2^53.
 */
#define TOTALS_SURVEYS(COUNT, SUM)                                                                 \
    COUNT(nps_promoters)                                                                           \
    COUNT(nps_passives)                                                                            \
    COUNT(nps_detractors)                                                                          \
    COUNT(csat_satisfied)                                                                          \
    COUNT(csat_neutral)                                                                            \
    COUNT(csat_dissatisfied)                                                                       \
    COUNT(csat_sum180)                                                                             \
    COUNT(ces_easy)                                                                                \
    COUNT(ces_neutral)                                                                             \
    COUNT(ces_hard)                                                                                \
    COUNT(ces5_n)                                                                                  \
    COUNT(ces5_sum)                                                                                \
    COUNT(ces7_n)                                                                                  \
    COUNT(ces7_sum)                                                                                \
    COUNT(sent)                                                                                    \
    COUNT(answered)                                                                                \
    COUNT(answered_late)                                                                           \
    COUNT(comments_positive)                                                                       \
    COUNT(comments_neutral)                                                                        \
    COUNT(comments_negative)                                                                       \
    COUNT(comments_unscored)                                                                       \
    COUNT(scored)                                                                                  \
    COUNT(low)                                                                                     \
    COUNT(followed_up)                                                                             \
    COUNT(followed_up_48h)
#define TOTALS_INTERACTIONS(COUNT, SUM)                                                            \
    COUNT(opened)                                                                                  \
    COUNT(responded)                                                                               \
    COUNT(resolved)                                                                                \
    COUNT(closed_unresolved)                                                                       \
    COUNT(service_opened)                                                                          \
    COUNT(service_attended)                                                                        \
    COUNT(service_ended)                                                                           \
    COUNT(response_n)                                                                              \
    COUNT(resolution_n)                                                                            \
    COUNT(contact_first)                                                                           \
    COUNT(contact_known)                                                                           \
    SUM(response_us)                                                                               \
    SUM(resolution_us)
#define TOTALS_LIFE(COUNT, SUM)                                                                    \
    COUNT(acquired)                                                                                \
    COUNT(reactivated)                                                                             \
    COUNT(cancelled)                                                                               \
    COUNT(redundant)                                                                               \
    COUNT(lost_month)                                                                              \
    COUNT(lost_new_month)                                                                          \
    COUNT(lost_voluntary_month)                                                                    \
    COUNT(lost_involuntary_month)                                                                  \
    COUNT(lost_quarter)                                                                            \
    COUNT(lost_new_quarter)                                                                        \
    COUNT(lost_voluntary_quarter)                                                                  \
    COUNT(lost_involuntary_quarter)                                                                \
    COUNT(lost_year)                                                                               \
    COUNT(lost_new_year)                                                                           \
    COUNT(lost_voluntary_year)                                                                     \
    COUNT(lost_involuntary_year)                                                                   \
    COUNT(lost_trailing)                                                                           \
    COUNT(lost_new_trailing)                                                                       \
    COUNT(lost_voluntary_trailing)                                                                 \
    COUNT(lost_involuntary_trailing)
#define TOTALS_PAYMENTS(COUNT, SUM)                                                                \
    COUNT(payments)                                                                                \
    SUM(gross)                                                                                     \
    SUM(refunds)                                                                                   \
    SUM(attributed)
#define TOTALS_CUSTOMER_REVENUE(COUNT, SUM)                                                        \
    COUNT(customer_payments)                                                                       \
    SUM(customer_revenue)
#define TOTALS_COSTS(COUNT, SUM)                                                                   \
    COUNT(costs_counted)                                                                           \
    SUM(cost_amount)
#define TOTALS_COLUMNS(COUNT, SUM)                                                                 \
    TOTALS_SURVEYS(COUNT, SUM)                                                                     \
    TOTALS_INTERACTIONS(COUNT, SUM)                                                                \
    TOTALS_LIFE(COUNT, SUM)                                                                        \
    TOTALS_PAYMENTS(COUNT, SUM)                                                                    \
    TOTALS_CUSTOMER_REVENUE(COUNT, SUM)                                                            \
    TOTALS_COSTS(COUNT, SUM)

enum totals_source {
    SOURCE_SURVEYS,
    SOURCE_INTERACTIONS,
    SOURCE_LIFE,
    SOURCE_PAYMENTS,
    SOURCE_CUSTOMER_REVENUE,
    SOURCE_COSTS,
    SOURCE_COUNT
};

#define TOTALS_COUNT_MEMBER(name) int64_t name;
#define TOTALS_SUM_MEMBER(name) double name;

/* Every column over one stretch of time. */
struct sums {
    TOTALS_COLUMNS(TOTALS_COUNT_MEMBER, TOTALS_SUM_MEMBER)
};

/*
 * Durations as a DDSketch (Masson et al. 2019), relative accuracy SKETCH_ALPHA, of values in µs:
 * bucket i ≥ 0 holds the values v with γ^(i−1) < v ≤ γ^i, γ = (1 + α)/(1 − α); bucket −1 holds
 * zeros. A bucket's value is 2γ^i/(γ + 1).
 */
#define SKETCH_ALPHA 0.009
enum { SKETCH_ZERO_BUCKET = -1 };

struct sketch {
    size_t size;     /* buckets, ascending */
    int32_t *bucket; /* owned */
    int64_t *count;
    double sum_us; /* exact sum of the values, µs (rounded to double once); 0: not kept */
};

/* Adds `from` to `into`; false where memory is short (`into` is unchanged then). */
MUST_CHECK bool sketch_add(struct sketch *into, const struct sketch *from);
void sketch_clear(struct sketch *sketch);

/*
 * What a figure is made of: the sums in the period [a, b), and
 *   balances at its ends: open_at_end (opened before b, neither resolved nor closed before b),
 *     response_waiting, resolution_waiting (service interactions opened before b, neither ended
 * nor, for the first, answered before b), at_start, at_end (customers active at a, at b); lost
 * (active at a, not at b), lost_new (started in the period, not active at b), lost_voluntary,
 *     lost_involuntary (parts of lost);
 *   buyers (customers with a payment above zero), repeat_buyers (who had bought before, or on two
 *     days of the period), previous_buyers (of the previous equal period), returning_buyers (of
 *     both);
 *   previous_payments, previous_revenue of the previous equal period;
 *   presence, for null reasons: *_before: 1 where the workspace has a record of the kind dated
 *     before b (customers_before: in the filter), cancellations_stored: has any at all; else 0.
 */
#define TOTALS_DERIVED(COUNT, SUM)                                                                 \
    COUNT(open_at_end)                                                                             \
    COUNT(response_waiting)                                                                        \
    COUNT(resolution_waiting)                                                                      \
    COUNT(at_start)                                                                                \
    COUNT(at_end)                                                                                  \
    COUNT(lost)                                                                                    \
    COUNT(lost_new)                                                                                \
    COUNT(lost_voluntary)                                                                          \
    COUNT(lost_involuntary)                                                                        \
    COUNT(buyers)                                                                                  \
    COUNT(repeat_buyers)                                                                           \
    COUNT(previous_buyers)                                                                         \
    COUNT(returning_buyers)                                                                        \
    COUNT(previous_payments)                                                                       \
    SUM(previous_revenue)                                                                          \
    COUNT(surveys_before)                                                                          \
    COUNT(interactions_before)                                                                     \
    COUNT(customers_before)                                                                        \
    COUNT(payments_before)                                                                         \
    COUNT(cancellations_stored)

struct totals {
    TOTALS_COLUMNS(TOTALS_COUNT_MEMBER, TOTALS_SUM_MEMBER)
    TOTALS_DERIVED(TOTALS_COUNT_MEMBER, TOTALS_SUM_MEMBER)
    struct sketch response;   /* service interactions, by first_response_at: response_n values */
    struct sketch resolution; /* service interactions, by resolved_at: resolution_n values */
    struct sketch follow_up;  /* low scores, from answer to action: followed_up values */
};

struct totals_column {
    const char *name;
    enum totals_source source;
    size_t offset; /* in struct sums and in struct totals */
    bool is_sum;   /* a double, else an int64_t */
};
extern const struct totals_column totals_columns[]; /* in the order of their sources */
extern const size_t totals_column_count;

/* Does totals_derive need the sums of all the time before a? */
bool totals_has_balances(enum totals_source source);

void totals_clear(struct totals *totals); /* frees the sketches, zeroes */

/* Adds every column of a stretch of time to sums, or (the first members) to totals. */
void sums_add(struct sums *into, const struct sums *from);
void totals_add_sums(struct totals *into, const struct sums *from);
/* Adds the buyers of one month of the period or of the equal one before it, both of whole months.
 * `month` is its first day; bucket 4096 × p + s of `pairs` holds those whose previous month with a
 * purchase is p and whose second day with one, ever, lies in s: months counted from 1900-01, which
 * is 1; p 0: none before; s 4095: none, or an earlier month's. A buyer counts in the first month in
 * the period, the one whose p lies before it. */
void totals_add_buyers(struct totals *totals, const struct period *period, int32_t month,
                       const struct sketch *pairs);
/* Fills balances, losses and previous_* from sums of the time before a, in the previous equal
 * period and, of twelve whole months, in the last of these (NULL for other periods); the period's
 * own sums are in already. Losses of other ranges are the caller's to fill. */
void totals_derive(struct totals *totals, const struct period *period, const struct sums *before,
                   const struct sums *previous, const struct sums *last_month);

#endif
