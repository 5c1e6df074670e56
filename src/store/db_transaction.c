/* Transactions: BEGIN, what others put into them, COMMIT. */
#include "db_connection.h"

#include <assert.h>
#include <stdio.h>

enum { ATTEMPTS_MAX = 3 };

enum db_status db_allow(struct db *db, int timeout_ms) {
    char sql[80];
    snprintf(sql, sizeof sql, "SET LOCAL statement_timeout = %d", timeout_ms);
    enum db_status status = db_tell_question(db, &(struct db_question){.sql = sql});
    if (status == DB_OK) {
        status = db_tell_question(
            db, &(struct db_question){.sql = "SET LOCAL client_connection_check_interval = '1s'"});
    }
    if (status == DB_OK) {
        db->timeout_ms = timeout_ms;
    }
    return status;
}

/* Sends COMMIT and, unless someone is told, waits for it. */
static enum db_status commit(struct db *db, const struct db_transaction *transaction) {
    enum db_status status = db_hear(db);
    if (status == DB_OK) {
        status = db_ask_question(db, &(struct db_question){.sql = "COMMIT"});
    }
    if (status == DB_OK) {
        status = db_send_mark(db);
    }
    if (status != DB_OK) {
        return status;
    }
    db->asked = 0;
    db->committing = true;
    db->committed = *transaction;
    return transaction->ended != NULL ? DB_OK : db_commit_outcome(db);
}

static enum db_status begin(struct db *db, enum db_mode mode) {
    db->repeatable = true;
    db->mode = mode;
    db_forget(db);
    return db_tell_question(
        db, &(struct db_question){.sql = mode == DB_WRITE
                                             ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                                             : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"});
}

static enum db_status run_once(struct db *db, const struct db_transaction *transaction) {
    enum db_status status = begin(db, transaction->mode);
    if (status == DB_OK) {
        status = transaction->body(db, transaction->context);
    }
    if (status == DB_OK && db->asked > db->told) {
        status = db_drop_questions(db, DB_OK);
    }
    if (status == DB_OK) {
        status = commit(db, transaction);
    }
    if (status != DB_OK && db->connection != NULL) {
        /* Keep what failed for the caller; a failing ROLLBACK has lost the connection anyway. */
        struct db_failure failure = db->failure;
        if (db_drop_questions(db, DB_OK) == DB_LOST ||
            db_query(db, "ROLLBACK", 0, NULL, NULL) != DB_OK) {
            db_close(db);
        }
        db->failure = failure;
    }
    db->timeout_ms = db->options.timeout_ms;
    return status;
}

static enum db_status run(struct db *db, const struct db_transaction *transaction) {
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
    return run(db, &(struct db_transaction){.mode = mode, .body = body, .context = context});
}

enum db_status db_transaction_sent(struct db *db,
                                   enum db_status (*body)(struct db *db, void *context),
                                   void (*ended)(void *context, enum db_status status),
                                   void *context) {
    return run(db, &(struct db_transaction){
                       .mode = DB_WRITE, .body = body, .ended = ended, .context = context});
}
