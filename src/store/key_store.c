/* Keys: INSERT, SELECT, DELETE. Rare, so the statements are not prepared ones. */
#include "vinculo/key_store.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { HASH_HEX = 2 * KEY_HASH_BYTES + 1, NUMBER_TEXT_MAX = 16 };

/* As JSON writes a timestamp: at most 6 decimals, none where they are zero. */
#define MOMENT(column) "to_json(" column " AT TIME ZONE 'UTC') #>> '{}' || 'Z' AS "
#define COLUMNS                                                                                    \
    "SELECT k.id, w.name AS workspace, k.scope, k.name,"                                           \
    " array_to_string(k.origins, ' ') AS origins, " MOMENT("k.expires_at") "expires_at, " MOMENT(  \
        "k.created_at") "created_at"

/* Origins have no spaces. */
static const char CREATE[] =
    "WITH k AS (INSERT INTO api_key (workspace_id, hash, scope, name, origins, expires_at)"
    " SELECT w.id, decode($2, 'hex'), $3, $4, string_to_array($5, ' '), $6::timestamptz"
    " FROM workspace w WHERE w.id = $1"
    " AND (SELECT count(*) FROM api_key o WHERE o.workspace_id = w.id) < $7::integer"
    " RETURNING *) " COLUMNS " FROM k JOIN workspace w ON w.id = k.workspace_id";
static const char LIST[] =
    COLUMNS " FROM api_key k JOIN workspace w ON w.id = k.workspace_id"
            " WHERE $1::integer IN (0, w.id) ORDER BY w.name, k.created_at, k.id";
static const char DELETE[] =
    "DELETE FROM api_key WHERE id = $1::uuid AND $2::integer IN (0, workspace_id) RETURNING id";

/* One of the statements above in a transaction of its own. */
struct statement {
    const char *sql;
    int count;
    const char *const *values;
    PGresult *rows;
};

static enum db_status run(struct db *db, void *context) {
    struct statement *statement = context;
    db_result_clear(&statement->rows);
    return db_query(db, statement->sql, statement->count, statement->values, &statement->rows);
}

bool key_scope_has_origins(enum scope scope) {
    return scope == SCOPE_FIGURES || scope == SCOPE_PUBLISHABLE;
}

bool key_id_is_valid(const char *text) {
    static const char PATTERN[] = "00000000-0000-0000-0000-000000000000";
    if (strlen(text) != sizeof PATTERN - 1)
        return false;
    for (size_t i = 0; i < sizeof PATTERN - 1; i++) {
        if ((PATTERN[i] == '-') != (text[i] == '-') ||
            strchr("0123456789abcdefABCDEF-", text[i]) == NULL)
            return false;
    }
    return true;
}

/* Hands the rows over, or with DB_STOP says that there are none. */
static enum db_status conclude(enum db_status status, struct statement *statement,
                               PGresult **ret_rows) {
    if (status == DB_OK && PQntuples(statement->rows) == 0)
        status = DB_STOP;
    *ret_rows = NULL;
    if (status == DB_OK)
        *ret_rows = statement->rows;
    else
        db_result_clear(&statement->rows);
    return status;
}

enum db_status key_store_create(struct db *db, const struct new_key *key,
                                char ret_key[KEY_TEXT_MAX], PGresult **ret_row) {
    char workspace[NUMBER_TEXT_MAX], most[NUMBER_TEXT_MAX], hex[HASH_HEX];
    unsigned char hash[KEY_HASH_BYTES];
    snprintf(workspace, sizeof workspace, "%d", key->workspace_id);
    snprintf(most, sizeof most, "%d", KEYS_PER_WORKSPACE_MAX);
    key_make(ret_key);
    key_hash(ret_key, strlen(ret_key), hash);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    const char *values[] = {workspace,       hex, scope_name(key->scope), key->name, key->origins,
                            key->expires_at, most};
    struct statement statement = {.sql = CREATE, .count = 7, .values = values};
    enum db_status status = db_transaction(db, DB_WRITE, run, &statement);
    return conclude(status, &statement, ret_row);
}

enum db_status key_store_list(struct db *db, int workspace_id, PGresult **ret_rows) {
    char workspace[NUMBER_TEXT_MAX];
    snprintf(workspace, sizeof workspace, "%d", workspace_id);
    const char *values[] = {workspace};
    struct statement statement = {.sql = LIST, .count = 1, .values = values};
    enum db_status status = db_transaction(db, DB_SNAPSHOT, run, &statement);
    if (status != DB_OK)
        db_result_clear(&statement.rows);
    *ret_rows = statement.rows;
    return status;
}

enum db_status key_store_delete(struct db *db, int workspace_id, const char *id) {
    char workspace[NUMBER_TEXT_MAX];
    snprintf(workspace, sizeof workspace, "%d", workspace_id);
    const char *values[] = {id, workspace};
    struct statement statement = {.sql = DELETE, .count = 2, .values = values};
    DB_RESULT *gone = NULL;
    enum db_status status = db_transaction(db, DB_WRITE, run, &statement);
    return conclude(status, &statement, &gone);
}
