/* Drivers: the published example as shares and lift, and what has none. */
#include "vinculo/driver.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static struct driver compute(int64_t satisfied, int64_t satisfied_positive, int64_t other,
                             int64_t other_positive) {
    struct driver_totals totals = {.aspect = "trust", .n = 8, .satisfied = 6};
    totals.pairs[OVERALL_NPS] =
        (struct driver_pairs){satisfied, satisfied_positive, other, other_positive};
    struct driver driver;
    driver_compute(&totals, OVERALL_NPS, &driver);
    return driver;
}

/* Newcombe 1998, Statistics in Medicine 17, table II (a), method 10. */
Test(driver, lift_newcombe_1998) {
    struct driver driver = compute(70, 56, 80, 48);
    cr_assert(fabs(driver.lift - 20) < 1e-9);
    cr_assert(fabs(driver.lift_low - 5.24) < 0.005 && fabs(driver.lift_high - 33.39) < 0.005);
    cr_assert(driver.pairs == 150 && driver.null_reason == NULL);
    cr_assert(fabs(driver.where_satisfied.value - 80) < 1e-9);
    cr_assert(fabs(driver.where_not.value - 60) < 1e-9);
    cr_assert(driver.satisfied.value == 75.0 && driver.low < 75 && driver.high > 75);
}

Test(driver, has_no_lift_below_30_pairs_or_without_contrast) {
    static const struct {
        int64_t satisfied, other;
        const char *reason;
    } cases[] = {
        {15, 14, "no_pairs"}, {15, 15, NULL},     {30, 0, "zero_denominator"},
        {0, 0, "no_pairs"},   {29, 1, NULL},      {0, 400, "zero_denominator"},
        {29, 0, "no_pairs"},  {1, 1, "no_pairs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct driver driver = compute(cases[i].satisfied, 0, cases[i].other, 0);
        bool has = cases[i].reason == NULL;
        cr_assert(has ? driver.null_reason == NULL
                      : driver.null_reason != NULL &&
                            strcmp(driver.null_reason, cases[i].reason) == 0,
                  "case %zu", i);
        cr_assert(isnan(driver.lift) != has && isnan(driver.lift_low) != has &&
                  isnan(driver.lift_high) != has);
        cr_assert(isnan(driver.where_not.value) == (cases[i].other == 0));
    }
}

Test(driver, overall_is_the_type_with_most_pairs) {
    struct driver_totals totals[2] = {0};
    enum overall overall = OVERALL_NPS;
    cr_assert_not(driver_choose_overall(totals, 2, &overall));
    cr_assert_not(driver_choose_overall(totals, 0, &overall));
    cr_assert(overall == OVERALL_NPS); /* untouched */
    totals[0].pairs[OVERALL_CES].other = 3;
    totals[1].pairs[OVERALL_NPS].satisfied = 2;
    cr_assert(driver_choose_overall(totals, 2, &overall) && overall == OVERALL_CES);
    totals[1].pairs[OVERALL_NPS].other = 1;
    cr_assert(driver_choose_overall(totals, 2, &overall) && overall == OVERALL_NPS);
    totals[0].pairs[OVERALL_CSAT].satisfied = 3;
    cr_assert(driver_choose_overall(totals, 2, &overall) && overall == OVERALL_CSAT);
}

Test(driver, largest_lift_first_none_last) {
    struct driver drivers[] = {{.aspect = "d", .lift = NAN}, {.aspect = "b", .lift = -5},
                               {.aspect = "e", .lift = 20},  {.aspect = "a", .lift = NAN},
                               {.aspect = "c", .lift = 20},  {.aspect = "f", .lift = 0}};
    char order[7] = "";
    driver_sort(drivers, 6);
    for (size_t i = 0; i < 6; i++) {
        order[i] = drivers[i].aspect[0];
    }
    cr_assert_str_eq(order, "cefbad");
    driver_sort(drivers, 0);
}
