/*
 * What the parts of vinculo/db.h share; all others use that header. Each part uses only those
 * before it: db.c closes a connection and keeps why it failed, db_statements.c sends statements and
 * waits for their answers, db_open.c opens a connection and prepares its statements,
 * db_transaction.c frames statements with BEGIN and COMMIT.
 */
#ifndef VINCULO_STORE_DB_CONNECTION_H
#define VINCULO_STORE_DB_CONNECTION_H

#include "vinculo/db.h"
#include "vinculo/record.h"

#include <stdatomic.h>

enum { DB_NAME_MAX_BYTES = 64, DB_MESSAGE_MAX = 300 };

struct db_failure {
    char sqlstate[6];
    char constraint[DB_NAME_MAX_BYTES];
    char message[DB_MESSAGE_MAX];
};

struct db_transaction {
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
    struct db_transaction committed;
    atomic_bool abandoned;
    struct db_failure failure;      /* the last one */
    unsigned row_types[KIND_COUNT]; /* OIDs; found on connecting */
};

/* -- db.c ------------------------------------------------------------------------------------- */

/* Closes the connection and keeps why; DB_LOST. */
enum db_status db_lose(struct db *db, const char *message);
/* Keeps what a failed result says and tells what it means. Where it is the server's trouble and not
 * the statement's, the connection is closed; where the server is short of something, the
 * transaction is not repeatable. */
enum db_status db_classify(struct db *db, const PGresult *result);
/* Keeps one line: DETAIL and CONTEXT of PostgreSQL's messages may show row contents. */
void db_keep_message(struct db *db, const char *text);
/* Frees what db_heard gives. */
void db_forget(struct db *db);
/* The COMMIT under way has come to this: counts it and calls its `ended`. */
void db_end_commit(struct db *db, enum db_status status);

/* -- db_statements.c: libpq's pipeline mode --------------------------------------------------- */

struct db_question {
    const char *sql;       /* without parameters; NULL: */
    const char *statement; /* the name of a prepared one */
    int count;
    const char *const *values;
    const int *lengths; /* NULL: all values are text */
    const int *formats; /* 1: binary */
};

/* On a connection, outside of the pipeline mode. */
MUST_CHECK enum db_status db_prepare_statement(struct db *db, const char *name, const char *sql);
/* As db_ask and db_tell, any question. */
MUST_CHECK enum db_status db_ask_question(struct db *db, const struct db_question *question);
MUST_CHECK enum db_status db_tell_question(struct db *db, const struct db_question *question);
/* On a connection: ends what has been asked with a mark, unless it has one. */
MUST_CHECK enum db_status db_send_mark(struct db *db);
/* Reads, and drops, what is still unanswered, a COMMIT's answer included, and leaves the pipeline
 * mode. Returns `failed`, whose reasons are kept, or what this came to. */
MUST_CHECK enum db_status db_drop_questions(struct db *db, enum db_status failed);
/* Waits for the COMMIT under way and calls its `ended`; what it came to, DB_OK where there is none.
 */
enum db_status db_commit_outcome(struct db *db);

#endif
