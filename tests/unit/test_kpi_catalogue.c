/* A walk over the KPI catalogue and the totals' columns, and what must hold for any totals. */
#include "test_kpi.h"

#include "vinculo/embedded.h"

static void assert_text(const char *kpi, const char *what, const char *text) {
    cr_assert(text != NULL && text[0] != '\0', "%s has a %s", kpi, what);
}

Test(kpi_catalogue, every_row_is_whole_and_named_once) {
    for (size_t i = 0; i < kpi_count; i++) {
        const struct kpi_spec *spec = &kpi_catalogue[i];
        char definition[64];
        assert_text("the row", "name", spec->name);
        snprintf(definition, sizeof definition, "%s@1", spec->name);
        cr_assert_str_eq(spec->definition, definition);
        assert_text(spec->name, "definition", kpi_definition_text(spec));
        cr_assert_not_null(spec->compute);
        cr_assert(!spec->neutral || !spec->higher_is_better);
        cr_assert_neq(spec->cadence, GRANULARITY_RANGE);
        cr_assert_eq(kpi_find(spec->name, strlen(spec->name)), spec, "%s is unique", spec->name);
    }
}

Test(kpi_catalogue, nothing_is_written_about_what_is_none) {
    cr_assert_eq(embedded_definitions_count, kpi_count);
}

/* The table of the documentation. */
Test(kpi_catalogue, units_directions_cadences_and_comparisons) {
    static const struct {
        const char *name, *unit, *direction, *cadence;
        bool compared;
    } rows[] = {
        {"csat", "percent", "higher_is_better", "month", true},
        {"nps", "points", "higher_is_better", "quarter", true},
        {"ces", "percent", "higher_is_better", "month", true},
        {"response_rate", "percent", "higher_is_better", "month", true},
        {"churn_rate", "percent", "lower_is_better", "year", false},
        {"retention_rate", "percent", "higher_is_better", "year", false},
        {"first_response_time", "seconds", "lower_is_better", "month", false},
        {"resolution_time", "seconds", "lower_is_better", "month", false},
        {"first_contact_resolution", "percent", "higher_is_better", "month", true},
        {"interactions", "count", "neutral", "month", false},
        {"feedback", "count", "neutral", "quarter", false},
        {"follow_up_rate", "percent", "higher_is_better", "month", true},
        {"buyer_retention_rate", "percent", "higher_is_better", "year", false},
        {"repeat_purchase_rate", "percent", "higher_is_better", "year", false},
        {"revenue", "money", "higher_is_better", "month", false},
        {"revenue_growth_rate", "percent", "higher_is_better", "month", false},
        {"arpc", "money", "higher_is_better", "month", false},
        {"cac", "money", "lower_is_better", "month", false},
        {"ltv", "money", "higher_is_better", "year", false},
        {"ltv_cac_ratio", "ratio", "higher_is_better", "year", false},
        {"relationship_quality", "points", "higher_is_better", "quarter", false},
    };
    cr_assert_eq(kpi_count, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < kpi_count; i++) {
        const struct kpi_spec *spec = kpi_named(rows[i].name);
        cr_assert_str_eq(kpi_unit_name(spec->unit), rows[i].unit);
        cr_assert_str_eq(kpi_direction_name(spec), rows[i].direction);
        cr_assert_str_eq(granularity_name(spec->cadence), rows[i].cadence);
        cr_assert_eq(spec->p_value != NULL, rows[i].compared);
    }
}

Test(kpi_catalogue, names_are_found_whole) {
    cr_assert_eq(kpi_find("nps,csat", 3), kpi_named("nps"));
    cr_assert_null(kpi_find("nps", 2));
    cr_assert_null(kpi_find("npsx", 4));
    cr_assert_null(kpi_find("NPS", 3));
    cr_assert_null(kpi_find("", 0));
}

Test(kpi_catalogue, reasons_have_the_names_clients_see) {
    cr_assert_null(null_reason_name(NULL_NONE));
    cr_assert_str_eq(null_reason_name(NULL_NOT_APPLICABLE_TO_FILTER), "not_applicable_to_filter");
    cr_assert_str_eq(null_reason_name(NULL_NO_DATA), "no_data");
    cr_assert_str_eq(null_reason_name(NULL_NO_PREVIOUS), "no_previous");
    cr_assert_str_eq(null_reason_name(NULL_NO_CANCELLATIONS), "no_cancellations");
    cr_assert_str_eq(null_reason_name(NULL_ZERO_DENOMINATOR), "zero_denominator");
    cr_assert_str_eq(null_reason_name(NULL_ZERO_CHURN), "zero_churn");
    cr_assert_str_eq(null_reason_name(NULL_LOW_COVERAGE), "low_coverage");
}

Test(kpi_catalogue, columns_cover_the_sums) {
    cr_assert_eq(totals_column_count * sizeof(int64_t), sizeof(struct sums));
    for (size_t i = 0; i < totals_column_count; i++) {
        cr_assert_eq(totals_columns[i].offset, i * sizeof(int64_t));
        cr_assert(i == 0 || totals_columns[i - 1].source <= totals_columns[i].source);
        for (size_t j = 0; j < i; j++)
            cr_assert_str_neq(totals_columns[i].name, totals_columns[j].name);
    }
}

Test(kpi_catalogue, cleared_totals_are_empty) {
    struct totals totals = {.sent = 3};
    totals.response = (struct sketch){.size = 1,
                                      .bucket = calloc(1, sizeof *totals.response.bucket),
                                      .count = calloc(1, sizeof *totals.response.count)};
    totals_clear(&totals);
    cr_assert_eq(totals.sent, 0);
    cr_assert_null(totals.response.bucket);
    totals_clear(&totals);
}

enum { BUCKETS = 12 };

static int64_t below(int64_t bound) { return random() % (bound + 1); }

/* Counts that can stand together, small or large, often zero. */
static struct totals random_totals(int32_t buckets[BUCKETS], int64_t counts[BUCKETS]) {
    static const int64_t bounds[] = {0, 1, 3, 30, 1000, 1000000000};
    struct totals totals;
#define RANDOM_COUNT(name) totals.name = below(bounds[random() % 6]);
#define RANDOM_SUM(name) totals.name = (double)(below(bounds[random() % 6]) - below(1000));
    TOTALS_COLUMNS(RANDOM_COUNT, RANDOM_SUM)
    TOTALS_DERIVED(RANDOM_COUNT, RANDOM_SUM)
    totals.answered = below(totals.sent);
    totals.contact_known = below(totals.resolution_n);
    totals.contact_first = below(totals.contact_known);
    totals.lost = below(totals.at_start);
    totals.repeat_buyers = below(totals.buyers);
    totals.returning_buyers = below(totals.previous_buyers);

    int64_t n = 0;
    double sum_us = 0;
    int32_t bucket = SKETCH_ZERO_BUCKET;
    size_t size = (size_t)below(BUCKETS);
    for (size_t i = 0; i < size; i++, bucket += (int32_t)below(200) + 1) {
        buckets[i] = bucket;
        counts[i] = below(bounds[random() % 4]) + 1;
        n += counts[i];
        sum_us += (double)counts[i] * pow(1.018, bucket);
    }
    struct sketch sketch = {.size = size, .bucket = buckets, .count = counts, .sum_us = sum_us};
    totals.response = totals.resolution = sketch;
    totals.follow_up = sketch;
    totals.response_n = totals.resolution_n = n;
    totals.followed_up = n;
    totals.low = n + below(30);
    totals.contact_known = totals.contact_known < n ? totals.contact_known : n;
    totals.contact_first = below(totals.contact_known);
    return totals;
}

/* As it is printed. */
static double rounded(double value) { return round(value * 1e6) / 1e6; }

static void assert_sound(const struct kpi_spec *spec, const struct figure *figure) {
    const struct figure_interval *interval = &figure->interval;
    cr_assert_eq(isnan(figure->value) != 0, figure->null_reason != NULL_NONE, "%s", spec->name);
    cr_assert_eq(isnan(figure->numerator) != 0, isnan(figure->denominator) != 0);
    cr_assert(figure->n >= 0);
    bool proportion = figure->interval.present && strcmp(figure->interval.method, "wilson") == 0;
    if (proportion)
        cr_assert_eq(figure->denominator, (double)figure->n);
    if (figure->null_reason != NULL_NONE && figure->null_reason != NULL_ZERO_CHURN)
        cr_assert_not(interval->present);
    if (interval->present)
        cr_assert_not_null(interval->method);
    if (interval->present && figure->null_reason == NULL_NONE) {
        cr_assert(interval->low <= figure->value && figure->value <= interval->high, "%s",
                  spec->name);
        cr_assert(rounded(interval->low) <= rounded(figure->value) &&
                  rounded(figure->value) <= rounded(interval->high));
    }
    bool growth = strcmp(spec->name, "revenue_growth_rate") == 0;
    bool share = spec->unit == UNIT_POINTS || spec->unit == UNIT_PERCENT;
    double least = spec->unit == UNIT_POINTS ? -100 : 0;
    double most = share && !growth ? 100 : INFINITY;
    if (growth || spec->unit == UNIT_MONEY || spec->unit == UNIT_RATIO)
        least = -INFINITY; /* refunds and credits may outweigh the rest */
    if (figure->null_reason == NULL_NONE)
        cr_assert(least <= figure->value && figure->value <= most);
    if (interval->present && figure->null_reason == NULL_NONE)
        cr_assert(least <= interval->low && interval->high <= most);
    for (size_t i = 0; i < figure->part_count; i++)
        cr_assert(figure->parts[i].name != NULL && !isinf(figure->parts[i].value));
}

Test(kpi_catalogue, figures_of_any_totals_are_sound, .timeout = 120) {
    static const char *const periods[] = {"2026", "2026-Q2", "2026-06", "2026-W22", "2026-06-01"};
    srandom(1927);
    for (int round = 0; round < 20000; round++) {
        int32_t buckets[2][BUCKETS];
        int64_t counts[2][BUCKETS];
        struct totals now = random_totals(buckets[0], counts[0]);
        struct totals before = random_totals(buckets[1], counts[1]);
        struct figure churn = {0}, kept = {0};
        for (size_t i = 0; i < kpi_count; i++) {
            const struct kpi_spec *spec = &kpi_catalogue[i];
            struct figure figure = figure_on(spec->name, &now, periods[round % 5], "2026-06-20");
            assert_sound(spec, &figure);
            if (strcmp(spec->name, "churn_rate") == 0)
                churn = figure;
            if (strcmp(spec->name, "retention_rate") == 0)
                kept = figure;
            if (spec->p_value) {
                double p = spec->p_value(&now, &before);
                cr_assert(isnan(p) || (p >= 0 && p <= 1), "%s: %g", spec->name, p);
            }
        }
        cr_assert_eq(churn.null_reason, kept.null_reason);
        if (churn.null_reason == NULL_NONE)
            cr_assert(fabs(churn.value + kept.value - 100) < 1e-12);
    }
}
