/*
 * Statistics behind the intervals and p-values; pure functions of counts. All intervals are
 * two-sided at 95 %. Sources stand with each function and in the tests that replay their examples.
 */
#ifndef VINCULO_STATS_H
#define VINCULO_STATS_H

#include "vinculo/totals.h"

#include <stdbool.h>
#include <stdint.h>

/* 97.5 % quantile of the standard normal distribution. */
#define STATS_Z 1.959963984540054

/* Wilson score interval of x/n (n > 0) as proportions in [0, 1], containing x/n.
 * Newcombe 1998, Statistics in Medicine 17, method 3. */
void stats_wilson(int64_t x, int64_t n, double *ret_low, double *ret_high);

/* Adjusted Wald interval of an NPS in points (−100…100): n + 3, ¾ added to promoters and
 * detractors; clamped and widened to hold the raw value. Rocks 2016, American Statistician 70. */
void stats_nps_interval(int64_t promoters, int64_t passives, int64_t detractors, double *ret_low,
                        double *ret_high);

/* Two-sided p of a difference of two NPS samples (same adjustment), z = (m1−m2)/√(v1+v2). */
double stats_nps_p_value(const int64_t first[3], const int64_t second[3]);

/* Two-sided p of x1/n1 against x2/n2, N−1 two-proportion test (Campbell 2007); 1 where the
 * proportions are equal. n1, n2 > 0. */
double stats_proportions_p_value(int64_t x1, int64_t n1, int64_t x2, int64_t n2);

/* Score interval of a Poisson mean from a count x: x + z²/2 ∓ z √(x + z²/4). Not below 0.
 * Barker 2002, American Statistician 56, "A comparison of nine confidence intervals for a Poisson
 * parameter when the expected number of events is ≤ 5". */
void stats_poisson_score(int64_t x, double *ret_low, double *ret_high);

/* Largest r with P(Bin(n, ½) ≤ r − 1) ≤ 0.025, or 0 where there is none (n < 6): the interval of
 * the median is [x(r), x(n+1−r)]. */
int64_t stats_median_rank(int64_t n);

/* Values in seconds. rank is 0-based among the sketch's count; quantile interpolates between the
 * floor and ceiling of p(n − 1). The sketch must not be empty. */
double stats_sketch_at(const struct sketch *sketch, int64_t rank);
double stats_sketch_quantile(const struct sketch *sketch, double p);
int64_t stats_sketch_count(const struct sketch *sketch);

#endif
