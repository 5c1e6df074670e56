/* Drivers (see vinculo/driver.h). */
#include "vinculo/driver.h"

#include "vinculo/stats.h"
#include "vinculo/stats_difference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const overall_names[OVERALL_COUNT] = {
    [OVERALL_CSAT] = "csat", [OVERALL_NPS] = "nps", [OVERALL_CES] = "ces"};

const char *overall_name(enum overall overall) { return overall_names[overall]; }

bool overall_parse(const char *text, enum overall *ret_overall) {
    for (int i = 0; i < OVERALL_COUNT; i++) {
        if (strcmp(overall_names[i], text) == 0) {
            *ret_overall = (enum overall)i;
            return true;
        }
    }
    return false;
}

bool driver_choose_overall(const struct driver_totals *totals, size_t count,
                           enum overall *ret_overall) {
    int64_t most = 0;
    for (int type = 0; type < OVERALL_COUNT; type++) {
        int64_t pairs = 0;
        for (size_t i = 0; i < count; i++) {
            pairs += totals[i].pairs[type].satisfied + totals[i].pairs[type].other;
        }
        if (pairs > most) {
            most = pairs;
            *ret_overall = (enum overall)type;
        }
    }
    return most > 0;
}

static struct driver_share share_of(int64_t x, int64_t n) {
    return (struct driver_share){x, n, n > 0 ? 100 * (double)x / (double)n : NAN};
}

static void compute_lift(const struct driver_pairs *pairs, struct driver *driver) {
    double low, high;
    driver->lift = driver->lift_low = driver->lift_high = NAN;
    if (driver->pairs < DRIVER_PAIRS_MIN) {
        driver->null_reason = "no_pairs";
    } else if (pairs->satisfied == 0 || pairs->other == 0) {
        driver->null_reason = "zero_denominator";
    } else {
        stats_difference_interval(pairs->satisfied_positive, pairs->satisfied,
                                  pairs->other_positive, pairs->other, &low, &high);
        driver->lift = driver->where_satisfied.value - driver->where_not.value;
        driver->lift_low = 100 * low;
        driver->lift_high = 100 * high;
    }
}

void driver_compute(const struct driver_totals *totals, enum overall overall,
                    struct driver *ret_driver) {
    const struct driver_pairs *pairs = &totals->pairs[overall];
    struct driver driver = {.aspect = totals->aspect,
                            .satisfied = share_of(totals->satisfied, totals->n),
                            .pairs = pairs->satisfied + pairs->other,
                            .where_satisfied =
                                share_of(pairs->satisfied_positive, pairs->satisfied),
                            .where_not = share_of(pairs->other_positive, pairs->other)};
    double low, high;
    stats_wilson(totals->satisfied, totals->n, &low, &high);
    driver.low = 100 * low;
    driver.high = 100 * high;
    compute_lift(pairs, &driver);
    *ret_driver = driver;
}

static int compare(const void *first, const void *second) {
    const struct driver *a = first, *b = second;
    bool a_has = !isnan(a->lift), b_has = !isnan(b->lift);
    if (a_has != b_has) {
        return a_has ? -1 : 1;
    }
    if (a_has && a->lift != b->lift) {
        return a->lift > b->lift ? -1 : 1;
    }
    return strcmp(a->aspect, b->aspect);
}

void driver_sort(struct driver *drivers, size_t count) {
    if (count > 0) {
        qsort(drivers, count, sizeof *drivers, compare);
    }
}
