/* vinculo rebuild [--check]. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char WORKSPACES[] = "SELECT id, name FROM workspace"
                                 " WHERE $1::text IS NULL OR name = $1 ORDER BY id";
static const char REBUILD[] = "SELECT workspace_rebuild($1)";
/* A cell is what one primary key of a derived table names (of a sketch with the bucket), or else
 * the whole row; it differs where stored and expected rows do or one of them is missing. The first
 * 50 cells of a table, and the number of them all. */
static const char CHECK[] =
    "WITH difference AS MATERIALIZED (SELECT * FROM workspace_check($1)),"
    " place AS (SELECT p.place, array_agg(a.attname::text) AS key"
    "   FROM (SELECT DISTINCT place FROM difference) p"
    "   LEFT JOIN totals_target t ON t.target = p.place"
    "   JOIN pg_attribute a ON a.attrelid = p.place::regclass AND a.attnum > 0"
    "   LEFT JOIN pg_index i ON i.indrelid = coalesce(t.stored, p.place)::regclass AND "
    "i.indisprimary"
    "   LEFT JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)"
    "    AND k.attname = a.attname"
    "  WHERE k.attname IS NOT NULL OR i.indrelid IS NULL OR a.attname = 'bucket'"
    "  GROUP BY p.place),"
    " numbered AS (SELECT d.*, dense_rank() OVER (PARTITION BY d.place ORDER BY"
    "   (SELECT jsonb_object_agg(k, d.cell -> k) FROM unnest(p.key) k)) AS number"
    "   FROM difference d JOIN place p USING (place)),"
    " counted AS (SELECT *, max(number) OVER (PARTITION BY place) AS count FROM numbered)"
    " SELECT place, side, cell, count FROM counted WHERE number <= 50"
    " ORDER BY place, number, side DESC";

struct check {
    const char *workspace; /* NULL: all */
    size_t workspaces;
    unsigned long long cells; /* that differ */
    struct buf report;
};

static const char *plural(unsigned long long count) { return count == 1 ? "" : "s"; }

static void report_differences(struct check *check, const char *workspace, const PGresult *rows) {
    const char *place = "";
    for (int row = 0; row < PQntuples(rows); row++) {
        if (strcmp(place, PQgetvalue(rows, row, 0)) != 0) {
            place = PQgetvalue(rows, row, 0);
            unsigned long long count = strtoull(PQgetvalue(rows, row, 3), NULL, 10);
            check->cells += count;
            buf_printf(&check->report, "workspace %s, %s: %llu differing cell%s%s\n", workspace,
                       place, count, plural(count), count > 50 ? ", the first 50:" : ":");
        }
        buf_printf(&check->report, "  %-8s %s\n", PQgetvalue(rows, row, 1),
                   PQgetvalue(rows, row, 2));
    }
}

/* May be run again after a failure, so it begins anew. */
static enum db_status check_all(struct db *db, void *context) {
    struct check *check = context;
    check->workspaces = 0;
    check->cells = 0;
    buf_reset(&check->report);
    DB_RESULT *workspaces = NULL;
    enum db_status status = db_query(db, WORKSPACES, 1, &check->workspace, &workspaces);
    for (int row = 0; status == DB_OK && row < PQntuples(workspaces); row++) {
        const char *id = PQgetvalue(workspaces, row, 0);
        DB_RESULT *differences = NULL;
        status = db_query(db, CHECK, 1, &id, &differences);
        if (status == DB_OK)
            report_differences(check, PQgetvalue(workspaces, row, 1), differences);
        check->workspaces++;
    }
    return status;
}

static int fail_unknown(const char *workspace) {
    return cli_fail("there is no workspace \"%s\": `vinculo workspace list` shows them", workspace);
}

static int check_workspaces(struct cli_session *session, const char *workspace) {
    struct check check = {.workspace = workspace};
    enum db_status status = db_transaction(session->db, DB_SNAPSHOT, check_all, &check);
    int code = CLI_DONE;
    if (status != DB_OK) {
        code = cli_session_fail(session, status);
    } else if (workspace != NULL && check.workspaces == 0) {
        code = fail_unknown(workspace);
    } else {
        fputs(buf_ok(&check.report) ? buf_text(&check.report) : "(out of memory for the list)\n",
              stdout);
        printf("%zu workspace%s checked, %llu differing cell%s\n", check.workspaces,
               plural(check.workspaces), check.cells, plural(check.cells));
        code = check.cells == 0 ? CLI_DONE : CLI_FAILED;
    }
    buf_free(&check.report);
    return code;
}

static enum db_status rebuild_one(struct db *db, void *context) {
    const char *id = context;
    return db_query(db, REBUILD, 1, &id, NULL);
}

static int rebuild_workspaces(struct cli_session *session, const char *workspace) {
    DB_RESULT *workspaces = NULL;
    enum db_status status = db_query(session->db, WORKSPACES, 1, &workspace, &workspaces);
    if (status == DB_OK && workspace != NULL && PQntuples(workspaces) == 0)
        return fail_unknown(workspace);
    int count = status == DB_OK ? PQntuples(workspaces) : 0;
    for (int row = 0; status == DB_OK && row < count; row++)
        status = db_transaction(session->db, DB_WRITE, rebuild_one, PQgetvalue(workspaces, row, 0));
    if (status != DB_OK)
        return cli_session_fail(session, status);
    printf("%d workspace%s rebuilt\n", count, plural((unsigned long long)count));
    return CLI_DONE;
}

int cli_rebuild(const struct cli_call *call) {
    CLI_SESSION session = {0};
    int code = cli_session_open_current(&session, CLI_PATIENT);
    if (code != CLI_DONE)
        return code;
    const char *workspace = cli_value(call, "workspace");
    return cli_count(call, "check") > 0 ? check_workspaces(&session, workspace)
                                        : rebuild_workspaces(&session, workspace);
}
