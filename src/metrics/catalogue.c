/* The KPI catalogue: one row per KPI (see vinculo/kpi.h). */
#include "figure.h"

#include <string.h>

#define WILSON                                                                                     \
    "interval: Wilson 1927, Journal of the American Statistical Association 22, as method 3 of "   \
    "Newcombe 1998, Statistics in Medicine 17"
#define N_MINUS_1 "; comparison: N−1 two-proportion test, Campbell 2007, Statistics in Medicine 26"
#define DURATIONS                                                                                  \
    "quantiles: definition 7 of Hyndman and Fan 1996, The American Statistician 50, read from a "  \
    "DDSketch, Masson, Rim and Lee 2019, Proceedings of the VLDB Endowment 12; interval of the "   \
    "median by order statistics: Conover 1999, Practical Nonparametric Statistics"

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
        .title = "Customer satisfaction score",
        .summary = "Share of answers to satisfaction questions that chose one of the satisfied "
                   "boxes of their scale. Only solicited answers without an aspect count.",
        .formula = "satisfied / answers × 100; satisfied is the top box of scales to 2 and 3, the "
                   "top two of scales to 4, 5, 6 and 7, the top three of scales to 10; "
                   "mean_on_5 = mean of 1 + 4 (score − min) / (max − min)",
        .source = "ISO 10004:2018, Customer satisfaction: guidelines for monitoring and "
                  "measuring; " WILSON N_MINUS_1,
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
        .title = "Net Promoter Score",
        .summary = "How much larger the share of customers who would recommend the business "
                   "(9 or 10 of 10) is than the share of those who would not (0 to 6). Only "
                   "solicited answers without an aspect count.",
        .formula = "(promoters − detractors) / answers × 100; interval: adjusted Wald with three "
                   "answers added, ¾ promoter, 1½ passive and ¾ detractor",
        .source = "Reichheld 2003, The One Number You Need to Grow, Harvard Business Review "
                  "81(12); interval and comparison: Rocks 2016, Interval Estimation for the \"Net "
                  "Promoter Score\", The American Statistician 70",
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
        .title = "Customer effort score",
        .summary = "Share of answers to effort questions that found it easy. Only solicited "
                   "answers without an aspect count; scales on which a low score is easy are "
                   "turned round first.",
        .formula = "easy / answers × 100; easy is the top three of 7 or the top two of 5; mean_5 "
                   "and mean_7 are the means of each scale, never averaged together",
        .source = "Dixon, Freeman and Toman 2010, Stop Trying to Delight Your Customers, Harvard "
                  "Business Review 88(7/8); " WILSON N_MINUS_1,
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
        .title = "Survey response rate",
        .summary = "Share of the survey invitations sent in the period that were answered within "
                   "the response window (30 days unless set otherwise). Provisional until the "
                   "window of the last invitation has closed.",
        .formula = "answered within the window / sent × 100; late answers are counted apart",
        .source = "AAPOR 2023, Standard Definitions: Final Dispositions of Case Codes and Outcome "
                  "Rates for Surveys; " WILSON N_MINUS_1,
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
        .title = "Customer churn rate",
        .summary = "Share of the customers active at the start of the period who are not active "
                   "at its end. Customers who join and leave within the period are counted apart "
                   "as lost_new; who leaves and comes back in time is not lost.",
        .formula = "lost / customers_at_start × 100; annualised = 100 (1 − (1 − lost / "
                   "customers_at_start)^(12 / months)); customers_at_start + acquired + "
                   "reactivated − cancelled = customers_at_end",
        .source = "Farris, Bendle, Pfeifer and Reibstein 2010, Marketing Metrics; " WILSON,
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
        .title = "Customer retention rate",
        .summary = "Share of the customers active at the start of the period who are active at "
                   "its end: 100 minus the churn rate of the same customers.",
        .formula = "retained / customers_at_start × 100; annualised = 100 (retained / "
                   "customers_at_start)^(12 / months)",
        .source = "Reichheld and Sasser 1990, Zero Defections: Quality Comes to Services, Harvard "
                  "Business Review 68(5); " WILSON,
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
        .title = "First response time",
        .summary = "Median time from the opening of an interaction to the first answer, of the "
                   "inbound interactions first answered in the period; those with bots stay out.",
        .formula = "median of first_response_at − opened_at; percentile p stands at rank "
                   "p (n − 1), interpolated, within 1 %; the mean is exact",
        .source = DURATIONS,
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
        .title = "Resolution time",
        .summary = "Median time from the opening of an interaction to its resolution, of the "
                   "inbound interactions resolved in the period; those with bots stay out.",
        .formula = "median of resolved_at − opened_at; percentile p stands at rank p (n − 1), "
                   "interpolated, within 1 %; the mean is exact",
        .source = DURATIONS,
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
        .title = "First-contact resolution",
        .summary = "Share of the inbound interactions resolved in the period that were resolved "
                   "on the first contact, of those where it is known; those with bots stay out.",
        .formula = "first_contact / known × 100, by resolved_at",
        .source = "Feinberg, Kim, Hokama, de Ruyter and Keen 2000, Operational determinants of "
                  "caller satisfaction in the call center, International Journal of Service "
                  "Industry Management 11(2); " WILSON N_MINUS_1,
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
        .title = "Interactions",
        .summary = "Number of interactions opened in the period, of every direction and channel, "
                   "with what became of interactions meanwhile.",
        .formula = "opened by opened_at; responded by first_response_at; resolved by resolved_at; "
                   "closed_unresolved by closed_at without resolved_at; open_at_end: opened and "
                   "neither resolved nor closed before the period's end",
        .source = "A count of the stored records, without estimation; open_at_end is the number "
                  "in the system of Little 1961, Operations Research 9(3)",
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
        .title = "Feedback comments",
        .summary = "Number of survey comments given in the period, unsolicited ones and those on "
                   "an aspect included, classed by the score that came with them.",
        .formula = "comments by answered_at; positive: promoters, satisfied, easy; negative: "
                   "detractors, dissatisfied, hard; neutral: the scores between; unscored: no "
                   "score",
        .source = "A count of the stored records, without estimation; gathering of comments as in "
                  "ISO 10004:2018, Customer satisfaction: guidelines for monitoring and measuring",
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
        .title = "Follow-up rate",
        .summary = "Share of the low scores given in the period about which an action was done "
                   "within seven days. Every survey counts, unsolicited ones and those on an "
                   "aspect included. Provisional until the last score's seven days are over.",
        .formula = "low scores with an action of that survey_id whose status is done and whose "
                   "done_at lies from the answer to 168 hours after it / low scores × 100; low: "
                   "detractors, dissatisfied, hard; the first such action counts",
        .source = "Markey, Reichheld and Dullweber 2009, Closing the Customer Feedback Loop, "
                  "Harvard Business Review 87(12); " WILSON N_MINUS_1,
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
        .title = "Buyer retention rate",
        .summary = "Share of the customers who bought in the previous equal period and bought "
                   "again in this one: retention for a business without contracts.",
        .formula = "customers with a payment above zero in both periods / customers with one in "
                   "the previous period × 100",
        .source = "Farris, Bendle, Pfeifer and Reibstein 2010, Marketing Metrics, 2nd edition, "
                  "chapter 5 (recency and retention of customers); " WILSON,
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
        .title = "Repeat purchase rate",
        .summary = "Share of the customers who bought in the period that had bought before it, "
                   "or bought on at least two days in it.",
        .formula = "buyers with an earlier purchase or with purchases on two days / buyers × 100; "
                   "a purchase is a payment above zero that names a customer",
        .source = "Farris, Bendle, Pfeifer and Reibstein 2010, Marketing Metrics, 2nd edition, "
                  "chapter 2 (repeat rate); " WILSON,
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
        .title = "Revenue",
        .summary = "Sum of the payments of the period, refunds taken off.",
        .formula = "gross − refunds, by paid_at; unattributed: payments without a customer_id",
        .source = "A sum of the stored records, without estimation",
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
        .title = "Revenue growth rate",
        .summary = "How much revenue grew against the previous equal period.",
        .formula = "(revenue − previous revenue) / previous revenue × 100",
        .source = "Farris, Bendle, Pfeifer and Reibstein 2010, Marketing Metrics, 2nd edition, "
                  "chapter 4 (year-on-year growth)",
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
        .title = "Average revenue per customer",
        .summary = "Revenue that names a customer, per customer active on average.",
        .formula = "attributed revenue / mean of the customers active at the period's start and at "
                   "its end; filters and groups go by the customers' labels",
        .source = "ARPU as in McCarthy, Fader and Hardie 2017, Valuing Subscription-Based "
                  "Businesses Using Publicly Disclosed Customer Data, Journal of Marketing 81(1)",
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
        .title = "Customer acquisition cost",
        .summary = "What winning a customer cost: the period's costs per customer acquired in it.",
        .formula = "costs (of the categories in the setting cac_categories, by default all) / "
                   "customers whose first start lies in the period",
        .source = "Farris, Bendle, Pfeifer and Reibstein 2010, Marketing Metrics, 2nd edition, "
                  "chapter 5 (average acquisition cost)",
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
        .title = "Customer lifetime value",
        .summary = "Margin that a customer brings until they leave, at the period's revenue and "
                   "losses: ARPC ÷ churn over the same customers and time.",
        .formula = "gross_margin × attributed revenue / (lost + lost_new); interval: score "
                   "interval of the losses as a Poisson count; without a loss the interval's low "
                   "end alone",
        .source = "Gupta and Lehmann 2003, Customers as Assets, Journal of Interactive Marketing "
                  "17(1), without discounting; interval: Barker 2002, The American Statistician 56",
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
        .title = "Lifetime value to acquisition cost",
        .summary = "How many times its cost a won customer brings back.",
        .formula = "ltv / cac of the same period",
        .source = "Skok 2010, SaaS Metrics: A Guide to Measuring and Improving What Matters",
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
        .title = "Relationship quality",
        .summary = "One score from 0 to 100 out of satisfaction, recommendation, first-contact "
                   "resolution, retention, effort and speed. Missing parts share their weight "
                   "among the others; below half of the weight there is no value.",
        .formula = "weighted mean of csat, (nps + 100)/2, first_contact_resolution, annualised "
                   "retention, ces and speed = 100 × min(1, target / median first response); "
                   "weights 0.25, 0.25, 0.15, 0.15, 0.10, 0.10 and target 4 h unless set "
                   "otherwise",
        .source = "Own composite of the KPIs named in the formula",
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
        figure_start(ret_figure, 0, NULL_NOT_APPLICABLE_TO_FILTER);
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
