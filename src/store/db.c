/* Connections, statements with deadlines, transactions. */
#include "vinculo/db.h"

#include "record_sql.h"
#include "totals_sql.h"
#include "vinculo/buf.h"
#include "vinculo/embedded.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ATTEMPTS_MAX = 3,
    DEADLINE_MARGIN_MS = 500,
    MESSAGE_MAX = 300,
    WAIT_MAX_MS = 100,        /* within which db_abandon is noticed */
    SLOW_CONNECT_US = 950000, /* one that hangs takes 1 to 2 s: libpq counts whole ones */
    CONNECT_PAUSE_US = 1000000,
    NAME_MAX_BYTES = 64
};

struct failure {
    char sqlstate[6];
    char constraint[NAME_MAX_BYTES];
    char message[MESSAGE_MAX];
};

struct transaction {
    enum db_mode mode;
    enum db_status (*body)(struct db *db, void *context);
    void (*ended)(void *context, enum db_status status); /* NULL: its COMMIT is waited for */
    void *context;
};

struct db {
    struct db_options options; /* url is our own copy */
    PGconn *connection;
    int64_t retry_at_us; /* no attempt to connect before */
    int timeout_ms;      /* the options', or what the transaction was allowed */
    size_t asked;        /* statements whose answers have not been read */
    size_t told;         /* the first so many of them: db_tell's */
    PGresult *heard;     /* the last of these answers */
    bool marked;         /* they have been sent, with the mark that ends them */
    enum db_mode mode;   /* of the transaction */
    bool repeatable;     /* what the transaction has done leaves no trace if it is lost */
    bool committing;     /* before all that is asked a COMMIT is under way: */
    struct transaction committed;
    atomic_bool abandoned;
    struct failure failure;         /* the last one */
    unsigned row_types[KIND_COUNT]; /* OIDs; found on connecting */
};

static atomic_uint_fast64_t write_commits;

uint64_t db_commits(void) { return atomic_load(&write_commits); }

static void ignore_notice(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}

void db_result_clear(PGresult **result) {
    PQclear(*result);
    *result = NULL;
}

bool db_is_true(const PGresult *result, int row, int column) {
    return PQgetvalue(result, row, column)[0] == 't';
}

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

static void forget(struct db *db) {
    PQclear(db->heard);
    db->heard = NULL;
}

/* The COMMIT under way has come to this. */
static void end_commit(struct db *db, enum db_status status) {
    struct transaction committed = db->committed;
    db->committing = false;
    if (committed.mode == DB_WRITE) {
        /* Also where its answer was lost: it may have taken effect. */
        atomic_fetch_add(&write_commits, 1);
    }
    if (committed.ended != NULL) {
        committed.ended(committed.context, status);
    }
}

void db_close(struct db *db) {
    PQfinish(db->connection);
    db->connection = NULL;
    forget(db);
    db->asked = 0;
    db->told = 0;
    if (db->committing) {
        end_commit(db, DB_LOST);
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

const char *db_sqlstate(const struct db *db) { return db->failure.sqlstate; }

const char *db_constraint(const struct db *db) { return db->failure.constraint; }

const char *db_message(const struct db *db) { return db->failure.message; }

void db_abandon(struct db *db) { atomic_store(&db->abandoned, true); }

PGconn *db_connection(struct db *db) { return db->connection; }

/* Keeps one line: DETAIL and CONTEXT of PostgreSQL's messages may show row contents. */
static void keep_message(struct db *db, const char *text) {
    struct failure *failure = &db->failure;
    snprintf(failure->message, sizeof failure->message, "%.*s", (int)strcspn(text, "\n"), text);
}

static enum db_status lose(struct db *db, const char *message) {
    keep_message(db, message);
    db->failure.sqlstate[0] = '\0';
    db_close(db);
    return DB_LOST;
}

/* Classes 08, 57P and 53 are the server's troubles, not the data's; 25006 is a standby. */
static enum db_status classify(struct db *db, const PGresult *result) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    if (state == NULL || PQstatus(db->connection) != CONNECTION_OK) {
        return lose(db, PQerrorMessage(db->connection));
    }
    struct failure *failure = &db->failure;
    snprintf(failure->sqlstate, sizeof failure->sqlstate, "%s", state);
    snprintf(failure->constraint, sizeof failure->constraint, "%s",
             constraint != NULL ? constraint : "");
    keep_message(db, primary != NULL ? primary : "");
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
        return lose(db, primary != NULL ? primary : state);
    }
    return DB_REFUSED;
}

/* Waits until a result can be read without blocking; false when the deadline passed or nobody wants
 * the result any more. */
static bool wait_for_result(const struct db *db, int64_t deadline_ms) {
    PGconn *connection = db->connection;
    bool unsent = true;
    while (true) {
        if (unsent) {
            int flushed = PQflush(connection);
            if (flushed < 0) {
                return true; /* the error shows in PQgetResult */
            }
            unsent = flushed == 1;
        }
        if (!unsent && !PQisBusy(connection)) {
            return true;
        }
        int64_t left_ms = deadline_ms - clock_monotonic_us() / 1000;
        struct pollfd wait = {.fd = PQsocket(connection),
                              .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};
        if (left_ms <= 0 || atomic_load(&db->abandoned)) {
            return false;
        }
        if (poll(&wait, 1, left_ms < WAIT_MAX_MS ? (int)left_ms : WAIT_MAX_MS) <= 0) {
            continue; /* the deadline is looked at above */
        }
        if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !PQconsumeInput(connection)) {
            return true;
        }
    }
}

/* What was told may wait for a lock, as long as a statement may, and the server says nothing before
 * all is done. */
static int64_t deadline_of(const struct db *db) {
    int64_t allowed_ms = (int64_t)db->timeout_ms * (db->told > 0 ? 2 : 1);
    return db->timeout_ms > 0 ? clock_monotonic_us() / 1000 + allowed_ms + DEADLINE_MARGIN_MS
                              : INT64_MAX / 2;
}

static enum db_status lose_for_time(struct db *db) {
    db->repeatable = false; /* the server may still be at it */
    return lose(db, atomic_load(&db->abandoned) ? "the service is stopping"
                                                : "the database did not answer in time");
}

/* Collects the answer to what was just sent. */
static enum db_status finish(struct db *db, PGresult **ret_result) {
    int64_t deadline_ms = deadline_of(db);
    DB_RESULT *last = NULL;
    while (true) {
        if (!wait_for_result(db, deadline_ms)) {
            return lose_for_time(db);
        }
        PGresult *result = PQgetResult(db->connection);
        if (result == NULL) {
            break;
        }
        PQclear(last);
        last = result;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
            break; /* COPY goes on through db_connection */
        }
    }
    if (last == NULL) {
        return lose(db, PQerrorMessage(db->connection));
    }
    ExecStatusType status = PQresultStatus(last);
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
        return classify(db, last);
    }
    if (ret_result != NULL) {
        *ret_result = last;
        last = NULL;
    }
    return DB_OK;
}

/* -- statements in one round trip: libpq's pipeline mode ------------------------------------- */

struct question {
    const char *sql;       /* without parameters; NULL: */
    const char *statement; /* the name of a prepared one */
    int count;
    const char *const *values;
    const int *lengths; /* NULL: all values are text */
    const int *formats; /* 1: binary */
};

static enum db_status enqueue(struct db *db, const struct question *question) {
    if (db->connection == NULL) {
        return DB_LOST;
    }
    assert(db->asked == 0 || !db->marked);
    int sent = PQenterPipelineMode(db->connection);
    if (sent && question->sql != NULL) {
        sent = PQsendQueryParams(db->connection, question->sql, 0, NULL, NULL, NULL, NULL, 0);
    } else if (sent) {
        sent = PQsendQueryPrepared(db->connection, question->statement, question->count,
                                   question->values, question->lengths, question->formats, 0);
    }
    if (!sent) {
        return lose(db, PQerrorMessage(db->connection));
    }
    db->marked = false;
    db->asked++;
    return DB_OK;
}

static enum db_status tell(struct db *db, const struct question *question) {
    assert(db->told == db->asked);
    enum db_status status = enqueue(db, question);
    db->told = db->asked;
    return status;
}

enum db_status db_tell(struct db *db, const char *statement, int count, const char *const *values) {
    return tell(db, &(struct question){.statement = statement, .count = count, .values = values});
}

enum db_status db_ask(struct db *db, const char *statement, int count, const char *const *values) {
    return enqueue(db,
                   &(struct question){.statement = statement, .count = count, .values = values});
}

static enum db_status send_mark(struct db *db) {
    if (!db->marked && !PQpipelineSync(db->connection)) {
        return lose(db, PQerrorMessage(db->connection));
    }
    db->marked = true;
    return DB_OK;
}

/* Reads up to the next mark. Returns what failed on the way; *ret_committed: a COMMIT was answered
 * as such, not with ROLLBACK, as that of a failed transaction is. */
static enum db_status read_to_mark(struct db *db, bool *ret_committed) {
    int64_t deadline_ms = deadline_of(db);
    enum db_status status = DB_OK;
    *ret_committed = false;
    while (true) {
        if (!wait_for_result(db, deadline_ms)) {
            return lose_for_time(db);
        }
        DB_RESULT *result = PQgetResult(db->connection); /* NULL between two answers */
        ExecStatusType kind = PQresultStatus(result);
        if (result != NULL && kind == PGRES_FATAL_ERROR) {
            status = classify(db, result);
        } else if (kind == PGRES_COMMAND_OK) {
            *ret_committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
        }
        if (db->connection == NULL || PQstatus(db->connection) != CONNECTION_OK) {
            return db->connection == NULL ? DB_LOST : lose(db, PQerrorMessage(db->connection));
        }
        if (kind == PGRES_PIPELINE_SYNC) {
            return status;
        }
    }
}

static enum db_status leave_pipeline(struct db *db) {
    return PQexitPipelineMode(db->connection) ? DB_OK : lose(db, PQerrorMessage(db->connection));
}

/* What the COMMIT under way comes to; DB_OK where there is none. */
static enum db_status settle(struct db *db) {
    bool committed = false;
    if (!db->committing) {
        return DB_OK;
    }
    enum db_status status = read_to_mark(db, &committed);
    if (db->connection == NULL) {
        return DB_LOST; /* end_commit has been called */
    }
    if (status == DB_OK && !committed) {
        keep_message(db, "the transaction had failed before COMMIT");
        status = DB_REFUSED;
    }
    end_commit(db, status);
    if (db->asked == 0) {
        (void)leave_pipeline(db); /* where it fails the next statement tells */
    }
    return status;
}

void db_settle(struct db *db) { (void)settle(db); }

/* Reads until the mark that follows all that was asked, and leaves the pipeline mode. */
static enum db_status end_questions(struct db *db) {
    bool committed;
    enum db_status status = send_mark(db);
    if (status == DB_OK) {
        (void)settle(db);
    }
    if (db->connection == NULL) {
        return DB_LOST;
    }
    enum db_status failed = read_to_mark(db, &committed);
    db->asked = 0;
    db->told = 0;
    if (db->connection == NULL) {
        return DB_LOST;
    }
    status = leave_pipeline(db);
    return status == DB_OK ? failed : status;
}

/* After a failure, which is kept for the caller. */
static enum db_status drop_questions(struct db *db, enum db_status failed) {
    if (db->asked == 0) {
        return failed;
    }
    struct failure failure = db->failure;
    enum db_status ended = end_questions(db);
    if (ended != DB_OK) {
        return ended;
    }
    db->failure = failure;
    return failed;
}

/* The answer to the oldest question. */
static enum db_status take_answer(struct db *db, PGresult **ret_result) {
    enum db_status status = send_mark(db);
    if (status != DB_OK) {
        return status;
    }
    if (!wait_for_result(db, deadline_of(db))) {
        return lose_for_time(db);
    }
    DB_RESULT *result = PQgetResult(db->connection);
    ExecStatusType kind = PQresultStatus(result);
    if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK) {
        return drop_questions(db, classify(db, result));
    }
    PQclear(PQgetResult(db->connection)); /* the NULL that ends it */
    db->repeatable = db->repeatable && db->mode == DB_SNAPSHOT;
    db->asked--;
    status = db->asked == 0 ? end_questions(db) : DB_OK;
    if (status == DB_OK && ret_result != NULL) {
        *ret_result = result;
        result = NULL;
    }
    return status;
}

static enum db_status take_told(struct db *db) {
    enum db_status status = db->asked > 0 ? send_mark(db) : DB_OK;
    (void)settle(db); /* while the server works on what has just been sent */
    if (db->connection == NULL) {
        return DB_LOST;
    }
    while (status == DB_OK && db->told > 0) {
        forget(db);
        status = take_answer(db, &db->heard);
        db->told -= db->told > 0;
    }
    return status;
}

enum db_status db_hear(struct db *db) { return db->connection != NULL ? take_told(db) : DB_LOST; }

const PGresult *db_heard(const struct db *db) { return db->heard; }

enum db_status db_answer(struct db *db, PGresult **ret_result) {
    if (ret_result != NULL) {
        *ret_result = NULL;
    }
    if (db->connection == NULL) {
        return DB_LOST;
    }
    assert(db->asked > db->told);
    enum db_status status = take_told(db);
    return status == DB_OK ? take_answer(db, ret_result) : status;
}

static enum db_status run_question(struct db *db, const struct question *question,
                                   PGresult **ret_result) {
    if (ret_result != NULL) {
        *ret_result = NULL;
    }
    assert(db->asked == db->told);
    enum db_status status = enqueue(db, question);
    return status == DB_OK ? db_answer(db, ret_result) : status;
}

enum db_status db_run(struct db *db, const char *statement, int count, const char *const *values,
                      PGresult **ret_result) {
    return run_question(
        db, &(struct question){.statement = statement, .count = count, .values = values},
        ret_result);
}

enum db_status db_run_rows(struct db *db, const char *statement, const struct buf *rows,
                           PGresult **ret_result) {
    *ret_result = NULL;
    if (!buf_ok(rows) || rows->length > INT_MAX) {
        return DB_LOST;
    }
    struct question question = {.statement = statement,
                                .count = 1,
                                .values = (const char *[]){buf_text(rows)},
                                .lengths = (int[]){(int)rows->length},
                                .formats = (int[]){1}};
    return run_question(db, &question, ret_result);
}

unsigned db_row_type(const struct db *db, const struct kind_spec *spec) {
    return db->row_types[spec->kind];
}

/* Outside of the pipeline mode, which knows no text of several statements. */
enum db_status db_query(struct db *db, const char *sql, int count, const char *const *values,
                        PGresult **ret_result) {
    if (ret_result != NULL) {
        *ret_result = NULL;
    }
    if (db->connection == NULL) {
        return DB_LOST;
    }
    assert(db->asked == db->told);
    enum db_status status = take_told(db);
    if (status != DB_OK) {
        return status;
    }
    int sent = count == 0
                   ? PQsendQuery(db->connection, sql)
                   : PQsendQueryParams(db->connection, sql, count, NULL, values, NULL, NULL, 0);
    return sent ? finish(db, ret_result) : lose(db, PQerrorMessage(db->connection));
}

static enum db_status prepare(struct db *db, const char *name, const char *sql) {
    if (!PQsendPrepare(db->connection, name, sql, 0, NULL)) {
        return lose(db, PQerrorMessage(db->connection));
    }
    return finish(db, NULL);
}

static enum db_status find_row_types(struct db *db) {
    BUF_SCOPED sql = {0};
    DB_RESULT *found = NULL;
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        buf_printf(&sql, "%s'" RECORD_SQL_ROW_TYPE "'::regtype::oid", kind == 0 ? "SELECT " : ", ",
                   record_kinds[kind].name);
    }
    enum db_status status =
        buf_ok(&sql) ? db_query(db, buf_text(&sql), 0, NULL, &found) : lose(db, "out of memory");
    for (int kind = 0; status == DB_OK && kind < KIND_COUNT; kind++) {
        db->row_types[kind] = (unsigned)strtoul(PQgetvalue(found, 0, kind), NULL, 10);
    }
    return status;
}

static enum db_status prepare_all(struct db *db) {
    enum db_status status = DB_OK;
    for (size_t i = 0; status == DB_OK && i < embedded_statements_count; i++) {
        char name[NAME_MAX_BYTES];
        const char *file = embedded_statements[i].name;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(file, "."), file);
        status = prepare(db, name, embedded_statements[i].text);
    }
    for (size_t kind = 0; status == DB_OK && kind < KIND_COUNT; kind++) {
        for (size_t verb = 0; status == DB_OK && verb < RECORD_SQL_COUNT; verb++) {
            char name[NAME_MAX_BYTES];
            BUF_SCOPED sql = {0};
            record_sql_name(&record_kinds[kind], (enum record_sql)verb, name, sizeof name);
            record_sql_write(&sql, &record_kinds[kind], (enum record_sql)verb);
            status = buf_ok(&sql) ? prepare(db, name, buf_text(&sql)) : lose(db, "out of memory");
        }
    }
    for (size_t i = 0; status == DB_OK && i < totals_statement_count; i++) {
        BUF_SCOPED sql = {0};
        totals_sql_write(&sql, &totals_statements[i]);
        status = buf_ok(&sql) ? prepare(db, totals_statements[i].name, buf_text(&sql))
                              : lose(db, "out of memory");
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
        return lose(db, db->connection == NULL ? "out of memory" : PQerrorMessage(db->connection));
    }
    PQsetNoticeReceiver(db->connection, ignore_notice, NULL);
    if (PQsetnonblocking(db->connection, 1) != 0) {
        return lose(db, PQerrorMessage(db->connection));
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
        return lose(db, "the service is stopping");
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

enum db_status db_allow(struct db *db, int timeout_ms) {
    char sql[80];
    snprintf(sql, sizeof sql, "SET LOCAL statement_timeout = %d", timeout_ms);
    enum db_status status = tell(db, &(struct question){.sql = sql});
    if (status == DB_OK) {
        status = tell(
            db, &(struct question){.sql = "SET LOCAL client_connection_check_interval = '1s'"});
    }
    if (status == DB_OK) {
        db->timeout_ms = timeout_ms;
    }
    return status;
}

/* Sends COMMIT and, unless someone is told, waits for it. */
static enum db_status commit(struct db *db, const struct transaction *transaction) {
    enum db_status status = take_told(db);
    if (status == DB_OK) {
        status = enqueue(db, &(struct question){.sql = "COMMIT"});
    }
    if (status == DB_OK) {
        status = send_mark(db);
    }
    if (status != DB_OK) {
        return status;
    }
    db->asked = 0;
    db->committing = true;
    db->committed = *transaction;
    return transaction->ended != NULL ? DB_OK : settle(db);
}

static enum db_status begin(struct db *db, enum db_mode mode) {
    db->repeatable = true;
    db->mode = mode;
    forget(db);
    return tell(db,
                &(struct question){.sql = mode == DB_WRITE
                                              ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                                              : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"});
}

static enum db_status run_once(struct db *db, const struct transaction *transaction) {
    enum db_status status = begin(db, transaction->mode);
    if (status == DB_OK) {
        status = transaction->body(db, transaction->context);
    }
    if (status == DB_OK && db->asked > db->told) {
        status = drop_questions(db, DB_OK);
    }
    if (status == DB_OK) {
        status = commit(db, transaction);
    }
    if (status != DB_OK && db->connection != NULL) {
        /* Keep what failed for the caller; a failing ROLLBACK has lost the connection anyway. */
        struct failure failure = db->failure;
        if (drop_questions(db, DB_OK) == DB_LOST ||
            db_query(db, "ROLLBACK", 0, NULL, NULL) != DB_OK) {
            db_close(db);
        }
        db->failure = failure;
    }
    db->timeout_ms = db->options.timeout_ms;
    return status;
}

static enum db_status run(struct db *db, const struct transaction *transaction) {
    enum db_status status = db_ready(db);
    for (int attempt = 0; status == DB_OK && attempt < ATTEMPTS_MAX; attempt++) {
        enum db_status ended = run_once(db, transaction);
        /* A connection that died while idle shows before anything can have happened, and a read may
         * be lost at any point: once more on a fresh one. */
        if (ended == DB_LOST && db->repeatable && attempt == 0 && db_ready(db) == DB_OK) {
            ended = run_once(db, transaction);
        }
        if (ended != DB_RETRY) {
            assert(db->connection == NULL || db->committing ||
                   PQtransactionStatus(db->connection) == PQTRANS_IDLE);
            return ended;
        }
    }
    return status == DB_OK ? DB_RETRY : status;
}

enum db_status db_transaction(struct db *db, enum db_mode mode,
                              enum db_status (*body)(struct db *db, void *context), void *context) {
    return run(db, &(struct transaction){.mode = mode, .body = body, .context = context});
}

enum db_status db_transaction_sent(struct db *db,
                                   enum db_status (*body)(struct db *db, void *context),
                                   void (*ended)(void *context, enum db_status status),
                                   void *context) {
    return run(db, &(struct transaction){
                       .mode = DB_WRITE, .body = body, .ended = ended, .context = context});
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

void db_array_int(struct buf *out, const int64_t *values, size_t count) {
    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s%" PRId64, i == 0 ? "" : ",", values[i]);
    }
    buf_add_char(out, '}');
}
