/* The interval of a difference of proportions against Newcombe's own table. */
#include "vinculo/stats_difference.h"

#include <criterion/criterion.h>
#include <math.h>

/* Newcombe 1998, Statistics in Medicine 17, table II: the eight contrasts (a) to (h) under
 * method 10. */
static const struct {
    int64_t x1, n1, x2, n2;
    double low, high;
} published[] = {
    {56, 70, 48, 80, 0.0524, 0.3339}, {9, 10, 3, 10, 0.1705, 0.8090},
    {6, 7, 2, 7, 0.0582, 0.8062},     {5, 56, 0, 29, -0.0381, 0.1926},
    {0, 10, 0, 20, -0.1611, 0.2775},  {0, 10, 0, 10, -0.2775, 0.2775},
    {10, 10, 0, 20, 0.6791, 1.0000},  {10, 10, 0, 10, 0.6075, 1.0000},
};

Test(stats_difference, equals_the_published_intervals) {
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        double low, high;
        stats_difference_interval(published[i].x1, published[i].n1, published[i].x2,
                                  published[i].n2, &low, &high);
        cr_assert(fabs(low - published[i].low) < 0.00005, "row %zu: low %.6f", i, low);
        cr_assert(fabs(high - published[i].high) < 0.00005, "row %zu: high %.6f", i, high);
    }
}

Test(stats_difference, holds_the_difference_and_turns_round_with_it) {
    enum { SIZE_MAX_TRIED = 9 };
    for (int64_t n1 = 1; n1 <= SIZE_MAX_TRIED; n1++) {
        for (int64_t n2 = 1; n2 <= SIZE_MAX_TRIED; n2++) {
            for (int64_t cell = 0; cell < (n1 + 1) * (n2 + 1); cell++) {
                int64_t x1 = cell % (n1 + 1), x2 = cell / (n1 + 1);
                double difference = (double)x1 / (double)n1 - (double)x2 / (double)n2;
                double low, high, other_low, other_high;
                stats_difference_interval(x1, n1, x2, n2, &low, &high);
                stats_difference_interval(x2, n2, x1, n1, &other_low, &other_high);
                cr_assert(low >= -1 && low <= difference && difference <= high && high <= 1);
                cr_assert(fabs(low + other_high) < 1e-12 && fabs(high + other_low) < 1e-12);
            }
        }
    }
}
