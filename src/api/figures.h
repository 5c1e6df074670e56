/* Figures as JSON. */
#ifndef VINCULO_API_FIGURES_H
#define VINCULO_API_FIGURES_H

#include "vinculo/buf.h"
#include "vinculo/kpi.h"
#include "vinculo/kpi_store.h"

enum { KPIS_MAX = 32 };

/* {key, granularity, from, to, timezone, complete} */
void figures_write_period(struct buf *out, const struct period *period,
                          const struct kpi_clock *clock);
/* "data": {first, last} */
void figures_write_data(struct buf *out, const struct kpi_clock *clock);
/* The members value … provisional of the figure for answer->periods[index]. */
void figures_write_members(struct buf *out, const struct kpi_spec *spec,
                           const struct kpi_answer *answer, size_t index);
/* A whole object for periods[0], compared with periods[1] where has_previous. */
void figures_write_compared(struct buf *out, const struct kpi_spec *spec,
                            const struct kpi_answer *answer, bool has_previous);

#endif
