/*
 * Targets of KPIs, and how a value stands to them. Pure.
 */
#ifndef VINCULO_TARGET_H
#define VINCULO_TARGET_H

#include "vinculo/kpi.h"

#include <stdbool.h>
#include <stdint.h>

enum { TARGETS_MAX = 32 /* at least kpi_count */ };

/* In the KPI's unit (percent, points, seconds, minor units of money …). */
struct target {
    double healthy; /* as good as this or better is healthy */
    double warning; /* not healthy, but as good as this or better, is a warning; worse a fever */
    int64_t updated_us; /* when it was set */
};

/* All targets of a workspace, by the KPI's place in kpi_catalogue. */
struct target_set {
    bool present[TARGETS_MAX];
    struct target targets[TARGETS_MAX];
};

enum target_status {
    STATUS_NONE, /* there is no value, or no target */
    STATUS_HEALTHY,
    STATUS_WARNING,
    STATUS_FEVER
};

/* False for counts, of which neither more nor less is better: they have no target. */
bool target_is_possible(const struct kpi_spec *spec);
/* healthy is at least as good as warning, in the KPI's direction. */
bool target_is_ordered(const struct kpi_spec *spec, const struct target *target);
/* The target of a KPI of the catalogue, or NULL. */
const struct target *target_of(const struct target_set *set, const struct kpi_spec *spec);
/* value: NaN where there is none; target: may be NULL. Both are compared as answers show them,
 * rounded to 6 decimals, so that what is shown as 50 reaches 50. */
enum target_status target_status(const struct kpi_spec *spec, const struct target *target,
                                 double value);
const char *target_status_name(enum target_status status); /* NULL for STATUS_NONE */

#endif
