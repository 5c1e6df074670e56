/* csat, nps, ces, response_rate and feedback on published examples and hand vectors. */
#include "test_kpi.h"

/* Five answers on 1–5 (5, 5, 4, 3, 1), one 10 of 0–10 and one 1 of 1–2: four, of seven, satisfied.
 * Means on 5: 5, 5, 4, 3, 1, 5, 1 make 24/7. */
Test(kpi_surveys, csat_by_hand) {
    struct totals totals = {.csat_satisfied = 4,
                            .csat_neutral = 1,
                            .csat_dissatisfied = 2,
                            .csat_sum180 = 180 + 180 + 135 + 90 + 0 + 180 + 0,
                            .surveys_before = 1};
    struct figure figure = figure_of("csat", &totals);
    static const char *const names[] = {"satisfied", "neutral", "dissatisfied", "mean_on_5"};
    assert_parts(&figure, 4, names);
    assert_value(&figure, 400.0 / 7, 7);
    cr_assert_eq(figure.numerator, 4.0);
    cr_assert_eq(figure.denominator, 7.0);
    assert_near(part_of(&figure, "mean_on_5"), 24.0 / 7, 1e-12, "mean_on_5");
    cr_assert_eq(part_of(&figure, "neutral"), 1.0);
    cr_assert_eq(part_of(&figure, "dissatisfied"), 2.0);
    cr_assert_not(figure.provisional);
}

Test(kpi_surveys, csat_interval_newcombe_1998) {
    struct totals totals = {.csat_satisfied = 81, .csat_neutral = 100, .csat_dissatisfied = 82};
    struct figure figure = figure_of("csat", &totals);
    assert_value(&figure, 8100.0 / 263, 263);
    assert_interval(&figure, 25.5289, 36.6210, "wilson");

    totals = (struct totals){.csat_dissatisfied = 20};
    figure = figure_of("csat", &totals);
    assert_value(&figure, 0, 20);
    assert_interval(&figure, 0, 16.1125, "wilson");
    cr_assert_eq(figure.interval.low, 0.0);

    totals = (struct totals){.csat_satisfied = 20};
    figure = figure_of("csat", &totals);
    assert_value(&figure, 100, 20);
    cr_assert_eq(figure.interval.high, 100.0);
}

Test(kpi_surveys, nps_by_hand) {
    struct totals totals = {.nps_promoters = 32, .nps_passives = 13, .nps_detractors = 6};
    struct figure figure = figure_of("nps", &totals);
    static const char *const names[] = {"promoters", "passives", "detractors"};
    assert_parts(&figure, 3, names);
    assert_value(&figure, 50.980392, 51);
    assert_interval(&figure, 29.294855, 67.001442, "adjusted_wald");
    cr_assert_eq(figure.numerator, 26.0);
    cr_assert_eq(figure.denominator, 51.0);
    cr_assert_eq(part_of(&figure, "promoters"), 32.0);
    cr_assert_eq(part_of(&figure, "passives"), 13.0);
    cr_assert_eq(part_of(&figure, "detractors"), 6.0);

    totals = (struct totals){.nps_promoters = 1};
    figure = figure_of("nps", &totals);
    assert_value(&figure, 100, 1);
    assert_interval(&figure, -48.498649, 100, "adjusted_wald");
    cr_assert_eq(figure.interval.high, 100.0);

    totals = (struct totals){.nps_detractors = 3, .nps_passives = 1};
    figure = figure_of("nps", &totals);
    assert_value(&figure, -75, 4);
    cr_assert_eq(figure.numerator, -3.0);
}

Test(kpi_surveys, nps_p_values_have_no_floor) {
    const struct kpi_spec *nps = kpi_named("nps");
    struct totals now = {.nps_promoters = 2}, before = {.nps_passives = 2}, none = {0};
    assert_near(nps->p_value(&now, &before), 0.329114, 5e-7, "(2,0,0) and (0,2,0)");
    now.nps_promoters = before.nps_passives = 5;
    assert_near(nps->p_value(&now, &before), 0.023540, 5e-7, "(5,0,0) and (0,5,0)");
    now = (struct totals){.nps_promoters = 32, .nps_passives = 13, .nps_detractors = 6};
    before = (struct totals){.nps_promoters = 36, .nps_passives = 14, .nps_detractors = 10};
    assert_near(nps->p_value(&now, &before), 0.613230, 5e-7, "the sample of the documentation");
    cr_assert(isnan(nps->p_value(&now, &none)));
    cr_assert(isnan(nps->p_value(&none, &now)));
}

/* Scale 7: 7, 6, 4, 1; scale 5: 5, 3. Easy 7, 6, 5; hard 1. */
Test(kpi_surveys, ces_by_hand) {
    struct totals totals = {.ces_easy = 3,
                            .ces_neutral = 2,
                            .ces_hard = 1,
                            .ces7_n = 4,
                            .ces7_sum = 18,
                            .ces5_n = 2,
                            .ces5_sum = 8};
    struct figure figure = figure_of("ces", &totals);
    static const char *const names[] = {"easy", "neutral", "hard", "mean_5", "mean_7"};
    assert_parts(&figure, 5, names);
    assert_value(&figure, 50, 6);
    /* Wilson for 3/6: ½ ± z√(6·¼ + z²/4)/(6 + z²). */
    assert_interval(&figure, 18.7616, 81.2384, "wilson");
    cr_assert_eq(part_of(&figure, "mean_7"), 4.5);
    cr_assert_eq(part_of(&figure, "mean_5"), 4.0);

    totals.ces5_n = totals.ces5_sum = 0;
    figure = figure_of("ces", &totals);
    cr_assert(isnan(part_of(&figure, "mean_5")), "no answers on that scale");
    cr_assert_eq(part_of(&figure, "mean_7"), 4.5);
}

/* 15/148 is Newcombe's second example. */
Test(kpi_surveys, response_rate_and_its_open_window) {
    struct totals totals = {.sent = 148, .answered = 15, .answered_late = 4};
    struct figure figure = figure_on("response_rate", &totals, "2026-09", "2026-10-30");
    static const char *const names[] = {"sent", "answered", "late"};
    assert_parts(&figure, 3, names);
    assert_value(&figure, 1500.0 / 148, 148);
    assert_interval(&figure, 6.2386, 16.0487, "wilson");
    cr_assert_eq(part_of(&figure, "late"), 4.0);
    cr_assert(figure.provisional, "1 October + 30 days is the 31st");
    cr_assert_not(figure_on("response_rate", &totals, "2026-09", "2026-10-31").provisional);
}

Test(kpi_surveys, no_answers_are_no_data) {
    static const char *const kpis[] = {"csat", "nps", "ces", "response_rate"};
    struct totals totals = {.surveys_before = 1, .customers_before = 1};
    for (size_t i = 0; i < sizeof kpis / sizeof kpis[0]; i++) {
        struct figure figure = figure_of(kpis[i], &totals);
        assert_null(&figure, NULL_NO_DATA);
        cr_assert_eq(figure.n, 0);
        cr_assert_eq(figure.denominator, 0.0);
    }
    struct figure csat = figure_of("csat", &totals);
    cr_assert(isnan(part_of(&csat, "mean_on_5")));
    cr_assert_eq(part_of(&csat, "satisfied"), 0.0);
}

Test(kpi_surveys, proportions_are_compared_from_five_answers_on) {
    struct totals now = {.csat_satisfied = 5, .ces_easy = 5, .sent = 5, .answered = 5};
    struct totals before = {.csat_satisfied = 2,
                            .csat_neutral = 3,
                            .ces_easy = 2,
                            .ces_hard = 3,
                            .sent = 5,
                            .answered = 2};
    static const char *const kpis[] = {"csat", "ces", "response_rate"};
    for (size_t i = 0; i < sizeof kpis / sizeof kpis[0]; i++) {
        const struct kpi_spec *spec = kpi_named(kpis[i]);
        assert_near(spec->p_value(&now, &before), 0.049535, 5e-7, "5/5 and 2/5");
        cr_assert_eq(spec->p_value(&now, &now), 1.0, "equal");
    }
    const struct kpi_spec *csat = kpi_named("csat");
    struct totals four = {.csat_satisfied = 4};
    cr_assert(isnan(csat->p_value(&now, &four)), "below five, although equal");
    cr_assert(isnan(csat->p_value(&four, &now)));
    cr_assert(isnan(csat->p_value(&four, &four)));
}

Test(kpi_surveys, feedback_is_a_count) {
    struct totals totals = {.comments_positive = 4,
                            .comments_neutral = 3,
                            .comments_negative = 2,
                            .comments_unscored = 1,
                            .surveys_before = 1};
    struct figure figure = figure_of("feedback", &totals);
    static const char *const names[] = {"positive", "neutral", "negative", "unscored"};
    assert_parts(&figure, 4, names);
    assert_value(&figure, 10, 10);
    cr_assert(isnan(figure.numerator) && isnan(figure.denominator));
    cr_assert_not(figure.interval.present);
    cr_assert_eq(part_of(&figure, "unscored"), 1.0);

    totals = (struct totals){.surveys_before = 1};
    figure = figure_of("feedback", &totals);
    assert_value(&figure, 0, 0);
    totals = (struct totals){0};
    figure = figure_of("feedback", &totals);
    assert_null(&figure, NULL_NO_DATA);
}
