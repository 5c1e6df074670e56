/* Asking for the versions of the workspaces whose answers are kept (see vinculo/versions.h). */
#include "vinculo/versions.h"

#include "vinculo/buf.h"
#include "vinculo/timestamp.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    POLL_MS = 40,
    RECONNECT_MS = 500,
    KNOWN_US = 90 * 1000,          /* since the question was sent */
    WATCHED_US = 60 * 1000 * 1000, /* since it was last looked for */
    WATCHED_MAX = 1024             /* beyond, the one longest not looked for goes */
};

struct watched {
    int workspace_id; /* 0: free */
    int64_t version;  /* −1: not known */
    int64_t asked_us; /* when it was asked for */
    uint64_t commits; /* of this instance by then */
    int64_t wanted_us;
};

struct versions {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    bool idle; /* nothing is watched: the thread sleeps */
    struct watched table[WATCHED_MAX];
    size_t count;
    struct db *db;
};

static struct watched *find(struct versions *versions, int workspace_id) {
    for (size_t i = 0; i < versions->count; i++) {
        if (versions->table[i].workspace_id == workspace_id)
            return &versions->table[i];
    }
    return NULL;
}

static void watch(struct versions *versions, int workspace_id, int64_t now_us) {
    size_t place = versions->count;
    if (place == WATCHED_MAX) {
        place = 0;
        for (size_t i = 1; i < WATCHED_MAX; i++) {
            if (versions->table[i].wanted_us < versions->table[place].wanted_us)
                place = i;
        }
    } else {
        versions->count++;
    }
    versions->table[place] =
        (struct watched){.workspace_id = workspace_id, .version = -1, .wanted_us = now_us};
    if (versions->idle)
        pthread_cond_signal(&versions->changed);
}

bool versions_are_current(struct versions *versions, int workspace_id, int64_t version) {
    int64_t now_us = clock_monotonic_us();
    pthread_mutex_lock(&versions->lock);
    struct watched *watched = find(versions, workspace_id);
    if (watched == NULL)
        watch(versions, workspace_id, now_us);
    else
        watched->wanted_us = now_us;
    bool current = watched != NULL && watched->version == version &&
                   now_us - watched->asked_us <= KNOWN_US && watched->commits == db_commits();
    pthread_mutex_unlock(&versions->lock);
    return current;
}

/* Drops what nobody has looked for lately, and lists the rest. */
static bool list_watched(struct versions *versions, struct buf *out) {
    int64_t now_us = clock_monotonic_us();
    size_t kept = 0;
    pthread_mutex_lock(&versions->lock);
    for (size_t i = 0; i < versions->count; i++) {
        if (now_us - versions->table[i].wanted_us < WATCHED_US) {
            versions->table[kept] = versions->table[i];
            buf_printf(out, "%s%d", kept == 0 ? "{" : ",", versions->table[kept].workspace_id);
            kept++;
        }
    }
    versions->count = kept;
    pthread_mutex_unlock(&versions->lock);
    buf_add_char(out, '}');
    return kept > 0 && buf_ok(out);
}

static void take_versions(struct versions *versions, const PGresult *rows, int64_t asked_us,
                          uint64_t commits) {
    pthread_mutex_lock(&versions->lock);
    for (int row = 0; row < PQntuples(rows); row++) {
        struct watched *watched = find(versions, atoi(PQgetvalue(rows, row, 0)));
        if (watched != NULL) {
            watched->version = strtoll(PQgetvalue(rows, row, 1), NULL, 10);
            watched->asked_us = asked_us;
            watched->commits = commits;
        }
    }
    pthread_mutex_unlock(&versions->lock);
}

/* How long to wait then; 0 where nothing is watched. */
static int poll_versions(struct versions *versions) {
    BUF_SCOPED watched = {0};
    if (!list_watched(versions, &watched))
        return 0;
    const char *values[] = {buf_text(&watched)};
    /* Before the question: a commit after it may not be in the answer. */
    uint64_t commits = db_commits();
    int64_t asked_us = clock_monotonic_us();
    DB_RESULT *rows = NULL;
    if (db_ready(versions->db) != DB_OK ||
        db_run(versions->db, "data_versions", 1, values, &rows) != DB_OK)
        return RECONNECT_MS;
    take_versions(versions, rows, asked_us, commits);
    return POLL_MS;
}

static void *versions_main(void *argument) {
    struct versions *versions = argument;
    while (true) {
        int wait_ms = poll_versions(versions);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += wait_ms * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_mutex_lock(&versions->lock);
        versions->idle = wait_ms == 0 && versions->count == 0;
        while (!versions->stopping && versions->idle && versions->count == 0)
            pthread_cond_wait(&versions->changed, &versions->lock);
        if (!versions->stopping && !versions->idle)
            pthread_cond_timedwait(&versions->changed, &versions->lock, &until);
        versions->idle = false;
        bool stopping = versions->stopping;
        pthread_mutex_unlock(&versions->lock);
        if (stopping)
            return NULL;
    }
}

enum err versions_start(const struct db_options *database, struct versions **ret_versions,
                        struct problem *problem) {
    struct versions *versions = calloc(1, sizeof *versions);
    if (versions == NULL || (versions->db = db_new(database)) == NULL) {
        free(versions);
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory.");
    }
    pthread_mutex_init(&versions->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&versions->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&versions->thread, NULL, versions_main, versions) != 0) {
        db_free(versions->db);
        free(versions);
        return problem_set(problem, ERR_UNAVAILABLE, "Cannot start the versions' thread.");
    }
    *ret_versions = versions;
    return ERR_OK;
}

void versions_stop(struct versions *versions) {
    if (versions == NULL)
        return;
    pthread_mutex_lock(&versions->lock);
    versions->stopping = true;
    pthread_cond_signal(&versions->changed);
    pthread_mutex_unlock(&versions->lock);
    db_abandon(versions->db);
    pthread_join(versions->thread, NULL);
    db_free(versions->db);
    pthread_cond_destroy(&versions->changed);
    pthread_mutex_destroy(&versions->lock);
    free(versions);
}
