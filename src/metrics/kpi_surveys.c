/* KPIs from what customers answer: csat, nps, ces, response_rate, feedback, follow_up_rate. */
#include "figure.h"

#include "vinculo/stats.h"

#include <math.h>

static enum null_reason no_data_unless(int64_t n) { return n > 0 ? NULL_NONE : NULL_NO_DATA; }

static int64_t csat_answers(const struct totals *totals) {
    return totals->csat_satisfied + totals->csat_neutral + totals->csat_dissatisfied;
}

KPI_COMPUTE(kpi_csat) {
    (void)context;
    const double sum_unit = 180; /* csat_sum180 counts 180ths, a multiple of every scale's steps */
    int64_t n = csat_answers(totals);
    figure_start_proportion(ret_figure, totals->csat_satisfied, n, no_data_unless(n));
    figure_add_count(ret_figure, "satisfied", totals->csat_satisfied);
    figure_add_count(ret_figure, "neutral", totals->csat_neutral);
    figure_add_count(ret_figure, "dissatisfied", totals->csat_dissatisfied);
    figure_add_part(ret_figure, "mean_on_5",
                    1 + 4 * figure_mean((double)totals->csat_sum180 / sum_unit, n));
}

KPI_P_VALUE(kpi_csat_p_value) {
    return figure_proportions_p_value(now->csat_satisfied, csat_answers(now),
                                      before->csat_satisfied, csat_answers(before));
}

static int64_t nps_answers(const struct totals *totals) {
    return totals->nps_promoters + totals->nps_passives + totals->nps_detractors;
}

KPI_COMPUTE(kpi_nps) {
    (void)context;
    int64_t n = nps_answers(totals);
    int64_t net = totals->nps_promoters - totals->nps_detractors;
    figure_start(ret_figure, n, no_data_unless(n));
    ret_figure->numerator = (double)net;
    ret_figure->denominator = (double)n;
    if (n > 0) {
        double low, high;
        stats_nps_interval(totals->nps_promoters, totals->nps_passives, totals->nps_detractors,
                           &low, &high);
        ret_figure->value = 100 * (double)net / (double)n;
        figure_set_interval(ret_figure, low, high, "adjusted_wald");
    }
    figure_add_count(ret_figure, "promoters", totals->nps_promoters);
    figure_add_count(ret_figure, "passives", totals->nps_passives);
    figure_add_count(ret_figure, "detractors", totals->nps_detractors);
}

KPI_P_VALUE(kpi_nps_p_value) {
    if (nps_answers(now) == 0 || nps_answers(before) == 0)
        return NAN;
    const int64_t first[3] = {now->nps_promoters, now->nps_passives, now->nps_detractors};
    const int64_t second[3] = {before->nps_promoters, before->nps_passives, before->nps_detractors};
    return stats_nps_p_value(first, second);
}

static int64_t ces_answers(const struct totals *totals) {
    return totals->ces_easy + totals->ces_neutral + totals->ces_hard;
}

KPI_COMPUTE(kpi_ces) {
    (void)context;
    int64_t n = ces_answers(totals);
    figure_start_proportion(ret_figure, totals->ces_easy, n, no_data_unless(n));
    figure_add_count(ret_figure, "easy", totals->ces_easy);
    figure_add_count(ret_figure, "neutral", totals->ces_neutral);
    figure_add_count(ret_figure, "hard", totals->ces_hard);
    figure_add_part(ret_figure, "mean_5", figure_mean((double)totals->ces5_sum, totals->ces5_n));
    figure_add_part(ret_figure, "mean_7", figure_mean((double)totals->ces7_sum, totals->ces7_n));
}

KPI_P_VALUE(kpi_ces_p_value) {
    return figure_proportions_p_value(now->ces_easy, ces_answers(now), before->ces_easy,
                                      ces_answers(before));
}

KPI_COMPUTE(kpi_response_rate) {
    figure_start_proportion(ret_figure, totals->answered, totals->sent,
                            no_data_unless(totals->sent));
    figure_add_count(ret_figure, "sent", totals->sent);
    figure_add_count(ret_figure, "answered", totals->answered);
    figure_add_count(ret_figure, "late", totals->answered_late);
    /* The last invitation's window is still open. */
    ret_figure->provisional =
        context->today < context->period->to + context->settings->response_window_days;
}

KPI_P_VALUE(kpi_response_rate_p_value) {
    return figure_proportions_p_value(now->answered, now->sent, before->answered, before->sent);
}

KPI_COMPUTE(kpi_feedback) {
    (void)context;
    int64_t comments = totals->comments_positive + totals->comments_neutral +
                       totals->comments_negative + totals->comments_unscored;
    figure_start_count(ret_figure, comments, totals->surveys_before > 0);
    figure_add_count(ret_figure, "positive", totals->comments_positive);
    figure_add_count(ret_figure, "neutral", totals->comments_neutral);
    figure_add_count(ret_figure, "negative", totals->comments_negative);
    figure_add_count(ret_figure, "unscored", totals->comments_unscored);
}

KPI_COMPUTE(kpi_follow_up_rate) {
    enum { WINDOW_DAYS = 7 };
    enum null_reason reason = NULL_NONE;
    if (totals->scored == 0)
        reason = NULL_NO_DATA;
    else if (totals->low == 0)
        reason = NULL_ZERO_DENOMINATOR;
    figure_start_proportion(ret_figure, totals->followed_up, totals->low, reason);
    figure_add_count(ret_figure, "low_scores", totals->low);
    figure_add_count(ret_figure, "followed_up", totals->followed_up);
    figure_add_part(ret_figure, "median_time",
                    totals->followed_up > 0 ? stats_sketch_quantile(&totals->follow_up, 0.5) : NAN);
    figure_add_count(ret_figure, "within_48h", totals->followed_up_48h);
    ret_figure->provisional = context->today < context->period->to + WINDOW_DAYS;
}

KPI_P_VALUE(kpi_follow_up_rate_p_value) {
    return figure_proportions_p_value(now->followed_up, now->low, before->followed_up, before->low);
}
