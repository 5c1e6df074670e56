/* The KPI catalogue: one row per KPI (see vinculo/kpi.h), by which the program goes. What is
 * written about them is in definitions/. */
#include "figure.h"

#include <string.h>

#define BY_CUSTOMER (1U << KPI_LABEL_SEGMENT | 1U << KPI_LABEL_CHANNEL)
#define BY_INTERACTION (BY_CUSTOMER | 1U << KPI_LABEL_AGENT | 1U << KPI_LABEL_TOPIC)
#define BY_SURVEY (BY_INTERACTION | 1U << KPI_LABEL_TOUCHPOINT | 1U << KPI_LABEL_ASPECT)
#define BY_PAYMENT (1U << KPI_LABEL_SEGMENT)

const struct kpi_spec kpi_catalogue[] = {
    {
        .name = "csat",
        .definition = "csat@1",
        .unit = UNIT_PERCENT,
        .higher_is_better = true,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_SURVEYS,
        .ranked_by = SOURCE_SURVEYS,
        .labels = BY_SURVEY,
        .compute = kpi_csat,
        .p_value = kpi_csat_p_value,
    },
    {
        .name = "nps",
        .definition = "nps@1",
        .unit = UNIT_POINTS,
        .higher_is_better = true,
        .cadence = GRANULARITY_QUARTER,
        .needs = NEED_SURVEYS,
        .ranked_by = SOURCE_SURVEYS,
        .labels = BY_SURVEY,
        .compute = kpi_nps,
        .p_value = kpi_nps_p_value,
    },
    {
        .name = "ces",
        .definition = "ces@1",
        .unit = UNIT_PERCENT,
        .higher_is_better = true,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_SURVEYS,
        .ranked_by = SOURCE_SURVEYS,
        .labels = BY_SURVEY,
        .compute = kpi_ces,
        .p_value = kpi_ces_p_value,
    },
    {
        .name = "response_rate",
        .definition = "response_rate@1",
        .unit = UNIT_PERCENT,
        .higher_is_better = true,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_SURVEYS,
        .ranked_by = SOURCE_SURVEYS,
        .labels = BY_SURVEY,
        .compute = kpi_response_rate,
        .p_value = kpi_response_rate_p_value,
    },
    {
        .name = "churn_rate",
        .definition = "churn_rate@1",
        .unit = UNIT_PERCENT,
        .higher_is_better = false,
        .cadence = GRANULARITY_YEAR,
        .needs = NEED_LIFE | NEED_LOSSES,
        .ranked_by = SOURCE_LIFE,
        .labels = BY_CUSTOMER | 1U << KPI_LABEL_REASON,
        .compute = kpi_churn_rate,
    },
    {
        .name = "retention_rate",
        .definition = "retention_rate@1",
        .unit = UNIT_PERCENT,
        .higher_is_better = true,
        .cadence = GRANULARITY_YEAR,
        .needs = NEED_LIFE | NEED_LOSSES,
        .ranked_by = SOURCE_LIFE,
        .labels = BY_CUSTOMER,
        .compute = kpi_retention_rate,
    },
    {
        .name = "first_response_time",
        .definition = "first_response_time@1",
        .unit = UNIT_SECONDS,
        .higher_is_better = false,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_INTERACTIONS | NEED_RESPONSE,
        .ranked_by = SOURCE_INTERACTIONS,
        .labels = BY_INTERACTION,
        .compute = kpi_first_response_time,
    },
    {
        .name = "resolution_time",
        .definition = "resolution_time@1",
        .unit = UNIT_SECONDS,
        .higher_is_better = false,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_INTERACTIONS | NEED_RESOLUTION,
        .ranked_by = SOURCE_INTERACTIONS,
        .labels = BY_INTERACTION,
        .compute = kpi_resolution_time,
    },
    {
        .name = "first_contact_resolution",
        .definition = "first_contact_resolution@1",
        .unit = UNIT_PERCENT,
        .higher_is_better = true,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_INTERACTIONS,
        .ranked_by = SOURCE_INTERACTIONS,
        .labels = BY_INTERACTION,
        .compute = kpi_first_contact_resolution,
        .p_value = kpi_first_contact_resolution_p_value,
    },
    {
        .name = "interactions",
        .definition = "interactions@1",
        .unit = UNIT_COUNT,
        .neutral = true,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_INTERACTIONS,
        .ranked_by = SOURCE_INTERACTIONS,
        .labels = BY_INTERACTION,
        .compute = kpi_interactions,
    },
    {
        .name = "feedback",
        .definition = "feedback@1",
        .unit = UNIT_COUNT,
        .neutral = true,
        .cadence = GRANULARITY_QUARTER,
        .needs = NEED_SURVEYS,
        .ranked_by = SOURCE_SURVEYS,
        .labels = BY_SURVEY,
        .compute = kpi_feedback,
    },
    {
        .name = "follow_up_rate",
        .definition = "follow_up_rate@1",
        .unit = UNIT_PERCENT,
        .higher_is_better = true,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_SURVEYS | NEED_FOLLOW_UP,
        .ranked_by = SOURCE_SURVEYS,
        .labels = BY_SURVEY,
        .compute = kpi_follow_up_rate,
        .p_value = kpi_follow_up_rate_p_value,
    },
    {
        .name = "buyer_retention_rate",
        .definition = "buyer_retention_rate@1",
        .unit = UNIT_PERCENT,
        .higher_is_better = true,
        .cadence = GRANULARITY_YEAR,
        .needs = NEED_PAYMENTS | NEED_PURCHASES,
        .ranked_by = SOURCE_PAYMENTS,
        .labels = BY_PAYMENT,
        .no_channel = true,
        .compute = kpi_buyer_retention_rate,
    },
    {
        .name = "repeat_purchase_rate",
        .definition = "repeat_purchase_rate@1",
        .unit = UNIT_PERCENT,
        .higher_is_better = true,
        .cadence = GRANULARITY_YEAR,
        .needs = NEED_PAYMENTS | NEED_PURCHASES,
        .ranked_by = SOURCE_PAYMENTS,
        .labels = BY_PAYMENT,
        .no_channel = true,
        .compute = kpi_repeat_purchase_rate,
    },
    {
        .name = "revenue",
        .definition = "revenue@1",
        .unit = UNIT_MONEY,
        .higher_is_better = true,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_PAYMENTS,
        .ranked_by = SOURCE_PAYMENTS,
        .labels = BY_PAYMENT,
        .no_channel = true,
        .compute = kpi_revenue,
    },
    {
        .name = "revenue_growth_rate",
        .definition = "revenue_growth_rate@1",
        .unit = UNIT_PERCENT,
        .higher_is_better = true,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_PAYMENTS,
        .ranked_by = SOURCE_PAYMENTS,
        .labels = BY_PAYMENT,
        .no_channel = true,
        .compute = kpi_revenue_growth_rate,
    },
    {
        .name = "arpc",
        .definition = "arpc@1",
        .unit = UNIT_MONEY,
        .higher_is_better = true,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_LIFE | NEED_CUSTOMER_REVENUE,
        .ranked_by = SOURCE_CUSTOMER_REVENUE,
        .labels = BY_CUSTOMER,
        .compute = kpi_arpc,
    },
    {
        .name = "cac",
        .definition = "cac@1",
        .unit = UNIT_MONEY,
        .higher_is_better = false,
        .cadence = GRANULARITY_MONTH,
        .needs = NEED_COSTS | NEED_LIFE,
        .ranked_by = SOURCE_COSTS,
        .labels = BY_CUSTOMER | 1U << KPI_LABEL_CATEGORY,
        .compute = kpi_cac,
    },
    {
        .name = "ltv",
        .definition = "ltv@1",
        .unit = UNIT_MONEY,
        .higher_is_better = true,
        .cadence = GRANULARITY_YEAR,
        .needs = NEED_LIFE | NEED_LOSSES | NEED_CUSTOMER_REVENUE,
        .ranked_by = SOURCE_CUSTOMER_REVENUE,
        .labels = BY_CUSTOMER,
        .echo = ECHO_GROSS_MARGIN,
        .compute = kpi_ltv,
    },
    {
        .name = "ltv_cac_ratio",
        .definition = "ltv_cac_ratio@1",
        .unit = UNIT_RATIO,
        .higher_is_better = true,
        .cadence = GRANULARITY_YEAR,
        .needs = NEED_LIFE | NEED_LOSSES | NEED_CUSTOMER_REVENUE | NEED_COSTS,
        .ranked_by = SOURCE_CUSTOMER_REVENUE,
        .labels = BY_CUSTOMER,
        .echo = ECHO_GROSS_MARGIN,
        .compute = kpi_ltv_cac_ratio,
    },
    {
        .name = "relationship_quality",
        .definition = "relationship_quality@1",
        .unit = UNIT_POINTS,
        .higher_is_better = true,
        .cadence = GRANULARITY_QUARTER,
        .needs = NEED_SURVEYS | NEED_INTERACTIONS | NEED_LIFE | NEED_LOSSES | NEED_RESPONSE,
        .ranked_by = SOURCE_SURVEYS,
        .labels = BY_CUSTOMER,
        .echo = ECHO_QUALITY,
        .compute = kpi_relationship_quality,
    },
};

const size_t kpi_count = sizeof kpi_catalogue / sizeof kpi_catalogue[0];

const struct kpi_spec *kpi_find(const char *name, size_t length) {
    for (size_t i = 0; i < kpi_count; i++) {
        const char *candidate = kpi_catalogue[i].name;
        if (strlen(candidate) == length && memcmp(candidate, name, length) == 0)
            return &kpi_catalogue[i];
    }
    return NULL;
}

const char *kpi_label_name(enum kpi_label label) {
    static const char *const names[KPI_LABEL_END] = {
        [KPI_LABEL_SEGMENT] = "segment",       [KPI_LABEL_CHANNEL] = "channel",
        [KPI_LABEL_AGENT] = "agent",           [KPI_LABEL_TOPIC] = "topic",
        [KPI_LABEL_TOUCHPOINT] = "touchpoint", [KPI_LABEL_ASPECT] = "aspect",
        [KPI_LABEL_REASON] = "reason",         [KPI_LABEL_CATEGORY] = "category",
    };
    return names[label];
}

void kpi_compute(const struct kpi_spec *spec, const struct totals *totals,
                 const struct kpi_context *context, bool by_channel, struct figure *ret_figure) {
    *ret_figure = (struct figure){0};
    spec->compute(totals, context, ret_figure);
    if (by_channel && spec->no_channel)
        figure_withdraw(ret_figure, NULL_NOT_APPLICABLE_TO_FILTER);
}

const char *kpi_unit_name(enum kpi_unit unit) {
    static const char *const names[] = {
        [UNIT_PERCENT] = "percent", [UNIT_POINTS] = "points", [UNIT_SECONDS] = "seconds",
        [UNIT_MONEY] = "money",     [UNIT_RATIO] = "ratio",   [UNIT_COUNT] = "count",
    };
    return names[unit];
}

const char *kpi_direction_name(const struct kpi_spec *spec) {
    if (spec->neutral)
        return "neutral";
    return spec->higher_is_better ? "higher_is_better" : "lower_is_better";
}

const char *null_reason_name(enum null_reason reason) {
    static const char *const names[] = {
        [NULL_NONE] = NULL,
        [NULL_NOT_APPLICABLE_TO_FILTER] = "not_applicable_to_filter",
        [NULL_NO_DATA] = "no_data",
        [NULL_NO_PREVIOUS] = "no_previous",
        [NULL_NO_CANCELLATIONS] = "no_cancellations",
        [NULL_ZERO_DENOMINATOR] = "zero_denominator",
        [NULL_ZERO_CHURN] = "zero_churn",
        [NULL_LOW_COVERAGE] = "low_coverage",
    };
    return names[reason];
}
