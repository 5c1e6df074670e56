/* SQL of the totals tables, generated so that a new total needs a column and a line in totals.h. */
#include "totals_sql.h"

#include <assert.h>

#define SOURCE(prefix, from, size_column)                                                          \
    {prefix "_sums", TOTALS_SQL_SUMS, (from), prefix "_totals", NULL},                             \
        {prefix "_sums_waiting", TOTALS_SQL_SUMS_WAITING, (from), prefix "_totals", NULL}, {       \
        prefix "_labels", TOTALS_SQL_LABELS, (from), prefix "_totals", (size_column)               \
    }

#define SKETCH(table)                                                                              \
    {table, TOTALS_SQL_SKETCH, SOURCE_COUNT, table, NULL}, {                                       \
        table "_waiting", TOTALS_SQL_SKETCH_WAITING, SOURCE_COUNT, table, NULL                     \
    }

const struct totals_statement totals_statements[] = {
    SOURCE("survey", SOURCE_SURVEYS, "records"),
    SOURCE("interaction", SOURCE_INTERACTIONS, "opened"),
    SOURCE("life", SOURCE_LIFE, "acquired"),
    SOURCE("payment", SOURCE_PAYMENTS, "payments"),
    SOURCE("customer_revenue", SOURCE_CUSTOMER_REVENUE, "customer_payments"),
    SOURCE("cost", SOURCE_COSTS, "costs"),
    SKETCH("duration_sketch"),
    SKETCH("follow_up_sketch"),
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

/* Stretches of days, s, and groups, g, of SUMS and SKETCH. */
static const char asked[] =
    "WITH s AS MATERIALIZED (SELECT * FROM unnest($2::integer[], $3::\"char\"[], $4::date[],"
    " $5::date[]) AS s(stretch, grain, a, b)),"
    " g AS MATERIALIZED (SELECT * FROM json_to_recordset($7::json)"
    " AS g(ord integer, label text, second_label text)) ";

/* `columns` of the stored rows t of each stretch and group; `end` ends their WHERE. */
static void write_stored(struct buf *out, const struct totals_statement *statement,
                         const char *columns, const char *end) {
    buf_printf(out,
               "SELECT s.stretch, g.ord, t.* FROM s CROSS JOIN g"
               " CROSS JOIN LATERAL (SELECT %s FROM %s t WHERE t.workspace_id = $1"
               " AND t.grain = s.grain AND t.cut = $6 AND t.label = g.label"
               " AND t.second_label = g.second_label AND t.start >= s.a AND t.start < s.b%s) t",
               columns, statement->table, end);
}

/* The same of the changes that wait to be added to them (migrations/0004): these are few, and days
 * whatever the grain. */
static void write_waiting(struct buf *out, const struct totals_statement *statement,
                          const char *columns, const char *suffix, const char *condition) {
    buf_printf(out,
               "SELECT s.stretch, g.ord, %s FROM %s%s_rest($1) t"
               " JOIN g ON g.label = t.label AND g.second_label = t.second_label"
               " CROSS JOIN LATERAL (SELECT * FROM s WHERE t.start >= s.a AND t.start < s.b"
               " OFFSET 0) s WHERE t.cut = $6%s",
               columns, statement->table, suffix, condition);
}

/* Its columns, each between `before` and `after`: "sum(t.nps_promoters), sum(t.nps_passives), …" */
static void write_columns(struct buf *out, const struct totals_statement *statement,
                          const char *before, const char *after) {
    const char *comma = "";
    for (size_t i = 0; i < totals_column_count; i++) {
        if (totals_columns[i].source == statement->source) {
            buf_printf(out, "%s%st.%s%s", comma, before, totals_columns[i].name, after);
            comma = ", ";
        }
    }
}

static void write_sums(struct buf *out, const struct totals_statement *statement) {
    BUF_SCOPED sums = {0};
    write_columns(&sums, statement, "sum(", ")");
    buf_add_str(out, asked);
    write_stored(out, statement, buf_text(&sums), " HAVING count(*) > 0");
}

static void write_sums_waiting(struct buf *out, const struct totals_statement *statement) {
    BUF_SCOPED columns = {0};
    write_columns(&columns, statement, "", "");
    buf_add_str(out, asked);
    buf_add_str(out, "SELECT t.stretch, t.ord, ");
    write_columns(out, statement, "sum(", ")");
    buf_add_str(out, " FROM (");
    write_waiting(out, statement, buf_text(&columns), "", "");
    buf_add_str(out, ") t GROUP BY 1, 2");
}

/* Rows of zeros, which are left where records were deleted or moved, are no groups. */
static void write_labels(struct buf *out, const struct totals_statement *statement) {
    BUF_SCOPED columns = {0};
    write_columns(&columns, statement, "", "");
    buf_printf(out,
               "SELECT CASE WHEN $4::boolean THEN t.second_label ELSE t.label END"
               " FROM (SELECT t.label, t.second_label, t.start, t.%s AS size, %s"
               " FROM %s t WHERE t.workspace_id = $1 AND t.grain = 'm' AND t.cut = $2"
               " UNION ALL SELECT t.label, t.second_label,"
               " date_trunc('month', t.start::timestamp)::date, t.%s, %s"
               " FROM %s_rest($1) t WHERE t.cut = $2) t",
               statement->size, buf_text(&columns), statement->table, statement->size,
               buf_text(&columns), statement->table);
    buf_add_str(out, " WHERE ($3::text IS NULL"
                     " OR CASE WHEN $4::boolean THEN t.label ELSE t.second_label END = $3)"
                     " AND t.start < $6::date GROUP BY 1 HAVING sum(t.size) <> 0");
    for (size_t i = 0; i < totals_column_count; i++) {
        if (totals_columns[i].source == statement->source) {
            buf_printf(out, " OR sum(t.%s) <> 0", totals_columns[i].name);
        }
    }
    buf_add_str(out, " ORDER BY coalesce(sum(t.size) FILTER (WHERE t.start >="
                     " date_trunc('month', $5::date::timestamp)::date), 0) DESC,"
                     " sum(t.size) DESC, 1");
}

/* One or more sketches per stretch and group: who reads them adds them up. */
static void write_sketch(struct buf *out, const struct totals_statement *statement) {
    buf_add_str(out, asked);
    write_stored(out, statement, "t.bucket, t.n", " AND t.metric = $8 OFFSET 0");
}

static void write_sketch_waiting(struct buf *out, const struct totals_statement *statement) {
    buf_add_str(out, asked);
    buf_add_str(out, "SELECT x.stretch, x.ord, array_agg(x.bucket ORDER BY x.bucket),"
                     " array_agg(x.n ORDER BY x.bucket)"
                     " FROM (SELECT t.stretch, t.ord, t.bucket, sum(t.n)::bigint AS n FROM (");
    write_waiting(out, statement, "t.bucket, t.n", "_bucket", " AND t.metric = $8");
    buf_add_str(out, ") t GROUP BY 1, 2, 3) x GROUP BY 1, 2");
}

void totals_sql_write(struct buf *out, const struct totals_statement *statement) {
    switch (statement->form) {
    case TOTALS_SQL_SUMS:
        write_sums(out, statement);
        break;
    case TOTALS_SQL_SUMS_WAITING:
        write_sums_waiting(out, statement);
        break;
    case TOTALS_SQL_LABELS:
        write_labels(out, statement);
        break;
    case TOTALS_SQL_SKETCH:
        write_sketch(out, statement);
        break;
    case TOTALS_SQL_SKETCH_WAITING:
        write_sketch_waiting(out, statement);
        break;
    }
}
