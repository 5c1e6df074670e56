/* KPIs from who buys, and who buys again: buyer_retention_rate, repeat_purchase_rate. */
#include "figure.h"

KPI_COMPUTE(kpi_buyer_retention_rate) {
    (void)context;
    enum null_reason reason = NULL_NONE;
    if (totals->buyers == 0)
        reason = NULL_NO_DATA;
    else if (totals->previous_payments == 0)
        reason = NULL_NO_PREVIOUS;
    else if (totals->previous_buyers == 0)
        reason = NULL_ZERO_DENOMINATOR;
    figure_start_proportion(ret_figure, totals->returning_buyers, totals->previous_buyers, reason);
    figure_add_count(ret_figure, "buyers", totals->buyers);
    figure_add_count(ret_figure, "previous_buyers", totals->previous_buyers);
    figure_add_count(ret_figure, "returning_buyers", totals->returning_buyers);
}

KPI_COMPUTE(kpi_repeat_purchase_rate) {
    (void)context;
    figure_start_proportion(ret_figure, totals->repeat_buyers, totals->buyers,
                            totals->buyers == 0 ? NULL_NO_DATA : NULL_NONE);
    figure_add_count(ret_figure, "buyers", totals->buyers);
    figure_add_count(ret_figure, "repeat_buyers", totals->repeat_buyers);
}
