/*
 * The difference of two independent proportions; a pure function of counts.
 */
#ifndef VINCULO_STATS_DIFFERENCE_H
#define VINCULO_STATS_DIFFERENCE_H

#include <stdint.h>

/* 95 % interval of x1/n1 − x2/n2 (n1, n2 > 0) in [−1, 1], containing the difference: the hybrid of
 * the two Wilson score intervals, without continuity correction. Newcombe 1998, Statistics in
 * Medicine 17, pages 873–890, method 10. */
void stats_difference_interval(int64_t x1, int64_t n1, int64_t x2, int64_t n2, double *ret_low,
                               double *ret_high);

#endif
