/* churn_rate and retention_rate on hand vectors and by properties. */
#include "test_kpi.h"

/* 100 active at the start, 10 join, 12 cancel, of whom one joined in the period and one came back:
 * 10 of the 100 are lost, 99 remain. */
static const struct totals hand = {.at_start = 100,
                                   .acquired = 10,
                                   .cancelled = 12,
                                   .reactivated = 1,
                                   .lost = 10,
                                   .lost_new = 1,
                                   .lost_voluntary = 6,
                                   .lost_involuntary = 3,
                                   .redundant = 2,
                                   .at_end = 99,
                                   .customers_before = 1,
                                   .cancellations_stored = 1};

Test(kpi_life, churn_by_hand) {
    struct figure figure = figure_of("churn_rate", &hand);
    static const char *const names[] = {
        "customers_at_start", "lost",      "lost_new",         "acquired",       "reactivated",
        "cancelled",          "redundant", "customers_at_end", "lost_voluntary", "lost_involuntary",
        "annualised"};
    static const double values[] = {100, 10, 1, 10, 1, 12, 2, 99, 6, 3};
    assert_parts(&figure, 11, names);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        cr_assert_eq(figure.parts[i].value, values[i], "%s", names[i]);
    assert_value(&figure, 10, 100);
    cr_assert_eq(figure.numerator, 10.0);
    cr_assert_eq(figure.denominator, 100.0);
    /* Wilson for 10/100: (0.1 + z²/200 ± z√(0.0009 + z²/40000))/(1 + z²/100). */
    assert_interval(&figure, 5.5229, 17.4366, "wilson");
    /* 0.9¹² = 0.282429536481. */
    assert_near(part_of(&figure, "annualised"), 71.7570463519, 1e-9, "annualised");
}

Test(kpi_life, retention_by_hand) {
    struct figure figure = figure_of("retention_rate", &hand);
    static const char *const names[] = {"customers_at_start", "retained", "lost", "annualised"};
    assert_parts(&figure, 4, names);
    assert_value(&figure, 90, 100);
    cr_assert_eq(figure.numerator, 90.0);
    cr_assert_eq(figure.denominator, 100.0);
    assert_interval(&figure, 82.5634, 94.4771, "wilson");
    cr_assert_eq(part_of(&figure, "retained"), 90.0);
    assert_near(part_of(&figure, "annualised"), 28.2429536481, 1e-9, "annualised");
}

Test(kpi_life, annualised_by_length_of_the_period) {
    static const struct {
        const char *period;
        double retention;
    } cases[] = {
        {"2026-09", 28.2429536481}, /* 0.9^12 */
        {"2026-Q3", 65.61},         /* 0.9^4 */
        {"2025", 90},               /* 0.9 */
        {"2026-W39", 0.409721},     /* 0.9^(12·30.436875/7) = exp(−0.105360516·52.177500) */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct figure churn = figure_on("churn_rate", &hand, cases[i].period, "2027-06-01");
        struct figure kept = figure_on("retention_rate", &hand, cases[i].period, "2027-06-01");
        assert_near(part_of(&kept, "annualised"), cases[i].retention, 1e-6, cases[i].period);
        assert_near(part_of(&churn, "annualised"), 100 - cases[i].retention, 1e-6, cases[i].period);
    }
}

Test(kpi_life, null_reasons_in_order) {
    static const char *const kpis[] = {"churn_rate", "retention_rate"};
    static const struct {
        struct totals totals;
        enum null_reason reason;
    } cases[] = {
        {{0}, NULL_NO_DATA},
        {{.cancellations_stored = 1}, NULL_NO_DATA},
        {{.customers_before = 1, .at_start = 7, .at_end = 9, .acquired = 2}, NULL_NO_CANCELLATIONS},
        {{.customers_before = 1}, NULL_NO_CANCELLATIONS},
        {{.customers_before = 1, .cancellations_stored = 1, .acquired = 2, .at_end = 2},
         NULL_ZERO_DENOMINATOR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < sizeof kpis / sizeof kpis[0]; k++) {
            struct figure figure = figure_of(kpis[k], &cases[i].totals);
            assert_null(&figure, cases[i].reason);
            cr_assert_eq(figure.n, cases[i].totals.at_start);
            cr_assert_eq(part_of(&figure, "customers_at_start"), (double)cases[i].totals.at_start);
            cr_assert(isnan(part_of(&figure, "annualised")));
        }
        struct figure churn = figure_of("churn_rate", &cases[i].totals);
        cr_assert_eq(part_of(&churn, "acquired"), (double)cases[i].totals.acquired);
        cr_assert_eq(part_of(&churn, "customers_at_end"), (double)cases[i].totals.at_end);
    }
}

Test(kpi_life, all_and_none_lost_are_exact) {
    struct totals totals = hand;
    totals.lost = 0;
    struct figure churn = figure_of("churn_rate", &totals);
    struct figure kept = figure_of("retention_rate", &totals);
    cr_assert(churn.value == 0 && churn.interval.low == 0);
    cr_assert(kept.value == 100 && kept.interval.high == 100);
    cr_assert_eq(part_of(&churn, "annualised"), 0.0);
    totals.lost = totals.at_start;
    churn = figure_of("churn_rate", &totals);
    kept = figure_of("retention_rate", &totals);
    cr_assert(churn.value == 100 && churn.interval.high == 100);
    cr_assert(kept.value == 0 && kept.interval.low == 0);
    cr_assert_eq(part_of(&kept, "annualised"), 0.0);
}

Test(kpi_life, churn_and_retention_make_a_hundred) {
    struct totals totals = hand;
    for (totals.at_start = 1; totals.at_start <= 120; totals.at_start++) {
        for (totals.lost = 0; totals.lost <= totals.at_start; totals.lost++) {
            struct figure churn = figure_of("churn_rate", &totals);
            struct figure kept = figure_of("retention_rate", &totals);
            assert_near(churn.value + kept.value, 100, 1e-12, "sum");
            assert_near(churn.interval.low + kept.interval.high, 100, 1e-12, "mirror");
            assert_near(churn.interval.high + kept.interval.low, 100, 1e-12, "mirror");
            assert_near(part_of(&churn, "annualised") + part_of(&kept, "annualised"), 100, 1e-12,
                        "annualised");
            cr_assert_eq(churn.numerator + kept.numerator, churn.denominator);
        }
    }
}
