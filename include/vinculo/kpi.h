/*
 * The KPI catalogue: one row per KPI, one pure function each, from additive totals to a figure.
 * Knows no SQL, JSON or HTTP. Definitions: openapi.yaml and GET /v1/definitions.
 */
#ifndef VINCULO_KPI_H
#define VINCULO_KPI_H

#include "vinculo/period.h"
#include "vinculo/totals.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kpi_unit { UNIT_PERCENT, UNIT_POINTS, UNIT_SECONDS, UNIT_COUNT };

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

/* Everything beyond the totals that a KPI may depend on. */
struct kpi_context {
    const struct period *period;
    int32_t today;            /* in the workspace's zone */
    int response_window_days; /* answers within this many days count as a response (setting, 30) */
};

struct kpi_spec {
    const char *name;       /* "nps" */
    const char *definition; /* "nps@1" */
    enum kpi_unit unit;
    bool higher_is_better; /* direction, where it has one */
    bool neutral;          /* no direction: counts */
    enum granularity cadence;
    const char *title;
    const char *summary; /* one or two sentences for definitions */
    const char *formula;
    const char *source; /* literature */
    void (*compute)(const struct totals *totals, const struct kpi_context *context,
                    struct figure *ret_figure);
    /* Two-sided p-value of the difference, NaN where there is none. NULL: never one. */
    double (*p_value)(const struct totals *now, const struct totals *before);
};

extern const struct kpi_spec kpi_catalogue[];
extern const size_t kpi_count;
const struct kpi_spec *kpi_find(const char *name, size_t length);

const char *kpi_unit_name(enum kpi_unit unit);               /* "percent" … */
const char *kpi_direction_name(const struct kpi_spec *spec); /* higher_is_better, … , neutral */
const char *null_reason_name(enum null_reason reason);       /* NULL for NULL_NONE */

#endif
