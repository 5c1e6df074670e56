/*
 * Workspaces' keys: made, hashed, stored, and kept in memory for the check of every request.
 *
 * The keyring's thread reads all keys when it connects and whenever PostgreSQL notifies it of a
 * change (within milliseconds of the commit, on every instance). While the database is away the
 * last known keys stay valid.
 */
#ifndef VINCULO_KEYRING_H
#define VINCULO_KEYRING_H

#include "vinculo/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scope { SCOPE_PUBLISHABLE, SCOPE_FIGURES, SCOPE_READ, SCOPE_WRITE, SCOPE_ADMIN, SCOPE_COUNT };

const char *scope_name(enum scope scope);
bool scope_parse(const char *text, enum scope *ret_scope);

enum { KEY_TEXT_MAX = 64, KEY_HASH_BYTES = 32, CURRENCY_TEXT_MAX = 4 };

/* "vk_" and 256 random bits in base64url; NUL-terminated. */
void key_make(char ret_key[KEY_TEXT_MAX]);
void key_hash(const char *key, size_t length, unsigned char ret_hash[KEY_HASH_BYTES]);
/* "https://example.com", "http://localhost:3000"; with https the host may begin with "*." and then
 * stands for every subdomain (not for itself). */
bool origin_is_valid(const char *origin);

struct grant {
    int workspace_id;
    enum scope scope;
    char currency[CURRENCY_TEXT_MAX]; /* the workspace's */
};

enum key_answer { KEY_GRANTED, KEY_UNKNOWN, KEY_WRONG_ORIGIN };

struct keyring;

MUST_CHECK enum err keyring_start(const struct db_options *database, struct keyring **ret_keyring,
                                  struct problem *problem);
/* Looks a key up; origin: the Origin header or NULL (then origins are not checked). */
enum key_answer keyring_check(struct keyring *keyring, const char *key, size_t length,
                              const char *origin, struct grant *ret_grant);
/* Reads the keys over the caller's own connection, so that what it has just committed holds before
 * it answers; should that fail, the notification brings the change a moment later. */
void keyring_refresh(struct keyring *keyring, struct db *db);
void keyring_stop(struct keyring *keyring);

#endif
