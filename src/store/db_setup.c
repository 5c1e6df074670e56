/* What a new connection gets: its settings, the statements, the types of rows. */
#include "db_connection.h"
#include "record_sql.h"
#include "totals_sql.h"
#include "vinculo/buf.h"
#include "vinculo/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum db_status find_row_types(struct db *db) {
    BUF_SCOPED sql = {0};
    DB_RESULT *found = NULL;
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        buf_printf(&sql, "%s'" RECORD_SQL_ROW_TYPE "'::regtype::oid", kind == 0 ? "SELECT " : ", ",
                   record_kinds[kind].name);
    }
    enum db_status status =
        buf_ok(&sql) ? db_query(db, buf_text(&sql), 0, NULL, &found) : db_lose(db, "out of memory");
    for (int kind = 0; status == DB_OK && kind < KIND_COUNT; kind++) {
        db->row_types[kind] = (unsigned)strtoul(PQgetvalue(found, 0, kind), NULL, 10);
    }
    return status;
}

unsigned db_row_type(const struct db *db, const struct kind_spec *spec) {
    return db->row_types[spec->kind];
}

static enum db_status prepare_all(struct db *db) {
    enum db_status status = DB_OK;
    for (size_t i = 0; status == DB_OK && i < embedded_statements_count; i++) {
        char name[DB_NAME_MAX_BYTES];
        const char *file = embedded_statements[i].name;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(file, "."), file);
        status = db_prepare_statement(db, name, embedded_statements[i].text);
    }
    for (size_t kind = 0; status == DB_OK && kind < KIND_COUNT; kind++) {
        for (size_t verb = 0; status == DB_OK && verb < RECORD_SQL_COUNT; verb++) {
            char name[DB_NAME_MAX_BYTES];
            BUF_SCOPED sql = {0};
            record_sql_name(&record_kinds[kind], (enum record_sql)verb, name, sizeof name);
            record_sql_write(&sql, &record_kinds[kind], (enum record_sql)verb);
            status = buf_ok(&sql) ? db_prepare_statement(db, name, buf_text(&sql))
                                  : db_lose(db, "out of memory");
        }
    }
    for (size_t i = 0; status == DB_OK && i < totals_statement_count; i++) {
        BUF_SCOPED sql = {0};
        totals_sql_write(&sql, &totals_statements[i]);
        status = buf_ok(&sql) ? db_prepare_statement(db, totals_statements[i].name, buf_text(&sql))
                              : db_lose(db, "out of memory");
    }
    return status == DB_OK ? find_row_types(db) : status;
}

enum db_status db_set_up(struct db *db) {
    char sql[500];
    snprintf(sql, sizeof sql,
             "SET statement_timeout = %d; SET lock_timeout = %d;"
             "SET idle_in_transaction_session_timeout = '60s';"
             "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres';"
             /* Planning the KPI query takes ten times as long as running it, so plans are made
              * once, perhaps while the tables are empty. They stay right as the tables grow because
              * everything goes by key. */
             "SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off;"
             "SET extra_float_digits = 1; SET client_min_messages = 'warning'",
             db->options.timeout_ms, db->options.lock_timeout_ms);
    enum db_status status = db_query(db, sql, 0, NULL, NULL);
    if (status == DB_OK && db->options.prepare) {
        status = prepare_all(db);
    }
    return status;
}
