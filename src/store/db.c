/* Connections: closing them, and why they failed. */
#include "db_connection.h"
#include "vinculo/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t write_commits;

uint64_t db_commits(void) { return atomic_load(&write_commits); }

struct db *db_new(const struct db_options *options) {
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL) {
        return NULL;
    }
    db->options = *options;
    db->timeout_ms = options->timeout_ms;
    db->options.url = strdup(options->url);
    if (db->options.url == NULL) {
        free(db);
        return NULL;
    }
    return db;
}

void db_end_commit(struct db *db, enum db_status status) {
    struct db_transaction committed = db->committed;
    db->committing = false;
    if (committed.mode == DB_WRITE) {
        /* Also where its answer was lost: it may have taken effect. */
        atomic_fetch_add(&write_commits, 1);
    }
    if (committed.ended != NULL) {
        committed.ended(committed.context, status);
    }
}

void db_forget(struct db *db) {
    PQclear(db->heard);
    db->heard = NULL;
}

void db_close(struct db *db) {
    PQfinish(db->connection);
    db->connection = NULL;
    db_forget(db);
    db->asked = 0;
    db->told = 0;
    if (db->committing) {
        db_end_commit(db, DB_LOST);
    }
}

void db_free(struct db *db) {
    if (db == NULL) {
        return;
    }
    db_close(db);
    free((char *)(uintptr_t)db->options.url);
    free(db);
}

void db_abandon(struct db *db) { atomic_store(&db->abandoned, true); }

PGconn *db_connection(struct db *db) { return db->connection; }

const char *db_sqlstate(const struct db *db) { return db->failure.sqlstate; }

const char *db_constraint(const struct db *db) { return db->failure.constraint; }

const char *db_message(const struct db *db) { return db->failure.message; }

void db_keep_message(struct db *db, const char *text) {
    struct db_failure *failure = &db->failure;
    snprintf(failure->message, sizeof failure->message, "%.*s", (int)strcspn(text, "\n"), text);
}

enum db_status db_lose(struct db *db, const char *message) {
    db_keep_message(db, message);
    db->failure.sqlstate[0] = '\0';
    db_close(db);
    return DB_LOST;
}

/* Classes 08, 57P and 53 are the server's troubles, not the data's; 25006 is a standby. */
enum db_status db_classify(struct db *db, const PGresult *result) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    if (state == NULL || PQstatus(db->connection) != CONNECTION_OK) {
        return db_lose(db, PQerrorMessage(db->connection));
    }
    struct db_failure *failure = &db->failure;
    snprintf(failure->sqlstate, sizeof failure->sqlstate, "%s", state);
    snprintf(failure->constraint, sizeof failure->constraint, "%s",
             constraint != NULL ? constraint : "");
    db_keep_message(db, primary != NULL ? primary : "");
    if (strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0) {
        return DB_RETRY;
    }
    if (strcmp(state, "55P03") == 0) {
        return DB_LOCKED;
    }
    if (strcmp(state, "57014") == 0) {
        return DB_SLOW;
    }
    bool is_short = strncmp(state, "53", 2) == 0 || strncmp(state, "58", 2) == 0;
    if (is_short) {
        db->repeatable = false; /* what it has not got it will not have at once */
    }
    if (is_short || strncmp(state, "08", 2) == 0 || strncmp(state, "57", 2) == 0 ||
        strcmp(state, "25006") == 0) {
        return db_lose(db, primary != NULL ? primary : state);
    }
    return DB_REFUSED;
}

enum err db_problem(const struct db *db, enum db_status status, struct problem *problem) {
    switch (status) {
    case DB_OK:
    case DB_STOP:
        return ERR_OK;
    case DB_LOST:
        return problem_set(
            problem, ERR_UNAVAILABLE,
            "The database is not available at present; try again. Whether the "
            "request took effect is unknown: repeating it with the same id is safe.");
    case DB_SLOW:
        return problem_set(problem, ERR_UNAVAILABLE,
                           "The database took too long over this and has undone it; try again.");
    case DB_RETRY:
    case DB_LOCKED:
        return problem_set(problem, ERR_UNAVAILABLE,
                           "The workspace is busy (it may be under a rebuild); try again.");
    case DB_REFUSED:
        return problem_set(problem, ERR_INVALID_RECORD,
                           "The database refused the record (SQLSTATE %s%s%s).",
                           db->failure.sqlstate, db->failure.constraint[0] != '\0' ? ", " : "",
                           db->failure.constraint);
    }
    return ERR_UNAVAILABLE;
}

void db_result_clear(PGresult **result) {
    PQclear(*result);
    *result = NULL;
}

bool db_is_true(const PGresult *result, int row, int column) {
    return PQgetvalue(result, row, column)[0] == 't';
}

void db_array_int(struct buf *out, const int64_t *values, size_t count) {
    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s%" PRId64, i == 0 ? "" : ",", values[i]);
    }
    buf_add_char(out, '}');
}
