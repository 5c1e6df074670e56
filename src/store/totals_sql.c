/* SQL of the totals tables, generated so that a new total needs a column and a line in totals.h. */
#include "totals_sql.h"

#include <assert.h>

#define SOURCE(prefix, from, size_column)                                                          \
    {prefix "_sums", TOTALS_SQL_SUMS, (from), prefix "_totals", NULL}, {                           \
        prefix "_labels", TOTALS_SQL_LABELS, (from), prefix "_totals", (size_column)               \
    }

const struct totals_statement totals_statements[] = {
    SOURCE("survey", SOURCE_SURVEYS, "records"),
    SOURCE("interaction", SOURCE_INTERACTIONS, "opened"),
    SOURCE("life", SOURCE_LIFE, "acquired"),
    SOURCE("payment", SOURCE_PAYMENTS, "payments"),
    SOURCE("customer_revenue", SOURCE_CUSTOMER_REVENUE, "customer_payments"),
    SOURCE("cost", SOURCE_COSTS, "costs"),
    {"duration_sketch", TOTALS_SQL_SKETCH, SOURCE_COUNT, "duration_sketch_bucket", NULL},
    {"follow_up_sketch", TOTALS_SQL_SKETCH, SOURCE_COUNT, "follow_up_sketch_bucket", NULL},
};
const size_t totals_statement_count = sizeof totals_statements / sizeof totals_statements[0];

const char *totals_sql_name(enum totals_sql form, enum totals_source source) {
    size_t i = 0;
    while (i < totals_statement_count &&
           (totals_statements[i].form != form || totals_statements[i].source != source)) {
        i++;
    }
    assert(i < totals_statement_count);
    return totals_statements[i].name;
}

/* The totals and the changes that wait to be added to them (migrations/0004), of one cut: the
 * latter are days and few. */
static void write_rest(struct buf *out, const struct totals_statement *statement, const char *cut) {
    buf_printf(out, "WITH rest AS MATERIALIZED (SELECT * FROM %s_rest($1) r WHERE r.cut = %s) ",
               statement->table, cut);
}

/* The rows of slices and groups: t. */
static void write_rows(struct buf *out, const struct totals_statement *statement,
                       const char *condition) {
    buf_printf(out,
               " FROM unnest($2::integer[], $3::\"char\"[], $4::date[], $5::date[])"
               " AS s(stretch, grain, a, b)"
               " CROSS JOIN json_to_recordset($7::json)"
               " AS g(ord integer, label text, second_label text)"
               " CROSS JOIN LATERAL (SELECT * FROM %s t WHERE t.workspace_id = $1"
               " AND t.grain = s.grain AND t.cut = $6 AND t.label = g.label"
               " AND t.second_label = g.second_label%s AND t.start >= s.a AND t.start < s.b"
               " UNION ALL SELECT * FROM rest t WHERE t.label = g.label"
               " AND t.second_label = g.second_label%s AND t.start >= s.a AND t.start < s.b"
               " OFFSET 0) t",
               statement->table, condition, condition);
}

static void write_sums(struct buf *out, const struct totals_statement *statement) {
    write_rest(out, statement, "$6");
    buf_add_str(out, "SELECT s.stretch, g.ord");
    for (size_t i = 0; i < totals_column_count; i++) {
        if (totals_columns[i].source == statement->source) {
            buf_printf(out, ", sum(t.%s)", totals_columns[i].name);
        }
    }
    write_rows(out, statement, "");
    buf_add_str(out, " GROUP BY 1, 2");
}

/* Rows of zeros, which are left where records were deleted or moved, are no groups. */
static void write_labels(struct buf *out, const struct totals_statement *statement) {
    write_rest(out, statement, "$2");
    buf_printf(
        out,
        "SELECT CASE WHEN $4::boolean THEN t.second_label ELSE t.label END"
        " FROM (SELECT * FROM %s t WHERE t.workspace_id = $1 AND t.grain = 'm' AND t.cut = $2"
        " UNION ALL SELECT * FROM rest) t"
        " WHERE ($3::text IS NULL"
        " OR CASE WHEN $4::boolean THEN t.label ELSE t.second_label END = $3)"
        " AND t.start < $6::date GROUP BY 1 HAVING sum(t.%s) <> 0",
        statement->table, statement->size);
    for (size_t i = 0; i < totals_column_count; i++) {
        if (totals_columns[i].source == statement->source) {
            buf_printf(out, " OR sum(t.%s) <> 0", totals_columns[i].name);
        }
    }
    buf_printf(out,
               " ORDER BY coalesce(sum(t.%s) FILTER (WHERE t.start >="
               " date_trunc('month', $5::date::timestamp)::date), 0) DESC, sum(t.%s) DESC, 1",
               statement->size, statement->size);
}

static void write_sketch(struct buf *out, const struct totals_statement *statement) {
    write_rest(out, statement, "$6");
    buf_add_str(out, "SELECT x.stretch, x.ord, array_agg(x.bucket ORDER BY x.bucket),"
                     " array_agg(x.n ORDER BY x.bucket)"
                     " FROM (SELECT s.stretch, g.ord, t.bucket, sum(t.n)::bigint AS n");
    write_rows(out, statement, " AND t.metric = $8");
    buf_add_str(out, " GROUP BY 1, 2, 3 HAVING sum(t.n) <> 0) x GROUP BY 1, 2");
}

void totals_sql_write(struct buf *out, const struct totals_statement *statement) {
    switch (statement->form) {
    case TOTALS_SQL_SUMS:
        write_sums(out, statement);
        break;
    case TOTALS_SQL_LABELS:
        write_labels(out, statement);
        break;
    case TOTALS_SQL_SKETCH:
        write_sketch(out, statement);
        break;
    }
}
