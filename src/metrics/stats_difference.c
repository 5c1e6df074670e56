/* The interval of a difference (see vinculo/stats_difference.h). */
#include "vinculo/stats_difference.h"

#include "vinculo/stats.h"

#include <math.h>

void stats_difference_interval(int64_t x1, int64_t n1, int64_t x2, int64_t n2, double *ret_low,
                               double *ret_high) {
    double low1, high1, low2, high2;
    stats_wilson(x1, n1, &low1, &high1);
    stats_wilson(x2, n2, &low2, &high2);
    double first = (double)x1 / (double)n1, second = (double)x2 / (double)n2;
    double difference = first - second;
    /* Rounding may stray beyond the ends of the scale. */
    *ret_low = fmax(difference - hypot(first - low1, high2 - second), -1);
    *ret_high = fmin(difference + hypot(high1 - first, second - low2), 1);
}
