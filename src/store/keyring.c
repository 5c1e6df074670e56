/* Keys: made, hashed, and a copy of all of them in memory that follows the database. */
#include "vinculo/keyring.h"

#include "origin.h"
#include "vinculo/log.h"
#include "vinculo/timed_wait.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    KEY_RANDOM_BYTES = 32,
    KEY_HASH_HEX = 2 * KEY_HASH_BYTES,
    RETRY_MS = 200,    /* between attempts while the database is away */
    REFRESH_MS = 10000 /* reading everything again is also the proof that the connection lives */
};

/* Origins are null where there are none, so that an odd list can never read as "anywhere". The
 * bounds keep infinity out of the cast. Bytes compare in PostgreSQL as in memcmp. */
static const char LIST[] =
    "SELECT encode(k.hash, 'hex'), k.workspace_id, k.scope,"
    " CASE WHEN cardinality(k.origins) > 0 THEN array_to_string(k.origins, ' ', '-') END,"
    " (extract(epoch FROM greatest(least(k.expires_at, '3000-01-01Z'), '1970-01-01Z'))"
    "  * 1000000)::bigint, w.currency"
    " FROM api_key k JOIN workspace w ON w.id = k.workspace_id ORDER BY k.hash";

static const char *const scope_names[SCOPE_COUNT] = {
    [SCOPE_PUBLISHABLE] = "publishable",
    [SCOPE_FIGURES] = "figures",
    [SCOPE_READ] = "read",
    [SCOPE_WRITE] = "write",
    [SCOPE_ADMIN] = "admin",
};

struct key {
    unsigned char hash[KEY_HASH_BYTES];
    struct grant grant;
    int64_t expires_us; /* INT64_MAX: never */
    char *origins;      /* owned; spaces between; NULL: from anywhere */
};

/* Sorted by hash. */
struct key_table {
    size_t count;
    struct key keys[];
};

struct keyring {
    pthread_t thread;
    int stop_fd; /* readable once the thread shall end */
    struct db *db;
    pthread_mutex_t load_lock; /* from a load's query to its end: no older one comes after it */
    pthread_rwlock_t table_lock;
    struct key_table *table; /* NULL until the first load */
    pthread_mutex_t start_lock;
    pthread_cond_t loaded;
    bool is_loaded;
};

const char *scope_name(enum scope scope) {
    assert((unsigned)scope < SCOPE_COUNT);
    return scope_names[scope];
}

bool scope_parse(const char *text, enum scope *ret_scope) {
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (strcmp(text, scope_names[i]) == 0) {
            *ret_scope = (enum scope)i;
            return true;
        }
    }
    return false;
}

void key_make(char ret_key[KEY_TEXT_MAX]) {
    static const char PREFIX[] = "vk_";
    unsigned char random[KEY_RANDOM_BYTES];
    int ready = sodium_init();
    assert(ready >= 0);
    (void)ready;
    randombytes_buf(random, sizeof random);
    memcpy(ret_key, PREFIX, sizeof PREFIX);
    sodium_bin2base64(ret_key + sizeof PREFIX - 1, KEY_TEXT_MAX - sizeof PREFIX + 1, random,
                      sizeof random, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(random, sizeof random);
}

void key_hash(const char *key, size_t length, unsigned char ret_hash[KEY_HASH_BYTES]) {
    crypto_generichash(ret_hash, KEY_HASH_BYTES, (const unsigned char *)key, length, NULL, 0);
}

static void table_free(struct key_table *table) {
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->keys[i].origins);
    free(table);
}

enum row { ROW_TAKEN, ROW_SKIPPED, ROW_FAILED };

static enum row read_row(const PGresult *rows, int row, struct key *ret_key) {
    const char *hash = PQgetvalue(rows, row, 0);
    struct key key = {.expires_us = INT64_MAX};
    /* A scope that only a newer program knows opens nothing here. */
    if (sodium_hex2bin(key.hash, KEY_HASH_BYTES, hash, KEY_HASH_HEX, NULL, NULL, NULL) != 0 ||
        !scope_parse(PQgetvalue(rows, row, 2), &key.grant.scope))
        return ROW_SKIPPED;
    key.grant.workspace_id = (int)strtol(PQgetvalue(rows, row, 1), NULL, 10);
    snprintf(key.grant.currency, sizeof key.grant.currency, "%s", PQgetvalue(rows, row, 5));
    if (!PQgetisnull(rows, row, 4))
        key.expires_us = strtoll(PQgetvalue(rows, row, 4), NULL, 10);
    if (!PQgetisnull(rows, row, 3)) {
        key.origins = strdup(PQgetvalue(rows, row, 3));
        if (key.origins == NULL)
            return ROW_FAILED;
    }
    *ret_key = key;
    return ROW_TAKEN;
}

/* NULL where memory is short. */
static struct key_table *read_table(const PGresult *rows) {
    int count = PQntuples(rows);
    struct key_table *table = calloc(1, sizeof *table + (size_t)count * sizeof *table->keys);
    if (table == NULL)
        return NULL;
    for (int row = 0; row < count; row++) {
        switch (read_row(rows, row, &table->keys[table->count])) {
        case ROW_TAKEN:
            table->count++;
            break;
        case ROW_SKIPPED:
            break;
        case ROW_FAILED:
            table_free(table);
            return NULL;
        }
    }
    return table;
}

/* Under the load lock. */
static bool load_locked(struct keyring *keyring, struct db *db) {
    DB_RESULT *rows = NULL;
    if (db_query(db, LIST, 0, NULL, &rows) != DB_OK)
        return false;
    struct key_table *table = read_table(rows);
    if (table == NULL)
        return false;
    pthread_rwlock_wrlock(&keyring->table_lock);
    struct key_table *former = keyring->table;
    keyring->table = table;
    pthread_rwlock_unlock(&keyring->table_lock);
    table_free(former);
    return true;
}

static bool load(struct keyring *keyring, struct db *db) {
    pthread_mutex_lock(&keyring->load_lock);
    bool loaded = load_locked(keyring, db);
    pthread_mutex_unlock(&keyring->load_lock);
    return loaded;
}

void keyring_refresh(struct keyring *keyring, struct db *db) {
    if (!load(keyring, db))
        log_event(LOG_WARN, "keyring_not_refreshed", LOG_STR("detail", db_message(db)));
}

/* True where something was notified since the last call. */
static bool take_notifications(struct db *db) {
    bool any = false;
    PGnotify *notification;
    while ((notification = PQnotifies(db_connection(db))) != NULL) {
        PQfreemem(notification);
        any = true;
    }
    return any;
}

static bool connect_and_load(struct keyring *keyring) {
    if (db_ready(keyring->db) != DB_OK ||
        db_query(keyring->db, "LISTEN vinculo_keys", 0, NULL, NULL) != DB_OK ||
        !load(keyring, keyring->db))
        return false;
    pthread_mutex_lock(&keyring->start_lock);
    keyring->is_loaded = true;
    pthread_cond_broadcast(&keyring->loaded);
    pthread_mutex_unlock(&keyring->start_lock);
    return true;
}

enum waited { WAITED_STOP, WAITED_TIMEOUT, WAITED_SOCKET };

static enum waited wait_for(const struct keyring *keyring, int socket, int timeout_ms) {
    struct pollfd fds[] = {{.fd = keyring->stop_fd, .events = POLLIN},
                           {.fd = socket, .events = POLLIN}};
    int ready = poll(fds, 2, timeout_ms); /* a negative socket is left out */
    if (fds[0].revents != 0)
        return WAITED_STOP;
    return ready > 0 ? WAITED_SOCKET : WAITED_TIMEOUT;
}

/* Returns when it is time to load again, or to stop (false). */
static bool wait_for_change(const struct keyring *keyring) {
    /* Notifications may have come with the last answer: those lie in memory, not in the socket. */
    while (!take_notifications(keyring->db)) {
        PGconn *connection = db_connection(keyring->db);
        enum waited waited = wait_for(keyring, PQsocket(connection), REFRESH_MS);
        if (waited == WAITED_STOP)
            return false;
        if (waited == WAITED_TIMEOUT || !PQconsumeInput(connection))
            return true; /* the load shows whether the connection still works */
    }
    return true;
}

/* Keeps the table current until the connection breaks (true) or the thread shall stop (false). */
static bool follow(struct keyring *keyring) {
    do {
        if (!wait_for_change(keyring))
            return false;
    } while (load(keyring, keyring->db));
    return true;
}

static void *keyring_main(void *argument) {
    struct keyring *keyring = argument;
    bool was_away = false;
    do {
        bool connected = connect_and_load(keyring);
        if (connected && was_away)
            log_event(LOG_INFO, "keyring_connected");
        if (connected && !follow(keyring))
            break;
        if (connected || !was_away) /* once per outage */
            log_event(LOG_WARN, "keyring_disconnected", LOG_STR("detail", db_message(keyring->db)));
        was_away = true;
        db_close(keyring->db);
    } while (wait_for(keyring, -1, RETRY_MS) != WAITED_STOP);
    db_close(keyring->db);
    return NULL;
}

static void keyring_free(struct keyring *keyring) {
    if (keyring->stop_fd >= 0)
        close(keyring->stop_fd);
    db_free(keyring->db);
    table_free(keyring->table);
    pthread_mutex_destroy(&keyring->load_lock);
    pthread_rwlock_destroy(&keyring->table_lock);
    pthread_mutex_destroy(&keyring->start_lock);
    pthread_cond_destroy(&keyring->loaded);
    free(keyring);
}

static void init_locks(struct keyring *keyring) {
    pthread_mutex_init(&keyring->load_lock, NULL);
    /* By default a stream of readers could keep a revoked key alive. */
    pthread_rwlockattr_t fair;
    pthread_rwlockattr_init(&fair);
    pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&keyring->table_lock, &fair);
    pthread_rwlockattr_destroy(&fair);
    pthread_mutex_init(&keyring->start_lock, NULL);
    cond_init(&keyring->loaded);
}

static enum err keyring_new(const struct db_options *database, struct keyring **ret_keyring,
                            struct problem *problem) {
    struct keyring *keyring = calloc(1, sizeof *keyring);
    if (keyring == NULL || sodium_init() < 0) {
        free(keyring);
        return problem_set(problem, ERR_UNAVAILABLE, "cannot start the keyring: out of memory");
    }
    /* Only a server that takes writes sends notifications; its statement is not a prepared one. */
    struct db_options options = *database;
    options.prepare = false;
    options.read_write = true;
    init_locks(keyring);
    keyring->db = db_new(&options);
    keyring->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (keyring->db == NULL || keyring->stop_fd < 0) {
        keyring_free(keyring);
        return problem_set(problem, ERR_UNAVAILABLE,
                           "cannot start the keyring: no memory or file descriptor left");
    }
    *ret_keyring = keyring;
    return ERR_OK;
}

static bool wait_until_loaded(struct keyring *keyring, int timeout_ms) {
    int64_t end_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    bool in_time = true;
    pthread_mutex_lock(&keyring->start_lock);
    while (!keyring->is_loaded && in_time)
        in_time = cond_wait_until(&keyring->loaded, &keyring->start_lock, end_us);
    bool is_loaded = keyring->is_loaded;
    pthread_mutex_unlock(&keyring->start_lock);
    return is_loaded;
}

/* Ends the thread; the connection's last message can be read afterwards. */
static void join(struct keyring *keyring) {
    uint64_t one = 1;
    ssize_t written = write(keyring->stop_fd, &one, sizeof one);
    assert(written == sizeof one);
    (void)written;
    pthread_join(keyring->thread, NULL);
}

enum err keyring_start(const struct db_options *database, struct keyring **ret_keyring,
                       struct problem *problem) {
    struct keyring *keyring = NULL;
    enum err err = keyring_new(database, &keyring, problem);
    if (err != ERR_OK)
        return err;
    int error = pthread_create(&keyring->thread, NULL, keyring_main, keyring);
    if (error != 0) {
        keyring_free(keyring);
        return problem_set(problem, ERR_UNAVAILABLE, "cannot start the keyring's thread: %s",
                           strerror(error));
    }
    if (!wait_until_loaded(keyring, database->timeout_ms)) {
        join(keyring);
        err = problem_set(problem, ERR_UNAVAILABLE,
                          "cannot read the keys from the database within %d ms: %s",
                          database->timeout_ms, db_message(keyring->db));
        keyring_free(keyring);
        return err;
    }
    *ret_keyring = keyring;
    return ERR_OK;
}

void keyring_stop(struct keyring *keyring) {
    if (keyring == NULL)
        return;
    join(keyring);
    keyring_free(keyring);
}

static int compare_hash(const void *hash, const void *key) {
    return memcmp(hash, ((const struct key *)key)->hash, KEY_HASH_BYTES);
}

static bool is_from(const struct key *key, const char *origin) {
    if (key->origins == NULL || origin == NULL)
        return true;
    for (const char *at = key->origins; *at != '\0';) {
        char allowed[ORIGIN_TEXT_MAX];
        size_t length = strcspn(at, " ");
        if (length < sizeof allowed) {
            memcpy(allowed, at, length);
            allowed[length] = '\0';
            if (origin_matches(allowed, origin))
                return true;
        }
        at += length + (at[length] == ' ' ? 1 : 0);
    }
    return false;
}

enum key_answer keyring_check(struct keyring *keyring, const char *key, size_t length,
                              const char *origin, struct grant *ret_grant) {
    if (length >= KEY_TEXT_MAX)
        return KEY_UNKNOWN;
    unsigned char hash[KEY_HASH_BYTES];
    key_hash(key, length, hash);
    enum key_answer answer = KEY_UNKNOWN;
    pthread_rwlock_rdlock(&keyring->table_lock);
    const struct key_table *table = keyring->table;
    const struct key *found =
        bsearch(hash, table->keys, table->count, sizeof *table->keys, compare_hash);
    if (found != NULL && timestamp_now() < found->expires_us) {
        answer = is_from(found, origin) ? KEY_GRANTED : KEY_WRONG_ORIGIN;
        if (answer == KEY_GRANTED)
            *ret_grant = found->grant;
    }
    pthread_rwlock_unlock(&keyring->table_lock);
    return answer;
}
