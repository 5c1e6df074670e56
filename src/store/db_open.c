/* Opening a connection: its settings, the statements, the types of rows. */
#include "db_connection.h"
#include "record_sql.h"
#include "totals_sql.h"
#include "vinculo/buf.h"
#include "vinculo/embedded.h"
#include "vinculo/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOW_CONNECT_US = 950000, /* one that hangs takes 1 to 2 s: libpq counts whole ones */
    CONNECT_PAUSE_US = 1000000
};

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

static enum db_status set_up(struct db *db) {
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

static void ignore_notice(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}

static enum db_status connect_now(struct db *db) {
    const char *keys[] = {
        "connect_timeout",           "tcp_user_timeout",     "keepalives_idle", "client_encoding",
        "fallback_application_name", "target_session_attrs", "dbname",          NULL};
    const char *values[] = {"2",
                            "5000",
                            "10",
                            "UTF8",
                            "vinculo",
                            db->options.read_write ? "read-write" : "any",
                            db->options.url,
                            NULL};
    db->connection = PQconnectdbParams(keys, values, 1);
    if (db->connection == NULL || PQstatus(db->connection) != CONNECTION_OK) {
        return db_lose(db,
                       db->connection == NULL ? "out of memory" : PQerrorMessage(db->connection));
    }
    PQsetNoticeReceiver(db->connection, ignore_notice, NULL);
    if (PQsetnonblocking(db->connection, 1) != 0) {
        return db_lose(db, PQerrorMessage(db->connection));
    }
    enum db_status status = set_up(db);
    if (status != DB_OK) {
        /* A refused statement here means another schema: not a connection to work with. */
        db_close(db);
        return DB_LOST;
    }
    return DB_OK;
}

/* A server that is down refuses at once; one that hangs costs every attempt its time-out, so what
 * waits behind this connection is not made to wait for another attempt right away. */
enum db_status db_ready(struct db *db) {
    if (db->connection != NULL) {
        return DB_OK;
    }
    if (atomic_load(&db->abandoned)) {
        return db_lose(db, "the service is stopping");
    }
    int64_t began_us = clock_monotonic_us();
    if (began_us < db->retry_at_us) {
        return DB_LOST;
    }
    enum db_status status = connect_now(db);
    int64_t now_us = clock_monotonic_us();
    if (status != DB_OK && now_us - began_us > SLOW_CONNECT_US) {
        db->retry_at_us = now_us + CONNECT_PAUSE_US;
    }
    return status;
}
