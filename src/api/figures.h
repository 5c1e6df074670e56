/* The figures of an answer, and writing them as JSON or as rows of a table. */
#ifndef VINCULO_API_FIGURES_H
#define VINCULO_API_FIGURES_H

#include "call.h"
#include "vinculo/buf.h"
#include "vinculo/kpi.h"
#include "vinculo/kpi_store.h"

#include <stdbool.h>
#include <stddef.h>

/* How an answer's figures are to be read. */
struct figure_question {
    bool by_channel;   /* the filter names a channel */
    enum kpi_label by; /* groups' label; KPI_LABEL_NONE: one group without */
};

/* One figure with all that is said about it. */
struct figure_view {
    const struct kpi_spec *spec;
    const struct kpi_answer *answer;
    const struct period *period;
    const struct kpi_group *group; /* NULL: not by label */
    struct figure figure;
    bool compared;                 /* part of an answer that compares: previous, change, target */
    const struct period *previous; /* NULL: there is none to compare with */
    struct figure before;
    bool has_change;
    double change, p_value; /* p_value NaN: none */
};

enum { KPIS_MAX = 32 /* at least kpi_count */ };

/* Changes with a p-value below this are called significant. */
#define FIGURE_SIGNIFICANCE 0.05

enum { NOT_COMPARED = -1, NOTHING_BEFORE = -2 };

/* Of a group and a period (its place in the answer), against the period at `previous` of the same
 * answer, NOTHING_BEFORE, or NOT_COMPARED as in a series. */
void figures_view(const struct kpi_answer *answer, const struct figure_question *question,
                  const struct kpi_spec *spec, size_t group, size_t period, int previous,
                  struct figure_view *ret_view);

/* segment= and channel= as labels; sets call->problem. */
MUST_CHECK enum err figures_check_filters(struct call *call);
/* "filters":{…}: those that were given */
void figures_write_filters(struct buf *out, const struct call *call);

/* {"key":…,"granularity":…,"from":…,"to":…,"timezone":…,"complete":…} */
void figures_write_period(struct buf *out, const struct period *period,
                          const struct kpi_clock *clock);
/* "data":{"first":…,"last":…} */
void figures_write_data(struct buf *out, const struct kpi_clock *clock);
/* The members of a figure, without braces. */
void figures_write_members(struct buf *out, const struct figure_view *view);

/* One tidy table: its header line, and a figure as a row of it. */
void figures_write_csv_header(struct buf *out);
void figures_write_csv_row(struct buf *out, const struct figure_view *view, enum kpi_label by);

#endif
