/* revenue, growth, arpc, cac, ltv, ltv_cac_ratio on worked examples. */
#include "test_kpi.h"

static const struct totals shop = {.gross = 1250000,
                                   .refunds = 50000,
                                   .attributed = 1000000,
                                   .payments = 40,
                                   .previous_payments = 30,
                                   .previous_revenue = 1000000,
                                   .payments_before = 1,
                                   .customers_before = 1,
                                   .cancellations_stored = 1};

Test(kpi_money, revenue_by_hand) {
    struct figure figure = figure_of("revenue", &shop);
    static const char *const names[] = {"gross", "refunds", "unattributed"};
    assert_parts(&figure, 3, names);
    assert_value(&figure, 1200000, 40);
    cr_assert_eq(part_of(&figure, "unattributed"), 200000.0);
    cr_assert(isnan(figure.numerator) && isnan(figure.denominator));

    struct totals quiet = {.payments_before = 1}, none = {0};
    figure = figure_of("revenue", &quiet);
    assert_value(&figure, 0, 0);
    figure = figure_of("revenue", &none);
    assert_null(&figure, NULL_NO_DATA);
}

/* From 1 000 000 to 1 200 000 is 20 % more. */
Test(kpi_money, growth_by_hand) {
    struct figure figure = figure_of("revenue_growth_rate", &shop);
    assert_value(&figure, 20, 40);
    struct totals totals = shop;
    totals.previous_revenue = 0;
    figure = figure_of("revenue_growth_rate", &totals);
    assert_null(&figure, NULL_ZERO_DENOMINATOR);
    totals.previous_payments = 0;
    figure = figure_of("revenue_growth_rate", &totals);
    assert_null(&figure, NULL_NO_PREVIOUS);
}

/* 12 000 from 100 customers at the start and 140 at the end: 12 000 / 120 = 100 each. */
Test(kpi_money, arpc_by_hand) {
    struct totals totals = {.customer_revenue = 12000,
                            .customer_payments = 90,
                            .at_start = 100,
                            .at_end = 140,
                            .customers_before = 1,
                            .payments_before = 1};
    struct figure figure = figure_of("arpc", &totals);
    assert_value(&figure, 100, 90);
    totals.at_start = totals.at_end = 0;
    figure = figure_of("arpc", &totals);
    assert_null(&figure, NULL_ZERO_DENOMINATOR);
}

/* 50 000 spent on winning 500 customers: 100 each. */
Test(kpi_money, cac_by_hand) {
    struct totals totals = {.costs_counted = 7, .cost_amount = 50000, .acquired = 500};
    struct figure figure = figure_of("cac", &totals);
    assert_value(&figure, 100, 500);
    totals.acquired = 0;
    figure = figure_of("cac", &totals);
    assert_null(&figure, NULL_ZERO_DENOMINATOR);
    totals.costs_counted = 0;
    figure = figure_of("cac", &totals);
    assert_null(&figure, NULL_NO_DATA);
}

static struct figure ltv_at(double margin, const struct totals *totals, const char *kpi) {
    struct period period;
    cr_assert_eq(period_parse("2026", day_of("2027-06-01"), &period, NULL), ERR_OK);
    struct kpi_settings settings = {.gross_margin = margin};
    struct kpi_context context = {
        .period = &period, .today = day_of("2027-06-01"), .settings = &settings};
    struct figure figure;
    kpi_compute(kpi_named(kpi), totals, &context, false, &figure);
    return figure;
}

/* Gupta and Lehmann's margin over churn: 100 customers who pay 50 each, margin 0.8, 8 lost: 40 per
 * customer over a churn of 8 % is 500. */
Test(kpi_money, ltv_is_margin_over_churn) {
    struct totals totals = {.customer_revenue = 5000,
                            .customer_payments = 100,
                            .lost = 6,
                            .lost_new = 2,
                            .customers_before = 1,
                            .payments_before = 1,
                            .cancellations_stored = 1,
                            .costs_counted = 1,
                            .cost_amount = 1000,
                            .acquired = 10};
    struct figure figure = ltv_at(0.8, &totals, "ltv");
    assert_value(&figure, 500, 8);
    cr_assert_eq(figure.numerator, 4000.0);
    figure = ltv_at(0.8, &totals, "ltv_cac_ratio");
    assert_value(&figure, 5, 8); /* 500 / (1000 / 10) */
}

/* Score interval of 5 losses: 6.920729 ∓ 4.785126, so 600 000 stand for 2.135603 to 11.705855. */
Test(kpi_money, ltv_interval) {
    struct totals totals = {.customer_revenue = 600000,
                            .lost = 5,
                            .customers_before = 1,
                            .payments_before = 1,
                            .cancellations_stored = 1};
    struct figure figure = ltv_at(1, &totals, "ltv");
    assert_value(&figure, 120000, 5);
    assert_near(figure.interval.low, 51256.83, 5e-3, "low");
    assert_near(figure.interval.high, 280938.18, 5e-3, "high");
    cr_assert_str_eq(figure.interval.method, "poisson_score");

    totals.lost = 0; /* z² = 3.841459 losses cannot be excluded */
    figure = ltv_at(1, &totals, "ltv");
    cr_assert_eq(figure.null_reason, NULL_ZERO_CHURN);
    assert_near(figure.interval.low, 156190.66, 5e-3, "low");
    cr_assert(isnan(figure.interval.high));
    figure = ltv_at(1, &totals, "ltv_cac_ratio");
    assert_null(&figure, NULL_NO_DATA); /* no costs come before zero churn */
    totals.cancellations_stored = 0;
    figure = ltv_at(1, &totals, "ltv");
    assert_null(&figure, NULL_NO_CANCELLATIONS);
}

/* {a, b, c, d} bought before, {b, c, e} now: two of four came back. */
Test(kpi_money, buyers_by_hand) {
    struct totals totals = {.buyers = 3,
                            .previous_buyers = 4,
                            .returning_buyers = 2,
                            .repeat_buyers = 2,
                            .previous_payments = 4};
    struct figure figure = figure_of("buyer_retention_rate", &totals);
    assert_value(&figure, 50, 4);
    figure = figure_of("repeat_purchase_rate", &totals);
    assert_value(&figure, 200.0 / 3, 3);
    totals.previous_payments = 0;
    figure = figure_of("buyer_retention_rate", &totals);
    assert_null(&figure, NULL_NO_PREVIOUS);
}

/* Payments have no channel. */
Test(kpi_money, a_channel_does_not_apply_to_payments) {
    struct period period;
    cr_assert_eq(period_parse("2026", day_of("2027-06-01"), &period, NULL), ERR_OK);
    struct kpi_settings settings = {.gross_margin = 1};
    struct kpi_context context = {
        .period = &period, .today = day_of("2027-06-01"), .settings = &settings};
    struct figure figure;
    kpi_compute(kpi_named("revenue"), &shop, &context, true, &figure);
    assert_null(&figure, NULL_NOT_APPLICABLE_TO_FILTER);
    kpi_compute(kpi_named("arpc"), &shop, &context, true, &figure);
    cr_assert(figure.null_reason != NULL_NOT_APPLICABLE_TO_FILTER);
}

/* Of five customers A and B bought in February alone, C then and in March, D on two days of March,
 * E on one. */
Test(kpi_money, buyers_from_pairs_of_months) {
    enum { NONE = 0, NEVER = 4095, FEBRUARY = 126 * 12 + 2, MARCH = 126 * 12 + 3, MONTHS = 4096 };
    int32_t february[] = {MONTHS * NONE + MARCH, MONTHS * NONE + NEVER};
    int64_t february_count[] = {1, 2};
    int32_t march[] = {MONTHS * NONE + MARCH, MONTHS * NONE + NEVER, MONTHS * FEBRUARY + NEVER};
    int64_t march_count[] = {1, 1, 1};
    const struct sketch of_february = {.size = 2, .bucket = february, .count = february_count};
    const struct sketch of_march = {.size = 3, .bucket = march, .count = march_count};
    struct period period;
    struct totals totals = {0};
    period_containing(GRANULARITY_MONTH, date_from_civil(2026, 3, 1), &period);
    totals_add_buyers(&totals, &period, date_from_civil(2026, 2, 1), &of_february);
    totals_add_buyers(&totals, &period, date_from_civil(2026, 3, 1), &of_march);
    cr_assert_eq(totals.buyers, 3);
    cr_assert_eq(totals.repeat_buyers, 2);
    cr_assert_eq(totals.previous_buyers, 3);
    cr_assert_eq(totals.returning_buyers, 1);
    struct totals later = {0};
    period_containing(GRANULARITY_MONTH, date_from_civil(2026, 4, 1), &period);
    totals_add_buyers(&later, &period, date_from_civil(2026, 3, 1), &of_march);
    cr_assert_eq(later.buyers, 0);
    cr_assert_eq(later.previous_buyers, 3);
    cr_assert_eq(later.returning_buyers, 0);
}
