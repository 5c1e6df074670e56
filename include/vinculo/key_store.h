/*
 * Keys in the database: made, listed, ended, by whoever asks (the API, the command line).
 * The keyring follows by itself.
 */
#ifndef VINCULO_KEY_STORE_H
#define VINCULO_KEY_STORE_H

#include "vinculo/db.h"
#include "vinculo/keyring.h"

#include <stdbool.h>

enum { KEYS_PER_WORKSPACE_MAX = 1000, KEY_ORIGINS_MAX = 32 };

/* All checked by the caller. */
struct new_key {
    int workspace_id;
    enum scope scope;
    const char *name;       /* NULL: none */
    const char *origins;    /* spaces between; "": from anywhere */
    const char *expires_at; /* RFC 3339; NULL: never */
};

/* Only keys that may stand in a page are limited to origins. */
bool key_scope_has_origins(enum scope scope);
/* A key's id as it is listed: a UUID. */
bool key_id_is_valid(const char *text);

/* Makes a key and stores its hash. *ret_row: one row as key_store_list has them, the caller's to
 * PQclear. DB_STOP: the workspace has KEYS_PER_WORKSPACE_MAX keys already. */
MUST_CHECK enum db_status key_store_create(struct db *db, const struct new_key *key,
                                           char ret_key[KEY_TEXT_MAX], PGresult **ret_row);
/* The keys of one workspace, or with 0 of all, by workspace and age. Columns: id, workspace (its
 * name), scope, name, origins (spaces between), expires_at, created_at (RFC 3339, UTC). */
MUST_CHECK enum db_status key_store_list(struct db *db, int workspace_id, PGresult **ret_rows);
/* Ends a key of one workspace, or with 0 of any. DB_STOP: there is none of this id. */
MUST_CHECK enum db_status key_store_delete(struct db *db, int workspace_id, const char *id);

#endif
