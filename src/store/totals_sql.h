/* The statements that read totals tables, written from the list of their columns. */
#ifndef VINCULO_STORE_TOTALS_SQL_H
#define VINCULO_STORE_TOTALS_SQL_H

#include "vinculo/buf.h"
#include "vinculo/totals.h"

#include <stddef.h>

/*
 * SUMS    of one source: $1 workspace; slices of a timeline as arrays: $2 integer[] stretch, $3
 *         "char"[] grain, $4, $5 date[] from and to; $6 cut; $7 json array of groups {ord, label,
 *         second_label}. Rows: stretch, ord, then the source's columns in the order of
 *         totals_columns; none where there is nothing.
 * LABELS  of one source: $1 workspace, $2 cut, $3 the fixed one of two labels or null, $4 boolean:
 *         the second label is asked for; $5, $6 date: from, to. Rows: label; those that have had
 *         anything before `to`, the ones with most records in [from, to) first.
 * SKETCH  of a table of sketches: $1 … $7 as SUMS, $8 metric. Rows: stretch, ord, buckets
 *         ascending, counts; of what is stored these are the texts of arrays, as it lies.
 * …_WAITING  the same of the changes that wait to be added to the table: where there are any, their
 *         rows are to be added. LABELS counts them in.
 * All rely on the table's primary key. OFFSET 0 keeps the planner from joining in any other way, as
 * it may plan while the tables are empty.
 */
enum totals_sql {
    TOTALS_SQL_SUMS,
    TOTALS_SQL_SUMS_WAITING,
    TOTALS_SQL_LABELS,
    TOTALS_SQL_SKETCH,
    TOTALS_SQL_SKETCH_WAITING
};

struct totals_statement {
    const char *name; /* it is prepared under */
    enum totals_sql form;
    enum totals_source source; /* SUMS…, LABELS */
    const char *table;
    const char *size; /* LABELS: the column that counts records */
};
extern const struct totals_statement totals_statements[];
extern const size_t totals_statement_count;

/* Name of a source's statement. */
const char *totals_sql_name(enum totals_sql form, enum totals_source source);
void totals_sql_write(struct buf *out, const struct totals_statement *statement);

#endif
