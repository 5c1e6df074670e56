/* Intervals and p-values against published worked examples and hand vectors. */
#include "vinculo/stats.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static void assert_near(double found, double expected, double tolerance, const char *what) {
    cr_assert(fabs(found - expected) <= tolerance, "%s: %.9f, not %.9f", what, found, expected);
}

/* Newcombe 1998, Statistics in Medicine 17, table I, row 3 (score, without continuity correction):
 * 0.2553–0.3662, 0.0624–0.1605, 0–0.1611, 0.0061–0.1718; here with the digits of the closed form.
 */
Test(stats, wilson_newcombe_1998_table_1) {
    static const struct {
        int64_t x, n;
        double low, high;
    } cases[] = {
        {81, 263, 0.255289, 0.366210},
        {15, 148, 0.062386, 0.160487},
        {0, 20, 0, 0.161125},
        {1, 29, 0.006113, 0.171755},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double low, high;
        stats_wilson(cases[i].x, cases[i].n, &low, &high);
        assert_near(low, cases[i].low, 5e-7, "low");
        assert_near(high, cases[i].high, 5e-7, "high");
    }
}

Test(stats, wilson_ends_are_exact_and_mirrored) {
    for (int64_t n = 1; n <= 300; n++) {
        for (int64_t x = 0; x <= n; x++) {
            double low, high, mirrored_low, mirrored_high;
            stats_wilson(x, n, &low, &high);
            stats_wilson(n - x, n, &mirrored_low, &mirrored_high);
            double p = (double)x / (double)n;
            cr_assert(0 <= low && low <= p && p <= high && high <= 1);
            assert_near(low, 1 - mirrored_high, 1e-12, "mirror");
            cr_assert((low == 0) == (x == 0));  /* 0/20 is exactly 0 */
            cr_assert((high == 1) == (x == n)); /* 20/20 is exactly 1 */
        }
    }
}

/* By hand after Rocks 2016: (32 + ¾ − 6 − ¾)/54 = 26/54 and so on. */
Test(stats, nps_interval_by_hand) {
    double low, high;
    stats_nps_interval(32, 13, 6, &low, &high);
    assert_near(low, 29.294855, 5e-7, "low");
    assert_near(high, 67.001442, 5e-7, "high");

    /* One promoter: mean ¼, variance 9/64 (p = 7/16, d = 3/16, n = 4), so ¼ ± z·⅜. */
    stats_nps_interval(1, 0, 0, &low, &high);
    assert_near(low, 100 * (0.25 - 0.375 * 1.959963984540054), 1e-9, "low");
    assert_near(low, -48.498649, 5e-7, "low");
    cr_assert_eq(high, 100.0, "widened to hold the score");

    stats_nps_interval(0, 0, 1, &low, &high);
    cr_assert_eq(low, -100.0);
    assert_near(high, 48.498649, 5e-7, "high");
}

Test(stats, nps_interval_holds_the_score_within_the_scale) {
    for (int64_t promoters = 0; promoters <= 40; promoters++) {
        for (int64_t passives = 0; passives <= 20; passives++) {
            for (int64_t detractors = 0; detractors <= 40; detractors++) {
                int64_t n = promoters + passives + detractors;
                if (n == 0)
                    continue;
                double low, high;
                double score = 100 * (double)(promoters - detractors) / (double)n;
                stats_nps_interval(promoters, passives, detractors, &low, &high);
                cr_assert(-100 <= low && low <= score && score <= high && high <= 100);
            }
        }
    }
}

Test(stats, nps_p_value_by_hand) {
    /* 0.4/√(0.108 + 0.06) = 0.975900. */
    assert_near(stats_nps_p_value((int64_t[]){2, 0, 0}, (int64_t[]){0, 2, 0}), 0.329114, 5e-7,
                "two promoters against two passives");
    assert_near(stats_nps_p_value((int64_t[]){5, 0, 0}, (int64_t[]){0, 5, 0}), 0.023540, 5e-7,
                "five promoters against five passives");
    assert_near(stats_nps_p_value((int64_t[]){32, 13, 6}, (int64_t[]){36, 14, 10}), 0.613230, 5e-7,
                "50.98 of 51 against 43.33 of 60");
    cr_assert_eq(stats_nps_p_value((int64_t[]){7, 2, 3}, (int64_t[]){7, 2, 3}), 1.0);
}

Test(stats, proportions_p_value) {
    assert_near(stats_proportions_p_value(5, 5, 2, 5), 0.049535, 5e-7, "5/5 against 2/5");
    /* Fisher's tea tasting, 3/4 against 1/4: χ² (N − 1) = 8²·7/4⁴ = 1.75, p = 0.185877. */
    assert_near(stats_proportions_p_value(3, 4, 1, 4), 0.185877, 5e-7, "tea");
    cr_assert_eq(stats_proportions_p_value(0, 5, 0, 9), 1.0);
    cr_assert_eq(stats_proportions_p_value(9, 9, 5, 5), 1.0);
    cr_assert_eq(stats_proportions_p_value(2, 6, 7, 21), 1.0);
}

/* Campbell 2007: χ² (N − 1) = (ad − bc)² (N − 1)/(m n r s), computed from the four cells. */
Test(stats, proportions_p_value_is_campbells_chi_squared) {
    srandom(7);
    for (int i = 0; i < 20000; i++) {
        int64_t n1 = random() % 200 + 1, n2 = random() % 200 + 1;
        int64_t a = random() % (n1 + 1), c = random() % (n2 + 1);
        int64_t r = a + c, s = n1 + n2 - r, cross = a * (n2 - c) - (n1 - a) * c;
        double p = stats_proportions_p_value(a, n1, c, n2);
        cr_assert(p >= 0 && p <= 1);
        cr_assert_eq(p, stats_proportions_p_value(c, n2, a, n1));
        if (cross == 0) {
            cr_assert_eq(p, 1.0);
        } else {
            double chi_squared = (double)cross * (double)cross * (double)(n1 + n2 - 1) /
                                 ((double)n1 * (double)n2 * (double)r * (double)s);
            assert_near(p, erfc(sqrt(chi_squared / 2)), 1e-12, "p");
        }
    }
}

/* The sign test's two-sided 5 % critical values (Dixon and Mood 1946, Journal of the American
 * Statistical Association 41, and textbooks since) are r − 1. */
Test(stats, median_ranks_are_the_sign_tests_critical_values) {
    static const int64_t critical[][2] = {{6, 0},   {7, 0},   {8, 0},   {9, 1},   {10, 1},
                                          {11, 1},  {12, 2},  {15, 3},  {17, 4},  {20, 5},
                                          {25, 7},  {30, 9},  {40, 13}, {50, 17}, {60, 21},
                                          {70, 26}, {80, 30}, {90, 35}, {100, 39}};
    for (size_t i = 0; i < sizeof critical / sizeof critical[0]; i++)
        cr_assert_eq(stats_median_rank(critical[i][0]), critical[i][1] + 1, "n = %ld",
                     (long)critical[i][0]);
    for (int64_t n = 0; n < 6; n++)
        cr_assert_eq(stats_median_rank(n), 0);
}

/* Against the definition, summed in scaled doubles from one row of Pascal's triangle to the next:
 * the tail below k of Bin(n, ½) is the mean of the tails of Bin(n − 1, ½). */
Test(stats, median_ranks_by_pascals_triangle) {
    enum { LARGEST = 2000 };
    static double tail[LARGEST + 2]; /* P(Bin(n, ½) ≤ k) at [k + 1] */
    for (size_t k = 1; k < LARGEST + 2; k++)
        tail[k] = 1;
    for (int64_t n = 1; n <= LARGEST; n++) {
        for (size_t k = LARGEST + 1; k >= 1; k--)
            tail[k] = (tail[k] + tail[k - 1]) / 2;
        int64_t rank = 0;
        while (tail[rank + 1] <= 0.025)
            rank++;
        cr_assert_eq(stats_median_rank(n), rank, "n = %ld", (long)n);
    }
}

/* For large n the rank is the normal approximation's with continuity correction, give or take one.
 */
Test(stats, median_ranks_of_large_samples) {
    for (double n = 3000; n < 3e9; n *= 1.7) {
        int64_t size = (int64_t)n;
        double approximate = (double)size / 2 + 0.5 - STATS_Z * sqrt((double)size) / 2;
        int64_t rank = stats_median_rank(size);
        cr_assert(fabs((double)rank - approximate) <= 1.01, "n = %ld: %ld, about %f", (long)size,
                  (long)rank, approximate);
    }
}
