/* KPIs from customers' comings and goings: churn_rate and retention_rate, of one cohort. */
#include "figure.h"

#include <math.h>

enum null_reason kpi_life_null_reason(const struct totals *totals) {
    if (totals->customers_before == 0)
        return NULL_NO_DATA;
    if (totals->cancellations_stored == 0)
        return NULL_NO_CANCELLATIONS;
    return totals->at_start == 0 ? NULL_ZERO_DENOMINATOR : NULL_NONE;
}

double kpi_annualised_retention(const struct totals *totals, const struct period *period) {
    if (kpi_life_null_reason(totals) != NULL_NONE)
        return NAN;
    double kept = (double)(totals->at_start - totals->lost) / (double)totals->at_start;
    return 100 * pow(kept, 12 / period_months(period));
}

KPI_COMPUTE(kpi_churn_rate) {
    figure_start_proportion(ret_figure, totals->lost, totals->at_start,
                            kpi_life_null_reason(totals));
    figure_add_count(ret_figure, "customers_at_start", totals->at_start);
    figure_add_count(ret_figure, "lost", totals->lost);
    figure_add_count(ret_figure, "lost_new", totals->lost_new);
    figure_add_count(ret_figure, "acquired", totals->acquired);
    figure_add_count(ret_figure, "reactivated", totals->reactivated);
    figure_add_count(ret_figure, "cancelled", totals->cancelled);
    figure_add_count(ret_figure, "redundant", totals->redundant);
    figure_add_count(ret_figure, "customers_at_end", totals->at_end);
    figure_add_count(ret_figure, "lost_voluntary", totals->lost_voluntary);
    figure_add_count(ret_figure, "lost_involuntary", totals->lost_involuntary);
    figure_add_part(ret_figure, "annualised",
                    100 - kpi_annualised_retention(totals, context->period));
}

KPI_COMPUTE(kpi_retention_rate) {
    int64_t retained = totals->at_start - totals->lost;
    struct figure churn;
    kpi_churn_rate(totals, context, &churn);

    figure_start(ret_figure, totals->at_start, churn.null_reason);
    ret_figure->numerator = (double)retained;
    ret_figure->denominator = (double)totals->at_start;
    if (churn.null_reason == NULL_NONE) {
        /* From churn's own figures, so that the two always add up to 100. */
        ret_figure->value = 100 - churn.value;
        figure_set_interval(ret_figure, 100 - churn.interval.high, 100 - churn.interval.low,
                            churn.interval.method);
    }
    figure_add_count(ret_figure, "customers_at_start", totals->at_start);
    figure_add_count(ret_figure, "retained", retained);
    figure_add_count(ret_figure, "lost", totals->lost);
    figure_add_part(ret_figure, "annualised", kpi_annualised_retention(totals, context->period));
}
