/* relationship_quality: one score from 0 to 100 out of six KPIs of the same period. */
#include "figure.h"

#include "vinculo/stats.h"

#include <math.h>

const char *const quality_part_names[QUALITY_PARTS] = {
    [QUALITY_CSAT] = "csat",
    [QUALITY_NPS] = "nps",
    [QUALITY_FIRST_CONTACT] = "first_contact_resolution",
    [QUALITY_RETENTION] = "annualised_retention",
    [QUALITY_CES] = "ces",
    [QUALITY_SPEED] = "speed",
};

/* Full marks at the target or faster; twice as slow, half of them. */
static double speed(const struct totals *totals, const struct kpi_context *context) {
    if (totals->response_n == 0)
        return NAN;
    double median = stats_sketch_quantile(&totals->response, 0.5);
    return median == 0 ? 100 : 100 * fmin(1, context->settings->response_target_seconds / median);
}

static double value_of(KPI_COMPUTE((*compute)), const struct totals *totals,
                       const struct kpi_context *context) {
    struct figure figure;
    compute(totals, context, &figure);
    return figure.value;
}

KPI_COMPUTE(kpi_relationship_quality) {
    const double scores[QUALITY_PARTS] = {
        [QUALITY_CSAT] = value_of(kpi_csat, totals, context),
        [QUALITY_NPS] = (value_of(kpi_nps, totals, context) + 100) / 2,
        [QUALITY_FIRST_CONTACT] = value_of(kpi_first_contact_resolution, totals, context),
        [QUALITY_RETENTION] = kpi_annualised_retention(totals, context->period),
        [QUALITY_CES] = value_of(kpi_ces, totals, context),
        [QUALITY_SPEED] = speed(totals, context),
    };
    double sum = 0, present = 0, all = 0;
    int64_t parts = 0;
    for (size_t i = 0; i < QUALITY_PARTS; i++) {
        double weight = context->settings->weights[i];
        all += weight;
        if (!isnan(scores[i])) {
            sum += weight * scores[i];
            present += weight;
            parts++;
        }
    }
    enum null_reason reason = NULL_NONE;
    if (parts == 0)
        reason = NULL_NO_DATA;
    else if (present < all / 2)
        reason = NULL_LOW_COVERAGE;
    figure_start(ret_figure, parts, reason);
    if (reason == NULL_NONE)
        ret_figure->value = sum / present;
    for (size_t i = 0; i < QUALITY_PARTS; i++)
        figure_add_part(ret_figure, quality_part_names[i], scores[i]);
}
