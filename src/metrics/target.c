/* How a value stands to its target (see vinculo/target.h). */
#include "vinculo/target.h"

#include <assert.h>
#include <math.h>

bool target_is_possible(const struct kpi_spec *spec) { return !spec->neutral; }

/* a is as good as b or better. */
static bool reaches(const struct kpi_spec *spec, double a, double b) {
    return spec->higher_is_better ? a >= b : a <= b;
}

bool target_is_ordered(const struct kpi_spec *spec, const struct target *target) {
    return reaches(spec, target->healthy, target->warning);
}

const struct target *target_of(const struct target_set *set, const struct kpi_spec *spec) {
    size_t index = (size_t)(spec - kpi_catalogue);
    assert(index < kpi_count && kpi_count <= TARGETS_MAX);
    return set->present[index] ? &set->targets[index] : NULL;
}

/* Beyond 1e15 a double has no decimals, and scaling could overflow. */
static double as_shown(double value) {
    const double scale = 1e6;
    return fabs(value) < 1e15 ? nearbyint(value * scale) / scale : value;
}

enum target_status target_status(const struct kpi_spec *spec, const struct target *target,
                                 double value) {
    if (target == NULL || isnan(value) || !target_is_possible(spec))
        return STATUS_NONE;
    double shown = as_shown(value);
    if (reaches(spec, shown, as_shown(target->healthy)))
        return STATUS_HEALTHY;
    return reaches(spec, shown, as_shown(target->warning)) ? STATUS_WARNING : STATUS_FEVER;
}

const char *target_status_name(enum target_status status) {
    static const char *const names[] = {
        [STATUS_NONE] = NULL,
        [STATUS_HEALTHY] = "healthy",
        [STATUS_WARNING] = "warning",
        [STATUS_FEVER] = "fever",
    };
    return names[status];
}
