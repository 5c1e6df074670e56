/*
 * Additive totals: what the aggregates hold, summed over one period and one filter. The one list
 * below yields the struct's members and the column names of the query that fills it.
 */
#ifndef VINCULO_TOTALS_H
#define VINCULO_TOTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Counts in [a, b) unless said otherwise.
 *
 * Surveys, headline only (scored, solicited, no aspect), by answered_at:
 *   nps_*, csat_*, ces_* by class; csat_sum180 = Σ 180 (score − min)/(max − min);
 *   ces5_*, ces7_*: answers and Σ score per scale after turning low_is_easy round.
 * Invitations by sent_at (every survey with sent_at): sent, answered (within the response window),
 *   answered_late.
 * Comments by answered_at (every survey with a comment): comments_positive … comments_unscored.
 *
 * Interactions: opened (by opened_at), responded (by first_response_at), resolved (by resolved_at),
 *   closed_unresolved (by closed_at, no resolved_at): all interactions. open_at_end: opened before
 *   b, neither resolved nor closed before b.
 *   Service = inbound and not bot: response_n, resolution_n, contact_first, contact_known;
 *   response_waiting: opened before b, neither answered, resolved nor closed before b;
 *   resolution_waiting: opened before b, neither resolved nor closed before b.
 *
 * Life: at_start, at_end (active at a, at b), lost (active at a, not at b), lost_new (started in
 *   the period, not active at b), lost_voluntary, lost_involuntary (parts of lost), acquired,
 *   reactivated, cancelled (effective), redundant.
 *
 * Presence, for null reasons: surveys_before, interactions_before, customers_before,
 *   cancellations_stored: 1 where a record exists (of the workspace, dated before b; of the filter
 *   for customers_before; anywhere for cancellations_stored), else 0.
 */
#define TOTALS_COUNTS(X)                                                                           \
    X(nps_promoters)                                                                               \
    X(nps_passives)                                                                                \
    X(nps_detractors)                                                                              \
    X(csat_satisfied)                                                                              \
    X(csat_neutral)                                                                                \
    X(csat_dissatisfied)                                                                           \
    X(csat_sum180)                                                                                 \
    X(ces_easy)                                                                                    \
    X(ces_neutral)                                                                                 \
    X(ces_hard)                                                                                    \
    X(ces5_n)                                                                                      \
    X(ces5_sum)                                                                                    \
    X(ces7_n)                                                                                      \
    X(ces7_sum)                                                                                    \
    X(sent)                                                                                        \
    X(answered)                                                                                    \
    X(answered_late)                                                                               \
    X(comments_positive)                                                                           \
    X(comments_neutral)                                                                            \
    X(comments_negative)                                                                           \
    X(comments_unscored)                                                                           \
    X(opened)                                                                                      \
    X(responded)                                                                                   \
    X(resolved)                                                                                    \
    X(closed_unresolved)                                                                           \
    X(open_at_end)                                                                                 \
    X(response_n)                                                                                  \
    X(response_waiting)                                                                            \
    X(resolution_n)                                                                                \
    X(resolution_waiting)                                                                          \
    X(contact_first)                                                                               \
    X(contact_known)                                                                               \
    X(at_start)                                                                                    \
    X(at_end)                                                                                      \
    X(lost)                                                                                        \
    X(lost_new)                                                                                    \
    X(lost_voluntary)                                                                              \
    X(lost_involuntary)                                                                            \
    X(acquired)                                                                                    \
    X(reactivated)                                                                                 \
    X(cancelled)                                                                                   \
    X(redundant)                                                                                   \
    X(surveys_before)                                                                              \
    X(interactions_before)                                                                         \
    X(customers_before)                                                                            \
    X(cancellations_stored)

/*
 * Durations as a DDSketch (Masson et al. 2019), relative accuracy SKETCH_ALPHA, of values in µs:
 * bucket i ≥ 0 holds the values v with γ^(i−1) < v ≤ γ^i, γ = (1 + α)/(1 − α); bucket −1 holds
 * zeros. A bucket's value is 2γ^i/(γ + 1).
 */
#define SKETCH_ALPHA 0.009
enum { SKETCH_ZERO_BUCKET = -1 };

struct sketch {
    size_t size;     /* buckets, ascending */
    int32_t *bucket; /* owned by whoever filled the totals */
    int64_t *count;
    double sum_us; /* exact sum of the values, µs (rounded to double once) */
};

struct totals {
#define TOTALS_MEMBER(name) int64_t name;
    TOTALS_COUNTS(TOTALS_MEMBER)
#undef TOTALS_MEMBER
    struct sketch response;   /* service interactions, by first_response_at: response_n values */
    struct sketch resolution; /* service interactions, by resolved_at: resolution_n values */
};

struct totals_column {
    const char *name;
    size_t offset; /* of the int64_t in struct totals */
};
extern const struct totals_column totals_columns[];
extern const size_t totals_column_count;

void totals_clear(struct totals *totals); /* frees the sketches, zeroes */

#endif
