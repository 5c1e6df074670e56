/*
 * Drivers: how satisfied customers are with an aspect, and how much better their overall score is
 * where they are. Pure functions of counts.
 */
#ifndef VINCULO_DRIVER_H
#define VINCULO_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types of the overall answer, the preferred one first. */
enum overall { OVERALL_CSAT, OVERALL_NPS, OVERALL_CES, OVERALL_COUNT };

enum { DRIVER_PAIRS_MIN = 30 /* below, no lift */ };

/* Pairs of an answer about the aspect and the overall answer of the same submission. */
struct driver_pairs {
    int64_t satisfied,
        satisfied_positive;        /* the aspect satisfied; … and the overall one positive */
    int64_t other, other_positive; /* the aspect did not satisfy */
};

struct driver_totals {
    char *aspect; /* its owner's */
    int64_t n;    /* scored answers, at least one */
    int64_t satisfied;
    struct driver_pairs pairs[OVERALL_COUNT];
};

/* x of n in percent, NaN where n is 0. */
struct driver_share {
    int64_t x, n;
    double value;
};

struct driver {
    const char *aspect;
    struct driver_share satisfied;
    double low, high; /* Wilson interval of it, percent */
    int64_t pairs;
    struct driver_share where_satisfied, where_not; /* overall positive */
    double lift;                                    /* percentage points; NaN exactly where … */
    double lift_low, lift_high;                     /* Newcombe's interval */
    const char *null_reason;                        /* … this is not NULL */
};

const char *overall_name(enum overall overall); /* "csat" … */
bool overall_parse(const char *text, enum overall *ret_overall);
/* The type with the most pairs of all aspects together; of equal ones the first of enum overall.
 * False where there are none. */
bool driver_choose_overall(const struct driver_totals *totals, size_t count,
                           enum overall *ret_overall);
void driver_compute(const struct driver_totals *totals, enum overall overall,
                    struct driver *ret_driver);
/* The largest lift first, aspects without one last; these and equal ones by name. */
void driver_sort(struct driver *drivers, size_t count);

#endif
