/* Applying the embedded migrations, and comparing them with those that were applied. */
#include "vinculo/migrate.h"

#include "vinculo/embedded.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKSUM_BYTES = 32, CHECKSUM_HEX = 2 * CHECKSUM_BYTES + 1, VERSION_TEXT_MAX = 12 };

/* 22101 is only a number of our own; the lock ends with the session, whatever happens. */
static const char LOCK[] = "SELECT pg_advisory_lock(22101)";
static const char UNLOCK[] = "SELECT pg_advisory_unlock(22101)";
static const char CREATE_TABLE[] = "CREATE TABLE IF NOT EXISTS schema_migration ("
                                   " version integer PRIMARY KEY,"
                                   " name text NOT NULL,"
                                   " checksum bytea NOT NULL,"
                                   " applied_at timestamptz NOT NULL DEFAULT now())";
static const char TABLE_EXISTS[] = "SELECT to_regclass('schema_migration') IS NOT NULL";
static const char LIST[] = "SELECT version, name, encode(checksum, 'hex')"
                           " FROM schema_migration ORDER BY version";
static const char RECORD[] = "INSERT INTO schema_migration (version, name, checksum)"
                             " VALUES ($1, $2, decode($3, 'hex'))";

/* The number at the beginning of the file name. */
static int version_of(const struct embedded_file *migration) {
    return (int)strtol(migration->name, NULL, 10);
}

int migrate_version(void) {
    return version_of(&embedded_migrations[embedded_migrations_count - 1]);
}

static void checksum_of(const struct embedded_file *migration, char ret_hex[CHECKSUM_HEX]) {
    unsigned char checksum[CHECKSUM_BYTES];
    crypto_generichash(checksum, sizeof checksum, (const unsigned char *)migration->text,
                       migration->length, NULL, 0);
    sodium_bin2hex(ret_hex, CHECKSUM_HEX, checksum, sizeof checksum);
}

static enum err refuse(const struct db *db, enum db_status status, const char *doing,
                       struct problem *problem) {
    if (status == DB_LOCKED)
        return problem_set(problem, ERR_UNAVAILABLE,
                           "%s: another session holds a lock that is needed; try again when it "
                           "has ended",
                           doing);
    const char *state = db_sqlstate(db);
    return problem_set(problem, ERR_UNAVAILABLE, "%s: %s%s%s", doing, db_message(db),
                       *state != '\0' ? ", SQLSTATE " : "", state);
}

/* Those applied must be the first of ours, in the same order and wording. */
static enum err compare(const PGresult *applied, struct problem *problem) {
    size_t count = (size_t)PQntuples(applied);
    int newest = count == 0 ? 0 : atoi(PQgetvalue(applied, (int)count - 1, 0));
    if (newest > migrate_version())
        return problem_set(problem, ERR_UNAVAILABLE,
                           "the database is newer than this program (schema version %d, this "
                           "program knows up to %d): use a newer program",
                           newest, migrate_version());
    for (size_t i = 0; i < count; i++) {
        int version = atoi(PQgetvalue(applied, (int)i, 0));
        const struct embedded_file *ours = &embedded_migrations[i];
        if (i >= embedded_migrations_count || version != version_of(ours))
            return problem_set(problem, ERR_UNAVAILABLE,
                               "the database was made by another program: it has had migration %d "
                               "(%s), which does not come there in this program's order",
                               version, PQgetvalue(applied, (int)i, 1));
        char checksum[CHECKSUM_HEX];
        checksum_of(ours, checksum);
        if (strcmp(checksum, PQgetvalue(applied, (int)i, 2)) != 0)
            return problem_set(problem, ERR_UNAVAILABLE,
                               "migration %s is not the one that the database has had: its "
                               "checksum differs; use the program that made this database, or one "
                               "of a later version",
                               ours->name);
    }
    return ERR_OK;
}

/* How many of our migrations the database has had; 0 where it has no table of them. */
static enum err read_applied(struct db *db, size_t *ret_count, struct problem *problem) {
    DB_RESULT *exists = NULL;
    DB_RESULT *applied = NULL;
    enum db_status status = db_query(db, TABLE_EXISTS, 0, NULL, &exists);
    if (status == DB_OK && strcmp(PQgetvalue(exists, 0, 0), "t") != 0) {
        *ret_count = 0;
        return ERR_OK;
    }
    if (status == DB_OK)
        status = db_query(db, LIST, 0, NULL, &applied);
    if (status != DB_OK)
        return refuse(db, status, "cannot read the schema's version", problem);
    enum err err = compare(applied, problem);
    if (err == ERR_OK)
        *ret_count = (size_t)PQntuples(applied);
    return err;
}

static enum db_status apply_one(struct db *db, void *context) {
    const struct embedded_file *migration = context;
    char version[VERSION_TEXT_MAX], checksum[CHECKSUM_HEX];
    snprintf(version, sizeof version, "%d", version_of(migration));
    checksum_of(migration, checksum);
    /* Waiting longer for a table would make everyone who comes later wait as well. */
    enum db_status status = db_query(db, "SET LOCAL lock_timeout = '30s'", 0, NULL, NULL);
    if (status == DB_OK)
        status = db_query(db, migration->text, 0, NULL, NULL);
    if (status == DB_OK)
        status =
            db_query(db, RECORD, 3, (const char *[]){version, migration->name, checksum}, NULL);
    return status;
}

static enum err apply_missing(struct db *db, void (*applied)(const char *name, void *context),
                              void *context, struct problem *problem) {
    size_t done = 0;
    enum err err = read_applied(db, &done, problem);
    if (err == ERR_OK && done == 0) {
        enum db_status status = db_query(db, CREATE_TABLE, 0, NULL, NULL);
        if (status != DB_OK)
            err = refuse(db, status, "cannot make the table schema_migration", problem);
    }
    for (size_t i = done; err == ERR_OK && i < embedded_migrations_count; i++) {
        /* The body only reads it; the callback's type is shared with those that write. */
        void *migration = (void *)(uintptr_t)&embedded_migrations[i];
        enum db_status status = db_transaction(db, DB_WRITE, apply_one, migration);
        if (status != DB_OK) {
            char doing[128];
            snprintf(doing, sizeof doing, "migration %s failed", embedded_migrations[i].name);
            err = refuse(db, status, doing, problem);
        } else if (applied != NULL) {
            applied(embedded_migrations[i].name, context);
        }
    }
    return err;
}

enum err migrate_run(struct db *db, void (*applied)(const char *name, void *context), void *context,
                     struct problem *problem) {
    enum db_status status = db_ready(db);
    if (status == DB_OK)
        status = db_query(db, LOCK, 0, NULL, NULL);
    if (status != DB_OK)
        return refuse(db, status, "cannot reach the database", problem);
    enum err err = apply_missing(db, applied, context, problem);
    if (db_query(db, UNLOCK, 0, NULL, NULL) != DB_OK)
        db_close(db);
    return err;
}

enum err migrate_check(struct db *db, struct problem *problem) {
    enum db_status status = db_ready(db);
    if (status != DB_OK)
        return refuse(db, status, "cannot reach the database", problem);
    size_t done;
    enum err err = read_applied(db, &done, problem);
    if (err == ERR_OK && done < embedded_migrations_count)
        return problem_set(problem, ERR_UNAVAILABLE,
                           "the database has had %zu of this program's %zu migrations: run "
                           "`vinculo migrate` first",
                           done, embedded_migrations_count);
    return err;
}
