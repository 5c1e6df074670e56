/* Response and resolution times, first_contact_resolution and interactions. */
#include "test_kpi.h"

static const char *const time_kpis[] = {"first_response_time", "resolution_time"};

/* Totals with the same sketch and waiting count for either KPI. */
static struct totals durations(size_t size, int32_t *buckets, int64_t *counts, double sum_us,
                               int64_t waiting) {
    int64_t n = 0;
    for (size_t i = 0; i < size; i++)
        n += counts[i];
    struct sketch sketch = {.size = size, .bucket = buckets, .count = counts, .sum_us = sum_us};
    return (struct totals){.response = sketch,
                           .resolution = sketch,
                           .response_n = n,
                           .resolution_n = n,
                           .response_waiting = waiting,
                           .resolution_waiting = waiting};
}

static int32_t bucket_of(double seconds) {
    return (int32_t)ceil(log(seconds * 1e6) / log((1 + SKETCH_ALPHA) / (1 - SKETCH_ALPHA)));
}

/* 60 s and 9,060 s: p50 = 4,560, p90 = 60 + 0.9·9,000, p95 = 60 + 0.95·9,000, mean 4,560 exactly.
 */
Test(kpi_service, two_durations_by_hand) {
    int32_t buckets[] = {bucket_of(60), bucket_of(9060)};
    int64_t counts[] = {1, 1};
    struct totals totals = durations(2, buckets, counts, 9120e6, 3);
    static const char *const names[] = {"p50", "p90", "p95", "mean", "waiting_at_end"};
    for (size_t k = 0; k < 2; k++) {
        struct figure figure = figure_of(time_kpis[k], &totals);
        assert_parts(&figure, 5, names);
        cr_assert_eq(figure.null_reason, NULL_NONE);
        cr_assert_eq(figure.n, 2);
        assert_near(figure.value, 4560, 45.6, "value");
        cr_assert_eq(part_of(&figure, "p50"), figure.value);
        assert_near(part_of(&figure, "p90"), 8160, 81.6, "p90");
        assert_near(part_of(&figure, "p95"), 8610, 86.1, "p95");
        cr_assert_eq(part_of(&figure, "mean"), 4560.0);
        cr_assert_eq(part_of(&figure, "waiting_at_end"), 3.0);
        cr_assert(isnan(figure.numerator) && isnan(figure.denominator));
        cr_assert_not(figure.interval.present, "fewer than six");
    }
}

/* Ranks of the sign test's tables: n = 9 takes the second value from either end, n = 6 the first.
 */
Test(kpi_service, median_interval_by_order_statistics) {
    int32_t buckets[9];
    int64_t counts[9];
    double sum_us = 0;
    for (size_t i = 0; i < 9; i++) {
        buckets[i] = bucket_of(100.0 * (double)(i + 1));
        counts[i] = 1;
        sum_us += 1e8 * (double)(i + 1);
    }
    struct totals nine = durations(9, buckets, counts, sum_us, 0);
    struct totals six = durations(6, buckets, counts, 2.1e9, 0);
    struct totals five = durations(5, buckets, counts, 1.5e9, 0);
    for (size_t k = 0; k < 2; k++) {
        struct figure figure = figure_of(time_kpis[k], &nine);
        assert_near(figure.value, 500, 5, "median of nine");
        assert_near(figure.interval.low, 200, 2, "x(2)");
        assert_near(figure.interval.high, 800, 8, "x(8)");
        cr_assert_str_eq(figure.interval.method, "order_statistics");

        figure = figure_of(time_kpis[k], &six);
        assert_near(figure.value, 350, 3.5, "median of six");
        assert_near(figure.interval.low, 100, 1, "x(1)");
        assert_near(figure.interval.high, 600, 6, "x(6)");

        figure = figure_of(time_kpis[k], &five);
        cr_assert_not(figure.interval.present);
    }
}

Test(kpi_service, answers_at_once_have_a_median_of_zero) {
    int32_t buckets[] = {SKETCH_ZERO_BUCKET};
    int64_t counts[] = {8};
    struct totals totals = durations(1, buckets, counts, 0, 0);
    struct figure figure = figure_of("first_response_time", &totals);
    assert_value(&figure, 0, 8);
    cr_assert(figure.interval.low == 0 && figure.interval.high == 0);
    cr_assert_eq(part_of(&figure, "mean"), 0.0);
}

Test(kpi_service, no_durations_are_no_data_but_some_may_wait) {
    struct totals totals = durations(0, NULL, NULL, 0, 4);
    totals.interactions_before = 1;
    for (size_t k = 0; k < 2; k++) {
        struct figure figure = figure_of(time_kpis[k], &totals);
        assert_null(&figure, NULL_NO_DATA);
        cr_assert_eq(figure.n, 0);
        cr_assert(isnan(part_of(&figure, "p50")) && isnan(part_of(&figure, "mean")));
        cr_assert_eq(part_of(&figure, "waiting_at_end"), 4.0);
    }
}

/* 15/148, Newcombe's second example, and 52 of which nobody said. */
Test(kpi_service, first_contact_resolution_of_those_known) {
    struct totals totals = {
        .resolution_n = 200, .contact_known = 148, .contact_first = 15, .resolved = 240};
    struct figure figure = figure_of("first_contact_resolution", &totals);
    static const char *const names[] = {"first_contact", "known", "resolved"};
    assert_parts(&figure, 3, names);
    assert_value(&figure, 1500.0 / 148, 148);
    assert_interval(&figure, 6.2386, 16.0487, "wilson");
    cr_assert_eq(part_of(&figure, "first_contact"), 15.0);
    cr_assert_eq(part_of(&figure, "known"), 148.0);
    cr_assert_eq(part_of(&figure, "resolved"), 200.0);

    totals = (struct totals){.interactions_before = 1, .resolved = 9};
    figure = figure_of("first_contact_resolution", &totals);
    assert_null(&figure, NULL_NO_DATA);
    totals.resolution_n = 9;
    figure = figure_of("first_contact_resolution", &totals);
    assert_null(&figure, NULL_ZERO_DENOMINATOR);
    cr_assert_eq(part_of(&figure, "resolved"), 9.0);
}

Test(kpi_service, first_contact_resolution_is_compared_over_those_known) {
    const struct kpi_spec *spec = kpi_named("first_contact_resolution");
    struct totals now = {.resolution_n = 90, .contact_known = 5, .contact_first = 5};
    struct totals before = {.resolution_n = 80, .contact_known = 5, .contact_first = 2};
    assert_near(spec->p_value(&now, &before), 0.049535, 5e-7, "5/5 and 2/5");
    before.contact_known = 4;
    cr_assert(isnan(spec->p_value(&now, &before)));
}

Test(kpi_service, interactions_are_a_count) {
    struct totals totals = {.opened = 12,
                            .responded = 9,
                            .resolved = 8,
                            .closed_unresolved = 2,
                            .open_at_end = 5,
                            .interactions_before = 1};
    struct figure figure = figure_of("interactions", &totals);
    static const char *const names[] = {"opened", "responded", "resolved", "closed_unresolved",
                                        "open_at_end"};
    static const double values[] = {12, 9, 8, 2, 5};
    assert_parts(&figure, 5, names);
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(figure.parts[i].value, values[i], "%s", names[i]);
    assert_value(&figure, 12, 12);
    cr_assert(isnan(figure.numerator) && isnan(figure.denominator));

    totals = (struct totals){.interactions_before = 1};
    figure = figure_of("interactions", &totals);
    assert_value(&figure, 0, 0);
    totals = (struct totals){.surveys_before = 1};
    figure = figure_of("interactions", &totals);
    assert_null(&figure, NULL_NO_DATA);
}
