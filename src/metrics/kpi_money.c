/*
 * KPIs of money, in minor units of the workspace's currency: revenue, revenue_growth_rate, arpc,
 * cac, ltv, ltv_cac_ratio.
 */
#include "figure.h"

#include "vinculo/stats.h"

#include <math.h>

static double revenue_of(const struct totals *totals) { return totals->gross - totals->refunds; }

/* value = top / bottom, unless there is a reason for none. */
static void start_quotient(struct figure *ret_figure, double top, double bottom, int64_t n,
                           enum null_reason reason) {
    figure_start(ret_figure, n, reason);
    ret_figure->numerator = top;
    ret_figure->denominator = bottom;
    if (reason == NULL_NONE)
        ret_figure->value = top / bottom;
}

KPI_COMPUTE(kpi_revenue) {
    (void)context;
    bool any = totals->payments_before > 0;
    figure_start(ret_figure, totals->payments, any ? NULL_NONE : NULL_NO_DATA);
    if (any)
        ret_figure->value = revenue_of(totals);
    figure_add_part(ret_figure, "gross", totals->gross);
    figure_add_part(ret_figure, "refunds", totals->refunds);
    figure_add_part(ret_figure, "unattributed", revenue_of(totals) - totals->attributed);
}

KPI_COMPUTE(kpi_revenue_growth_rate) {
    (void)context;
    double revenue = revenue_of(totals), previous = totals->previous_revenue;
    enum null_reason reason = NULL_NONE;
    if (totals->payments_before == 0)
        reason = NULL_NO_DATA;
    else if (totals->previous_payments == 0)
        reason = NULL_NO_PREVIOUS;
    else if (previous <= 0)
        reason = NULL_ZERO_DENOMINATOR;
    start_quotient(ret_figure, revenue - previous, previous, totals->payments, reason);
    ret_figure->value *= 100;
    figure_add_part(ret_figure, "revenue", revenue);
    figure_add_part(ret_figure, "previous_revenue", previous);
}

static bool has_customers_and_payments(const struct totals *totals) {
    return totals->customers_before > 0 && totals->payments_before > 0;
}

KPI_COMPUTE(kpi_arpc) {
    (void)context;
    double customers = (double)(totals->at_start + totals->at_end) / 2;
    enum null_reason reason = NULL_NONE;
    if (!has_customers_and_payments(totals))
        reason = NULL_NO_DATA;
    else if (customers == 0)
        reason = NULL_ZERO_DENOMINATOR;
    start_quotient(ret_figure, totals->customer_revenue, customers, totals->customer_payments,
                   reason);
    figure_add_part(ret_figure, "attributed_revenue", totals->customer_revenue);
    figure_add_count(ret_figure, "customers_at_start", totals->at_start);
    figure_add_count(ret_figure, "customers_at_end", totals->at_end);
}

KPI_COMPUTE(kpi_cac) {
    (void)context;
    enum null_reason reason = NULL_NONE;
    if (totals->costs_counted == 0)
        reason = NULL_NO_DATA;
    else if (totals->acquired == 0)
        reason = NULL_ZERO_DENOMINATOR;
    start_quotient(ret_figure, totals->cost_amount, (double)totals->acquired, totals->acquired,
                   reason);
    figure_add_part(ret_figure, "costs", totals->cost_amount);
    figure_add_count(ret_figure, "acquired", totals->acquired);
}

/* Revenue over the losses that the counted ones may stand for. Without a loss, at least so much. */
static void set_ltv_interval(struct figure *figure, double margin, int64_t losses) {
    double low, high;
    stats_poisson_score(losses, &low, &high);
    double least = margin / high, most = losses > 0 ? margin / low : NAN;
    figure_set_interval(figure, margin < 0 ? most : least, margin < 0 ? least : most,
                        "poisson_score");
}

KPI_COMPUTE(kpi_ltv) {
    int64_t losses = totals->lost + totals->lost_new;
    double margin = context->settings->gross_margin * totals->customer_revenue;
    enum null_reason reason = NULL_NONE;
    if (!has_customers_and_payments(totals))
        reason = NULL_NO_DATA;
    else if (totals->cancellations_stored == 0)
        reason = NULL_NO_CANCELLATIONS;
    else if (losses == 0)
        reason = NULL_ZERO_CHURN;
    start_quotient(ret_figure, margin, (double)losses, losses, reason);
    if (reason == NULL_NONE || reason == NULL_ZERO_CHURN)
        set_ltv_interval(ret_figure, margin, losses);
    figure_add_part(ret_figure, "attributed_revenue", totals->customer_revenue);
    figure_add_count(ret_figure, "lost", totals->lost);
    figure_add_count(ret_figure, "lost_new", totals->lost_new);
}

/* The first of two reasons in their order of precedence. */
static enum null_reason first_reason(enum null_reason one, enum null_reason other) {
    if (one == NULL_NONE || other == NULL_NONE)
        return one == NULL_NONE ? other : one;
    return one < other ? one : other;
}

KPI_COMPUTE(kpi_ltv_cac_ratio) {
    struct figure ltv, cac;
    kpi_ltv(totals, context, &ltv);
    kpi_cac(totals, context, &cac);
    enum null_reason reason =
        first_reason(ltv.null_reason, cac.value == 0 ? NULL_ZERO_DENOMINATOR : cac.null_reason);
    bool both = !isnan(ltv.value) && !isnan(cac.value);
    start_quotient(ret_figure, both ? ltv.value : NAN, both ? cac.value : NAN, ltv.n, reason);
    figure_add_part(ret_figure, "ltv", ltv.value);
    figure_add_part(ret_figure, "cac", cac.value);
}
