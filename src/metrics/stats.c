/* Intervals and p-values (see vinculo/stats.h). */
#include "vinculo/stats.h"

#include <assert.h>
#include <math.h>

static double two_sided_p(double z) { return erfc(fabs(z) / sqrt(2)); }

void stats_wilson(int64_t x, int64_t n, double *ret_low, double *ret_high) {
    assert(n > 0 && x >= 0 && x <= n);
    const double square = STATS_Z * STATS_Z;
    double successes = (double)x, size = (double)n;
    double scale = size + square;
    double centre = (successes + square / 2) / scale;
    double half = STATS_Z / scale * sqrt(successes * (size - successes) / size + square / 4);
    double proportion = successes / size;
    /* At 0 and n an end is the proportion itself, from which rounding may stray. */
    *ret_low = x == 0 ? 0 : fmin(fmax(centre - half, 0), proportion);
    *ret_high = x == n ? 1 : fmax(fmin(centre + half, 1), proportion);
}

/* Mean and its variance of answers valued 1, 0, −1, with three pseudo-answers added. */
static void nps_moments(int64_t promoters, int64_t passives, int64_t detractors, double *ret_mean,
                        double *ret_variance) {
    double size = (double)(promoters + passives + detractors) + 3;
    double up = ((double)promoters + 0.75) / size;
    double down = ((double)detractors + 0.75) / size;
    double mean = up - down;
    *ret_mean = mean;
    *ret_variance = (up + down - mean * mean) / size;
}

void stats_nps_interval(int64_t promoters, int64_t passives, int64_t detractors, double *ret_low,
                        double *ret_high) {
    int64_t n = promoters + passives + detractors;
    assert(n > 0);
    double mean, variance;
    nps_moments(promoters, passives, detractors, &mean, &variance);
    double half = STATS_Z * sqrt(variance);
    double value = 100 * (double)(promoters - detractors) / (double)n;
    *ret_low = fmin(fmax(100 * (mean - half), -100), value);
    *ret_high = fmax(fmin(100 * (mean + half), 100), value);
}

double stats_nps_p_value(const int64_t first[3], const int64_t second[3]) {
    double first_mean, first_variance, second_mean, second_variance;
    nps_moments(first[0], first[1], first[2], &first_mean, &first_variance);
    nps_moments(second[0], second[1], second[2], &second_mean, &second_variance);
    return two_sided_p((first_mean - second_mean) / sqrt(first_variance + second_variance));
}

double stats_proportions_p_value(int64_t x1, int64_t n1, int64_t x2, int64_t n2) {
    assert(n1 > 0 && n2 > 0);
    double size1 = (double)n1, size2 = (double)n2, size = size1 + size2;
    double first = (double)x1 / size1, second = (double)x2 / size2;
    if (first == second) /* division rounds equal fractions to the same double */
        return 1;
    double pooled = (double)(x1 + x2) / size;
    double variance = pooled * (1 - pooled) * (1 / size1 + 1 / size2);
    return two_sided_p((first - second) / sqrt(variance) * sqrt((size - 1) / size));
}

void stats_poisson_score(int64_t x, double *ret_low, double *ret_high) {
    assert(x >= 0);
    const double square = STATS_Z * STATS_Z;
    double centre = (double)x + square / 2;
    double half = STATS_Z * sqrt((double)x + square / 4);
    *ret_low = x == 0 ? 0 : centre - half;
    *ret_high = centre + half;
}

int64_t stats_median_rank(int64_t n) {
    enum { SMALLEST = 6 };
    const double tail = 0.025;
    if (n < SMALLEST)
        return 0;
    /* One above the normal approximation lies above the answer: from there downwards by the exact
     * tail. */
    double size = (double)n;
    double k = fmax(floor(size / 2 - STATS_Z * sqrt(size) / 2), 0) + 1;
    int sign;
    double point = exp(lgamma_r(size + 1, &sign) - lgamma_r(k + 1, &sign) -
                       lgamma_r(size - k + 1, &sign) - size * log(2));
    double below = point; /* P(Bin(n, ½) ≤ k) */
    double term = point;
    for (double j = k; j > 0 && term > below * 1e-18; j--) {
        term *= j / (size - j + 1);
        below += term;
    }
    while (below > tail) {
        below -= point;
        point *= k / (size - k + 1);
        k--;
    }
    return (int64_t)k + 1;
}
