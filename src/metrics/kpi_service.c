/*
 * KPIs from interactions: first_response_time, resolution_time, first_contact_resolution,
 * interactions.
 */
#include "figure.h"

#include "vinculo/stats.h"

#include <assert.h>
#include <math.h>

/* Median, its interval, higher percentiles and mean of n durations. */
static void compute_durations(const struct sketch *sketch, int64_t n, int64_t waiting,
                              struct figure *ret_figure) {
    const double microseconds = 1e6;
    static const struct {
        const char *name;
        double p;
    } percentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}};
    assert(stats_sketch_count(sketch) == n);

    figure_start(ret_figure, n, n > 0 ? NULL_NONE : NULL_NO_DATA);
    for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; i++) {
        figure_add_part(ret_figure, percentiles[i].name,
                        n > 0 ? stats_sketch_quantile(sketch, percentiles[i].p) : NAN);
    }
    ret_figure->value = ret_figure->parts[0].value;
    int64_t rank = stats_median_rank(n);
    if (rank > 0) {
        figure_set_interval(ret_figure, stats_sketch_at(sketch, rank - 1),
                            stats_sketch_at(sketch, n - rank), "order_statistics");
    }
    figure_add_part(ret_figure, "mean", figure_mean(sketch->sum_us / microseconds, n));
    figure_add_count(ret_figure, "waiting_at_end", waiting);
}

KPI_COMPUTE(kpi_first_response_time) {
    (void)context;
    compute_durations(&totals->response, totals->response_n, totals->response_waiting, ret_figure);
}

KPI_COMPUTE(kpi_resolution_time) {
    (void)context;
    compute_durations(&totals->resolution, totals->resolution_n, totals->resolution_waiting,
                      ret_figure);
}

KPI_COMPUTE(kpi_first_contact_resolution) {
    (void)context;
    enum null_reason reason = NULL_NONE;
    if (totals->resolution_n == 0)
        reason = NULL_NO_DATA;
    else if (totals->contact_known == 0)
        reason = NULL_ZERO_DENOMINATOR;
    figure_start_proportion(ret_figure, totals->contact_first, totals->contact_known, reason);
    figure_add_count(ret_figure, "first_contact", totals->contact_first);
    figure_add_count(ret_figure, "known", totals->contact_known);
    figure_add_count(ret_figure, "resolved", totals->resolution_n);
}

KPI_P_VALUE(kpi_first_contact_resolution_p_value) {
    return figure_proportions_p_value(now->contact_first, now->contact_known, before->contact_first,
                                      before->contact_known);
}

KPI_COMPUTE(kpi_interactions) {
    (void)context;
    figure_start_count(ret_figure, totals->opened, totals->interactions_before > 0);
    figure_add_count(ret_figure, "opened", totals->opened);
    figure_add_count(ret_figure, "responded", totals->responded);
    figure_add_count(ret_figure, "resolved", totals->resolved);
    figure_add_count(ret_figure, "closed_unresolved", totals->closed_unresolved);
    figure_add_count(ret_figure, "open_at_end", totals->open_at_end);
}
