/* Statements, alone or several in one round trip, and waiting for their answers. */
#include "db_connection.h"
#include "vinculo/buf.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

enum { DEADLINE_MARGIN_MS = 500, WAIT_MAX_MS = 100 /* within which db_abandon is noticed */ };

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
    return db_lose(db, atomic_load(&db->abandoned) ? "the service is stopping"
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
        return db_lose(db, PQerrorMessage(db->connection));
    }
    ExecStatusType status = PQresultStatus(last);
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
        return db_classify(db, last);
    }
    if (ret_result != NULL) {
        *ret_result = last;
        last = NULL;
    }
    return DB_OK;
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
    enum db_status status = db_hear(db);
    if (status != DB_OK) {
        return status;
    }
    int sent = count == 0
                   ? PQsendQuery(db->connection, sql)
                   : PQsendQueryParams(db->connection, sql, count, NULL, values, NULL, NULL, 0);
    return sent ? finish(db, ret_result) : db_lose(db, PQerrorMessage(db->connection));
}

enum db_status db_prepare_statement(struct db *db, const char *name, const char *sql) {
    if (!PQsendPrepare(db->connection, name, sql, 0, NULL)) {
        return db_lose(db, PQerrorMessage(db->connection));
    }
    return finish(db, NULL);
}

/* -- statements in one round trip: libpq's pipeline mode ------------------------------------- */

const PGresult *db_heard(const struct db *db) { return db->heard; }

enum db_status db_ask_question(struct db *db, const struct db_question *question) {
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
        return db_lose(db, PQerrorMessage(db->connection));
    }
    db->marked = false;
    db->asked++;
    return DB_OK;
}

enum db_status db_tell_question(struct db *db, const struct db_question *question) {
    assert(db->told == db->asked);
    enum db_status status = db_ask_question(db, question);
    db->told = db->asked;
    return status;
}

enum db_status db_tell(struct db *db, const char *statement, int count, const char *const *values) {
    return db_tell_question(
        db, &(struct db_question){.statement = statement, .count = count, .values = values});
}

enum db_status db_ask(struct db *db, const char *statement, int count, const char *const *values) {
    return db_ask_question(
        db, &(struct db_question){.statement = statement, .count = count, .values = values});
}

enum db_status db_send_mark(struct db *db) {
    if (!db->marked && !PQpipelineSync(db->connection)) {
        return db_lose(db, PQerrorMessage(db->connection));
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
            status = db_classify(db, result);
        } else if (kind == PGRES_COMMAND_OK) {
            *ret_committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
        }
        if (db->connection == NULL || PQstatus(db->connection) != CONNECTION_OK) {
            return db->connection == NULL ? DB_LOST : db_lose(db, PQerrorMessage(db->connection));
        }
        if (kind == PGRES_PIPELINE_SYNC) {
            return status;
        }
    }
}

static enum db_status leave_pipeline(struct db *db) {
    return PQexitPipelineMode(db->connection) ? DB_OK : db_lose(db, PQerrorMessage(db->connection));
}

enum db_status db_commit_outcome(struct db *db) {
    bool committed = false;
    if (!db->committing) {
        return DB_OK;
    }
    enum db_status status = read_to_mark(db, &committed);
    if (db->connection == NULL) {
        return DB_LOST; /* db_end_commit has been called */
    }
    if (status == DB_OK && !committed) {
        db_keep_message(db, "the transaction had failed before COMMIT");
        status = DB_REFUSED;
    }
    db_end_commit(db, status);
    if (db->asked == 0) {
        (void)leave_pipeline(db); /* where it fails the next statement tells */
    }
    return status;
}

void db_settle(struct db *db) { (void)db_commit_outcome(db); }

/* Reads until the mark that follows all that was asked, and leaves the pipeline mode. */
static enum db_status end_questions(struct db *db) {
    bool committed;
    enum db_status status = db_send_mark(db);
    if (status == DB_OK) {
        (void)db_commit_outcome(db);
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

enum db_status db_drop_questions(struct db *db, enum db_status failed) {
    if (db->asked == 0) {
        return failed;
    }
    struct db_failure failure = db->failure;
    enum db_status ended = end_questions(db);
    if (ended != DB_OK) {
        return ended;
    }
    db->failure = failure;
    return failed;
}

/* The answer to the oldest question. */
static enum db_status take_answer(struct db *db, PGresult **ret_result) {
    enum db_status status = db_send_mark(db);
    if (status != DB_OK) {
        return status;
    }
    if (!wait_for_result(db, deadline_of(db))) {
        return lose_for_time(db);
    }
    DB_RESULT *result = PQgetResult(db->connection);
    ExecStatusType kind = PQresultStatus(result);
    if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK) {
        return db_drop_questions(db, db_classify(db, result));
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

enum db_status db_hear(struct db *db) {
    enum db_status status = db->asked > 0 ? db_send_mark(db) : DB_OK;
    (void)db_commit_outcome(db); /* while the server works on what has just been sent */
    if (db->connection == NULL) {
        return DB_LOST;
    }
    while (status == DB_OK && db->told > 0) {
        db_forget(db);
        status = take_answer(db, &db->heard);
        db->told -= db->told > 0;
    }
    return status;
}

enum db_status db_answer(struct db *db, PGresult **ret_result) {
    if (ret_result != NULL) {
        *ret_result = NULL;
    }
    if (db->connection == NULL) {
        return DB_LOST;
    }
    assert(db->asked > db->told);
    enum db_status status = db_hear(db);
    return status == DB_OK ? take_answer(db, ret_result) : status;
}

static enum db_status run_question(struct db *db, const struct db_question *question,
                                   PGresult **ret_result) {
    if (ret_result != NULL) {
        *ret_result = NULL;
    }
    assert(db->asked == db->told);
    enum db_status status = db_ask_question(db, question);
    return status == DB_OK ? db_answer(db, ret_result) : status;
}

enum db_status db_run(struct db *db, const char *statement, int count, const char *const *values,
                      PGresult **ret_result) {
    return run_question(
        db, &(struct db_question){.statement = statement, .count = count, .values = values},
        ret_result);
}

enum db_status db_run_rows(struct db *db, const char *statement, const struct buf *rows,
                           PGresult **ret_result) {
    *ret_result = NULL;
    if (!buf_ok(rows) || rows->length > INT_MAX) {
        return DB_LOST;
    }
    struct db_question question = {.statement = statement,
                                   .count = 1,
                                   .values = (const char *[]){buf_text(rows)},
                                   .lengths = (int[]){(int)rows->length},
                                   .formats = (int[]){1}};
    return run_question(db, &question, ret_result);
}
