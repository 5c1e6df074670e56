/*
 * Quantiles out of a sketch that this file fills by the definition in vinculo/totals.h, against
 * exact interpolation over the raw values.
 */
#include "vinculo/stats.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MAX = 4096, VALUES_MAX = 10000 };

static int32_t bucket_of(int64_t value_us) {
    const double gamma = (1 + SKETCH_ALPHA) / (1 - SKETCH_ALPHA);
    if (value_us == 0)
        return SKETCH_ZERO_BUCKET;
    return (int32_t)ceil(log((double)value_us) / log(gamma));
}

/* Sparse, ascending. The arrays belong to the caller. */
static void fill(struct sketch *sketch, const int64_t *values_us, size_t n) {
    static int64_t dense[BUCKETS_MAX];
    memset(dense, 0, sizeof dense);
    *sketch = (struct sketch){.bucket = calloc(n, sizeof *sketch->bucket),
                              .count = calloc(n, sizeof *sketch->count)};
    for (size_t i = 0; i < n; i++) {
        dense[bucket_of(values_us[i]) + 1]++;
        sketch->sum_us += (double)values_us[i];
    }
    for (int32_t i = 0; i < BUCKETS_MAX; i++) {
        if (dense[i] > 0) {
            sketch->bucket[sketch->size] = i - 1;
            sketch->count[sketch->size++] = dense[i];
        }
    }
}

static void release(struct sketch *sketch) {
    free(sketch->bucket);
    free(sketch->count);
}

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* percentile_cont: rank p(n − 1) of the sorted values, interpolated; in seconds. */
static double exact_quantile(const int64_t *sorted_us, size_t n, double p) {
    double rank = p * (double)(n - 1), whole = floor(rank);
    size_t i = (size_t)whole;
    double low = (double)sorted_us[i];
    double high = (double)sorted_us[i + 1 < n ? i + 1 : i];
    return (low + (rank - whole) * (high - low)) / 1e6;
}

Test(sketch, one_minute_and_151_give_4560_seconds) {
    const int64_t values_us[] = {60000000, 9060000000};
    struct sketch sketch;
    fill(&sketch, values_us, 2);
    double median = stats_sketch_quantile(&sketch, 0.5);
    cr_assert(fabs(median - 4560) <= 45.6, "%f", median);
    cr_assert(fabs(stats_sketch_at(&sketch, 0) - 60) <= 0.6);
    cr_assert(fabs(stats_sketch_at(&sketch, 1) - 9060) <= 90.6);
    cr_assert_eq(stats_sketch_count(&sketch), 2);
    release(&sketch);
}

Test(sketch, zeros_are_exact) {
    const int64_t values_us[] = {0, 0, 0, 1, 1000000};
    struct sketch sketch;
    fill(&sketch, values_us, 5);
    cr_assert_eq(stats_sketch_quantile(&sketch, 0), 0.0);
    cr_assert_eq(stats_sketch_quantile(&sketch, 0.5), 0.0);
    cr_assert(fabs(stats_sketch_at(&sketch, 3) - 1e-6) <= 1e-8);
    cr_assert(fabs(stats_sketch_quantile(&sketch, 1) - 1) <= 0.01);
    release(&sketch);
}

/* Masson et al. 2019, proposition 3: a bucket's value is within α of every value in it. */
Test(sketch, every_bucket_is_within_alpha_of_its_values) {
    for (double value = 1; value < 1e17; value *= 1.0007) {
        const int64_t values_us[] = {(int64_t)value};
        struct sketch sketch;
        fill(&sketch, values_us, 1);
        double exact = (double)values_us[0] / 1e6;
        cr_assert(fabs(stats_sketch_at(&sketch, 0) - exact) <= exact * (SKETCH_ALPHA + 1e-9));
        release(&sketch);
    }
}

static double uniform(void) { return ((double)random() + 0.5) / ((double)RAND_MAX + 1); }

static double normal(void) {
    return sqrt(-2 * log(uniform())) * cos(2 * 3.14159265358979 * uniform());
}

/* Durations in µs, of shapes that help desks have and of worse ones. */
static int64_t draw(int shape) {
    switch (shape) {
    case 0: /* log-normal around an hour */
        return (int64_t)(3.6e9 * exp(1.2 * normal()));
    case 1: /* exponential, a day */
        return (int64_t)(-8.64e10 * log(uniform()));
    case 2: /* uniform, up to a week */
        return (int64_t)(6.048e11 * uniform());
    case 3: /* heavy tail */
        return (int64_t)(1e6 * pow(uniform(), -1.5));
    case 4: /* two worlds: seconds and months */
        return uniform() < 0.5 ? (int64_t)(3e6 * uniform()) : (int64_t)(5e12 * (1 + uniform()));
    case 5: /* whole minutes, many ties */
        return 60000000 * (int64_t)(30 * uniform());
    case 6: /* mostly answered at once */
        return uniform() < 0.6 ? 0 : (int64_t)(1e9 * uniform());
    case 7: /* single microseconds */
        return (int64_t)(20 * uniform());
    default: /* every order of magnitude */
        return (int64_t)pow(10, 15 * uniform());
    }
}
enum { SHAPES = 9 };

Test(sketch, quantiles_are_within_one_percent_at_any_size, .timeout = 120) {
    static const size_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 10, 13, 20, 50, 101, 500, 2000, VALUES_MAX};
    static const double points[] = {0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1};
    static int64_t values_us[VALUES_MAX];
    srandom(2019);
    for (int shape = 0; shape < SHAPES; shape++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            size_t n = sizes[s];
            int rounds = n <= 20 ? 200 : 3;
            for (int round = 0; round < rounds; round++) {
                for (size_t i = 0; i < n; i++)
                    values_us[i] = draw(shape);
                qsort(values_us, n, sizeof values_us[0], compare);
                struct sketch sketch;
                fill(&sketch, values_us, n);
                for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
                    double exact = exact_quantile(values_us, n, points[i]);
                    double found = stats_sketch_quantile(&sketch, points[i]);
                    cr_assert(fabs(found - exact) <= 0.01 * exact,
                              "shape %d, n %zu, p %g: %.9f, exactly %.9f", shape, n, points[i],
                              found, exact);
                }
                release(&sketch);
            }
        }
    }
}
