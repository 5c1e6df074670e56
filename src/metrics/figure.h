/*
 * What the KPI functions share: filling a figure, and the functions themselves, which the
 * catalogue's rows name.
 */
#ifndef VINCULO_METRICS_FIGURE_H
#define VINCULO_METRICS_FIGURE_H

#include "vinculo/kpi.h"

/* A figure without a value, parts or interval; `reason` may be NULL_NONE when the value follows. */
void figure_start(struct figure *ret_figure, int64_t n, enum null_reason reason);
void figure_add_part(struct figure *figure, const char *name, double value);
void figure_add_count(struct figure *figure, const char *name, int64_t count);
/* Widened to hold the value, whatever rounding did to the ends. */
void figure_set_interval(struct figure *figure, double low, double high, const char *method);
/* Nothing is left of the figure but the names of its parts, and the reason. */
void figure_withdraw(struct figure *figure, enum null_reason reason);
/* 100 x/n with its Wilson interval, or null for the reason. */
void figure_start_proportion(struct figure *ret_figure, int64_t x, int64_t n,
                             enum null_reason reason);
/* A plain count; null `no_data` until the workspace has a record of the kind. */
void figure_start_count(struct figure *ret_figure, int64_t count, bool any_before);

/* sum/n, NaN for n 0. */
double figure_mean(double sum, int64_t n);
/* NaN below five observations in either sample, where the test says nothing. */
double figure_proportions_p_value(int64_t x1, int64_t n1, int64_t x2, int64_t n2);

#define KPI_COMPUTE(name)                                                                          \
    void name(const struct totals *totals, const struct kpi_context *context,                      \
              struct figure *ret_figure)
#define KPI_P_VALUE(name) double name(const struct totals *now, const struct totals *before)

/* kpi_surveys.c */
KPI_COMPUTE(kpi_csat);
KPI_P_VALUE(kpi_csat_p_value);
KPI_COMPUTE(kpi_nps);
KPI_P_VALUE(kpi_nps_p_value);
KPI_COMPUTE(kpi_ces);
KPI_P_VALUE(kpi_ces_p_value);
KPI_COMPUTE(kpi_response_rate);
KPI_P_VALUE(kpi_response_rate_p_value);
KPI_COMPUTE(kpi_feedback);
KPI_COMPUTE(kpi_follow_up_rate);
KPI_P_VALUE(kpi_follow_up_rate_p_value);

/* kpi_life.c */
enum null_reason kpi_life_null_reason(const struct totals *totals);
/* What would stay of 100 customers after twelve months at this period's pace; NaN without one. */
double kpi_annualised_retention(const struct totals *totals, const struct period *period);
KPI_COMPUTE(kpi_churn_rate);
KPI_COMPUTE(kpi_retention_rate);

/* kpi_service.c */
KPI_COMPUTE(kpi_first_response_time);
KPI_COMPUTE(kpi_resolution_time);
KPI_COMPUTE(kpi_first_contact_resolution);
KPI_P_VALUE(kpi_first_contact_resolution_p_value);
KPI_COMPUTE(kpi_interactions);

/* kpi_money.c */
KPI_COMPUTE(kpi_revenue);
KPI_COMPUTE(kpi_revenue_growth_rate);
KPI_COMPUTE(kpi_arpc);
KPI_COMPUTE(kpi_cac);
KPI_COMPUTE(kpi_ltv);
KPI_COMPUTE(kpi_ltv_cac_ratio);

/* kpi_buyers.c */
KPI_COMPUTE(kpi_buyer_retention_rate);
KPI_COMPUTE(kpi_repeat_purchase_rate);

/* kpi_quality.c */
KPI_COMPUTE(kpi_relationship_quality);

#endif
