/* relationship_quality and follow_up_rate on worked examples. */
#include "test_kpi.h"

/* CSAT 80, NPS 50 (which counts as 75), first contact 70, retention 90, CES 60 and speed 50:
 * 20 + 18.75 + 10.5 + 13.5 + 6 + 5 = 73.75. */
static struct totals six_parts(int32_t *bucket, int64_t *count) {
    /* Median at twice the target of 4 h: half marks. The bucket nearest to 28 800 s. */
    *bucket = (int32_t)ceil(log(28800e6) / log(1.009 / 0.991));
    *count = 1;
    return (struct totals){.csat_satisfied = 8,
                           .csat_neutral = 2,
                           .nps_promoters = 3,
                           .nps_detractors = 1,
                           .contact_first = 7,
                           .contact_known = 10,
                           .resolution_n = 10,
                           .at_start = 10,
                           .lost = 1,
                           .customers_before = 1,
                           .cancellations_stored = 1,
                           .ces_easy = 6,
                           .ces_hard = 4,
                           .response_n = 1,
                           .response = {.size = 1, .bucket = bucket, .count = count}};
}

Test(kpi_quality, weighted_mean_of_six) {
    int32_t bucket;
    int64_t count;
    struct totals totals = six_parts(&bucket, &count);
    struct figure figure = figure_on("relationship_quality", &totals, "2026", "2027-06-01");
    static const char *const names[] = {
        "csat", "nps", "first_contact_resolution", "annualised_retention", "ces", "speed"};
    assert_parts(&figure, 6, names);
    static const double scores[] = {80, 75, 70, 90, 60};
    for (size_t i = 0; i < 5; i++)
        assert_near(figure.parts[i].value, scores[i], 1e-9, names[i]);
    assert_near(figure.parts[5].value, 50, 0.5, "speed"); /* the sketch is good to 0.9 % */
    assert_near(figure.value, 73.75, 0.05, "value");
    cr_assert_eq(figure.n, 6);
}

/* Without NPS and CES the others share their 0.35: 49/0.65 with 80, 70, 90 and speed 50. */
Test(kpi_quality, missing_parts_share_their_weight) {
    int32_t bucket;
    int64_t count;
    struct totals totals = six_parts(&bucket, &count);
    totals.nps_promoters = totals.nps_detractors = totals.ces_easy = totals.ces_hard = 0;
    struct figure figure = figure_on("relationship_quality", &totals, "2026", "2027-06-01");
    assert_near(figure.value, 75.384615, 0.08, "value");
    cr_assert_eq(figure.n, 4);
    cr_assert(isnan(part_of(&figure, "nps")));
}

Test(kpi_quality, needs_half_of_the_weight) {
    struct totals nps_and_ces = {.nps_promoters = 1, .ces_easy = 1}, none = {0};
    struct figure figure = figure_of("relationship_quality", &nps_and_ces);
    assert_null(&figure, NULL_LOW_COVERAGE);
    figure = figure_of("relationship_quality", &none);
    assert_null(&figure, NULL_NO_DATA);
    struct totals half = {.nps_promoters = 1, .csat_satisfied = 1};
    figure = figure_of("relationship_quality", &half);
    assert_value(&figure, 100, 2);
}

Test(kpi_quality, follow_up_by_hand) {
    int32_t bucket = SKETCH_ZERO_BUCKET;
    int64_t count = 3;
    struct totals totals = {.scored = 40,
                            .low = 4,
                            .followed_up = 3,
                            .followed_up_48h = 2,
                            .follow_up = {.size = 1, .bucket = &bucket, .count = &count}};
    struct figure figure = figure_on("follow_up_rate", &totals, "2026-09", "2026-10-07");
    assert_value(&figure, 75, 4);
    cr_assert(figure.provisional);
    cr_assert_eq(part_of(&figure, "median_time"), 0.0);
    cr_assert_eq(part_of(&figure, "within_48h"), 2.0);
    figure = figure_on("follow_up_rate", &totals, "2026-09", "2026-10-08");
    cr_assert_not(figure.provisional);
    totals.low = totals.followed_up = 0;
    figure = figure_of("follow_up_rate", &totals);
    assert_null(&figure, NULL_ZERO_DENOMINATOR);
    totals.scored = 0;
    figure = figure_of("follow_up_rate", &totals);
    assert_null(&figure, NULL_NO_DATA);
}
