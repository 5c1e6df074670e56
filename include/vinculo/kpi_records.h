/*
 * The records behind a figure: those that make it, and those of their kind that a rule leaves out.
 *
 * A KPI's records come in parts, one after the other: one kind of record, or one role of it, each
 * by its own statement. Within a part they are read as record_list.h reads: newest first by the
 * kind's time, by one short statement after another, so that no snapshot lives longer than a
 * moment. On a worker's thread.
 */
#ifndef VINCULO_KPI_RECORDS_H
#define VINCULO_KPI_RECORDS_H

#include "vinculo/db.h"
#include "vinculo/kpi.h"
#include "vinculo/kpi_store.h"
#include "vinculo/period.h"
#include "vinculo/record.h" /* FIELD_ID_MAX */
#include "vinculo/timestamp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is said of a record beside the KPI (of a composite: the one that it is for) and its kind. */
enum kpi_record_type { KPI_RECORD_TEXT, KPI_RECORD_NUMBER, KPI_RECORD_BOOL, KPI_RECORD_MOMENT };
struct kpi_record_column {
    const char *name;
    enum kpi_record_type type;
};
enum { KPI_RECORD_COLUMNS = 12 };
extern const struct kpi_record_column kpi_record_columns[KPI_RECORD_COLUMNS];

struct kpi_record {
    const char *kpi, *kind;                 /* "nps", "survey" */
    const char *values[KPI_RECORD_COLUMNS]; /* as PostgreSQL writes them; NULL: none */
};

enum kpi_records_choice { KPI_RECORDS_ALL, KPI_RECORDS_COUNTED, KPI_RECORDS_UNCOUNTED };

/* All records down to this one are done. */
struct kpi_records_place {
    size_t part;
    bool begun; /* with the part */
    int64_t time_us;
    char id[4 * FIELD_ID_MAX + 1];
    bool time_done; /* as are all others of its time */
    bool ended;     /* there are no more */
};

/* Zero-initialise, fill in the upper part; owns nothing. */
struct kpi_records {
    int workspace_id;
    const struct kpi_spec *spec;
    const char *segment, *channel; /* NULL: all */
    enum kpi_records_choice choice;
    struct kpi_records_place place; /* where to go on */

    struct kpi_clock clock;
    struct period period;
    char bounds[3][TIMESTAMP_TEXT_MAX + 8]; /* instants: the period before, the period, its end */
};

/* True for a place that there can be. */
bool kpi_records_has_part(const struct kpi_spec *spec, size_t part);

/* Reads the clock, has `plan` resolve the period by it, and finds the period's instants. */
MUST_CHECK enum err kpi_records_begin(struct db *db, struct kpi_records *records,
                                      enum err (*plan)(void *context, struct kpi_clock *clock,
                                                       struct period *ret_period,
                                                       struct problem *problem),
                                      void *context, struct problem *problem);

/* Reads on by one statement, and offers what it brings in order until `take` declines one by false,
 * which then is the next to come. There may be none in spite of more to come, as a statement looks
 * at a limited number of records. ERR_UNAVAILABLE. */
MUST_CHECK enum err kpi_records_next(struct db *db, struct kpi_records *records,
                                     bool (*take)(void *context, const struct kpi_record *record),
                                     void *context, struct problem *problem);

#endif
