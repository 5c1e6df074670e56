/*
 * The KPI catalogue: one row per KPI, one pure function each, from additive totals to a figure.
 * Knows no SQL, JSON or HTTP. What is written about each is in src/metrics/definitions.
 */
#ifndef VINCULO_KPI_H
#define VINCULO_KPI_H

#include "vinculo/period.h"
#include "vinculo/totals.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kpi_unit { UNIT_PERCENT, UNIT_POINTS, UNIT_SECONDS, UNIT_MONEY, UNIT_RATIO, UNIT_COUNT };

enum null_reason {
    NULL_NONE, /* there is a value */
    NULL_NOT_APPLICABLE_TO_FILTER,
    NULL_NO_DATA,
    NULL_NO_PREVIOUS,
    NULL_NO_CANCELLATIONS,
    NULL_ZERO_DENOMINATOR,
    NULL_ZERO_CHURN,
    NULL_LOW_COVERAGE
};

enum { FIGURE_PARTS_MAX = 16 };

/* A number that may be absent (NaN: absent, written as null). */
struct figure_part {
    const char *name;
    double value;
};

struct figure_interval {
    bool present;
    double low, high;   /* NaN: no such end */
    const char *method; /* "wilson", "adjusted_wald", "order_statistics", "poisson_score" */
};

/* The answer for one KPI, period and filter. */
struct figure {
    double value; /* NaN exactly where null_reason is not NULL_NONE */
    int64_t n;
    double numerator, denominator; /* NaN: null (sums, medians) */
    struct figure_part parts[FIGURE_PARTS_MAX];
    size_t part_count;
    struct figure_interval interval; /* level 0.95 */
    enum null_reason null_reason;
    bool provisional;
};

/* The parts of relationship_quality, in the order of its weights. */
enum quality_part {
    QUALITY_CSAT,
    QUALITY_NPS,
    QUALITY_FIRST_CONTACT,
    QUALITY_RETENTION,
    QUALITY_CES,
    QUALITY_SPEED,
    QUALITY_PARTS
};
extern const char *const quality_part_names[QUALITY_PARTS]; /* "csat" … */

/* The workspace's settings that KPIs depend on. */
struct kpi_settings {
    int response_window_days; /* answers within so many days count as a response (30) */
    double gross_margin;      /* of revenue (1) */
    int response_target_seconds;
    double weights[QUALITY_PARTS];
};

/* Which settings a KPI echoes. */
enum kpi_echo { ECHO_NOTHING, ECHO_GROSS_MARGIN, ECHO_QUALITY };

/* Everything beyond the totals that a KPI may depend on. */
struct kpi_context {
    const struct period *period;
    int32_t today; /* in the workspace's zone */
    const struct kpi_settings *settings;
};

/* Labels that figures can be broken down by; the numbers are the cuts of migrations/0004. */
enum kpi_label {
    KPI_LABEL_NONE = 0,
    KPI_LABEL_SEGMENT = 1,
    KPI_LABEL_CHANNEL = 2,
    KPI_LABEL_AGENT = 4,
    KPI_LABEL_TOPIC = 5,
    KPI_LABEL_TOUCHPOINT = 6,
    KPI_LABEL_ASPECT = 7,
    KPI_LABEL_REASON = 8,
    KPI_LABEL_CATEGORY = 9,
    KPI_LABEL_END
};
const char *kpi_label_name(enum kpi_label label); /* "segment"; NULL for what is none */

/* What must be read for a KPI: the sources of totals.h as bits, and these. */
enum kpi_need {
    NEED_SURVEYS = 1 << SOURCE_SURVEYS,
    NEED_INTERACTIONS = 1 << SOURCE_INTERACTIONS,
    NEED_LIFE = 1 << SOURCE_LIFE,
    NEED_PAYMENTS = 1 << SOURCE_PAYMENTS,
    NEED_CUSTOMER_REVENUE = 1 << SOURCE_CUSTOMER_REVENUE,
    NEED_COSTS = 1 << SOURCE_COSTS,
    NEED_RESPONSE = 1 << SOURCE_COUNT, /* sketches */
    NEED_RESOLUTION = NEED_RESPONSE << 1,
    NEED_FOLLOW_UP = NEED_RESPONSE << 2,
    NEED_LOSSES = NEED_RESPONSE << 3,
    NEED_PURCHASES = NEED_RESPONSE << 4
};

struct kpi_spec {
    const char *name;       /* "nps" */
    const char *definition; /* "nps@1" */
    enum kpi_unit unit;
    bool higher_is_better; /* direction, where it has one */
    bool neutral;          /* no direction: counts */
    enum granularity cadence;
    unsigned needs;               /* bits of enum kpi_need */
    enum totals_source ranked_by; /* whose records make a group large */
    unsigned labels;              /* what it can be broken down by: bits 1 << enum kpi_label */
    bool no_channel;              /* its records have none: null under a filter by channel */
    enum kpi_echo echo;
    void (*compute)(const struct totals *totals, const struct kpi_context *context,
                    struct figure *ret_figure);
    /* Two-sided p-value of the difference, NaN where there is none. NULL: never one. */
    double (*p_value)(const struct totals *now, const struct totals *before);
};

extern const struct kpi_spec kpi_catalogue[];
extern const size_t kpi_count;
const struct kpi_spec *kpi_find(const char *name, size_t length);

/* What is written about a KPI of the catalogue, as a JSON object: title, summary, formula, source,
 * parts, null_reasons, settings, worked_example (see openapi.yaml). Every KPI has its file. */
const char *kpi_definition_text(const struct kpi_spec *spec);

/* The figure of one KPI; what a filter by channel does to it included. */
void kpi_compute(const struct kpi_spec *spec, const struct totals *totals,
                 const struct kpi_context *context, bool by_channel, struct figure *ret_figure);

const char *kpi_unit_name(enum kpi_unit unit);               /* "percent" … */
const char *kpi_direction_name(const struct kpi_spec *spec); /* higher_is_better, … , neutral */
const char *null_reason_name(enum null_reason reason);       /* NULL for NULL_NONE */

#endif
