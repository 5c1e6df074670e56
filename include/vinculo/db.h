/*
 * PostgreSQL connections: the only module besides the store's own that names libpq.
 *
 * A struct db belongs to one thread. Every call has a deadline, a dead or silent server included;
 * after DB_LOST the connection is closed and db_ready opens a new one. All statements are prepared
 * when a connection is opened: src/store/sql/ *.sql by file name without ".sql", and per record
 * kind "<kind>_insert", "<kind>_get", "<kind>_update", "<kind>_delete" made from its spec.
 */
#ifndef VINCULO_DB_H
#define VINCULO_DB_H

#include "vinculo/err.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

enum db_status {
    DB_OK,
    DB_LOST,    /* no connection, or it broke, or the deadline passed: the outcome is unknown */
    DB_RETRY,   /* serialisation failure or deadlock: the transaction may be run again */
    DB_SLOW,    /* a statement took longer than timeout_ms and was undone */
    DB_LOCKED,  /* a lock was not granted in time (a rebuild holds the workspace) */
    DB_REFUSED, /* the data was refused; db_sqlstate, db_constraint say why */
    DB_STOP     /* a transaction's own function wants a rollback and has said why */
};

struct db_options {
    const char *url;
    bool prepare;    /* prepare the statements (needs the current schema) */
    bool read_write; /* of several hosts take the one that accepts writes */
    int timeout_ms;  /* one statement */
    int lock_timeout_ms;
};

struct db;
struct buf;
struct kind_spec;

/* Never fails but for memory (NULL); does not connect. Copies the options. */
struct db *db_new(const struct db_options *options);
void db_free(struct db *db);

/* Connects unless connected. DB_OK or DB_LOST; db_message tells why. */
MUST_CHECK enum db_status db_ready(struct db *db);
void db_close(struct db *db);

/* Runs a prepared statement with text parameters; *ret_result (may be NULL) is the caller's to
 * PQclear, and NULL unless DB_OK. */
MUST_CHECK enum db_status db_run(struct db *db, const char *statement, int count,
                                 const char *const *values, PGresult **ret_result);
/* The same with SQL text. */
MUST_CHECK enum db_status db_query(struct db *db, const char *sql, int count,
                                   const char *const *values, PGresult **ret_result);

/* The same for a prepared statement whose one parameter is an array of <kind>_row in PostgreSQL's
 * binary form (record_rows_begin). DB_LOST also where memory ended while it was written. */
MUST_CHECK enum db_status db_run_rows(struct db *db, const char *statement, const struct buf *rows,
                                      PGresult **ret_result);
/* The type's OID in this database, on a connection that has prepared its statements. */
unsigned db_row_type(const struct db *db, const struct kind_spec *spec);

/* Several prepared statements in one round trip, inside a transaction: the first db_answer sends
 * all that db_ask was told, after which nothing may be asked until all is answered, and each brings
 * the next one's result. After another status than DB_OK, or where the transaction ends, what is
 * still unanswered is dropped. */
MUST_CHECK enum db_status db_ask(struct db *db, const char *statement, int count,
                                 const char *const *values);
MUST_CHECK enum db_status db_answer(struct db *db, PGresult **ret_result);

/* Inside a transaction, before any db_ask: a prepared statement whose answer is not waited for,
 * such as one that takes a lock, is sent together with the next one, or with COMMIT; where it
 * fails, that one returns its status. */
MUST_CHECK enum db_status db_tell(struct db *db, const char *statement, int count,
                                  const char *const *values);
/* Sends what was told now, and waits for it. */
MUST_CHECK enum db_status db_hear(struct db *db);
/* The rows of this transaction's last db_tell; NULL until they are in, which is after db_hear or
 * the next statement. */
const PGresult *db_heard(const struct db *db);

/* Inside a transaction: its statements and its COMMIT may take that long from here on, instead of
 * the connection's own timeout. Meanwhile the server watches the connection, so that a client which
 * goes away does not leave it working, with the locks held. */
MUST_CHECK enum db_status db_allow(struct db *db, int timeout_ms);
/* From any thread: what waits on this connection ends with DB_LOST, as does all that is tried later
 * (the service ends). */
void db_abandon(struct db *db);

enum db_mode { DB_WRITE, DB_SNAPSHOT /* REPEATABLE READ, READ ONLY */ };

/* Runs `body` inside one transaction: BEGIN, body, COMMIT, whose tag is checked. Any status but
 * DB_OK from body rolls back. Deadlocks and serialisation failures are run again, three times; a
 * snapshot whose connection broke, and a write of which nothing had been answered, once; neither
 * where time ran out or the server is short of something. */
MUST_CHECK enum db_status db_transaction(struct db *db, enum db_mode mode,
                                         enum db_status (*body)(struct db *db, void *context),
                                         void *context);

/* The same, for one who goes on while it commits: after DB_OK the COMMIT of a DB_WRITE has been
 * sent, and `ended` is called once with what it came to, when something else is next waited for on
 * this connection, in db_settle, or where the connection is lost. It may not use the connection.
 * After another status it is not called. */
MUST_CHECK enum db_status db_transaction_sent(struct db *db,
                                              enum db_status (*body)(struct db *db, void *context),
                                              void (*ended)(void *context, enum db_status status),
                                              void *context);
/* Waits for the COMMIT that has been sent, if any. */
void db_settle(struct db *db);

/* How many write transactions of this process have come to their COMMIT, on all connections. Any
 * thread may ask. */
uint64_t db_commits(void);

/* Of the last refusal: five characters, or "". */
const char *db_sqlstate(const struct db *db);
const char *db_constraint(const struct db *db);
/* Of the last failure, for logs: PostgreSQL's primary message without row contents. */
const char *db_message(const struct db *db);
PGconn *db_connection(struct db *db); /* for LISTEN and COPY; NULL when closed */

/* What a client is told: 503 unavailable for DB_LOST, DB_RETRY, DB_LOCKED, 422 for DB_REFUSED. */
enum err db_problem(const struct db *db, enum db_status status, struct problem *problem);

/* PostgreSQL array literals of texts or integers for parameters, such as {1,2}. */
void db_array_int(struct buf *out, const int64_t *values, size_t count);

#define DB_RESULT __attribute__((cleanup(db_result_clear))) PGresult
void db_result_clear(PGresult **result);
/* Of a boolean column; null counts as false. */
bool db_is_true(const PGresult *result, int row, int column);

#endif
