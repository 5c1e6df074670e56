/* The stretch of time that a request asks about. */
#ifndef VINCULO_API_SPAN_H
#define VINCULO_API_SPAN_H

#include "call.h"
#include "vinculo/kpi_store.h"
#include "vinculo/period.h"

/* What period=, or from= and to=, name; the last complete month where neither is given. */
MUST_CHECK enum err span_take(struct call *call, const struct kpi_clock *clock,
                              struct period *ret_span, struct problem *problem);

/* The same for a series, by default its last twelve complete periods. */
MUST_CHECK enum err span_take_series(struct call *call, const struct kpi_clock *clock,
                                     enum granularity granularity, struct period *ret_span,
                                     struct problem *problem);

#endif
