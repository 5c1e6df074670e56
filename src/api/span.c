/* period=, from= and to= (see span.h). */
#include "span.h"

enum { DEFAULT_PERIODS = 12 };

/* True where the request names a stretch of time, rightly or wrongly. */
static bool take_named(struct call *call, int32_t today, struct period *ret_span,
                       struct problem *problem, enum err *ret_err) {
    const char *period = call_parameter(call, "period");
    const char *from = call_parameter(call, "from");
    const char *to = call_parameter(call, "to");
    if (period != NULL && (from != NULL || to != NULL)) {
        *ret_err = problem_add_parameter(problem, ERR_UNSUPPORTED_COMBINATION, "period",
                                         "Give either period, or from and to.");
    } else if (from != NULL || to != NULL) {
        *ret_err = period_parse_range(from, to, ret_span, problem);
    } else if (period != NULL) {
        *ret_err = period_parse(period, today, ret_span, problem);
    } else {
        return false;
    }
    return true;
}

enum err span_take(struct call *call, const struct kpi_clock *clock, struct period *ret_span,
                   struct problem *problem) {
    enum err err = ERR_OK;
    if (!take_named(call, clock->today, ret_span, problem, &err)) {
        err = period_parse("last_month", clock->today, ret_span, problem);
    }
    return err;
}

enum err span_take_series(struct call *call, const struct kpi_clock *clock,
                          enum granularity granularity, struct period *ret_span,
                          struct problem *problem) {
    enum err err = ERR_OK;
    if (take_named(call, clock->today, ret_span, problem, &err)) {
        return err;
    }
    struct period unit;
    period_containing(granularity, clock->today, &unit);
    ret_span->to = unit.from;
    for (int i = 0; i < DEFAULT_PERIODS; i++) {
        struct period before;
        period_previous(&unit, &before);
        unit = before;
    }
    ret_span->from = unit.from;
    return ERR_OK;
}
