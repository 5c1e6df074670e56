/* Adding changes to the totals (see vinculo/folding.h). */
#include "vinculo/folding.h"

#include "vinculo/log.h"
#include "vinculo/timed_wait.h"
#include "vinculo/timestamp.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    /* So many changes are folded at once that what this costs is shared by them, and so few wait
     * that readers, who add them up, do not notice. */
    PAUSE_US = 200 * 1000,
    RETRY_US = 1000 * 1000,
    IDLE_FACTOR = 4 /* at it for a fifth of the time at most */
};

struct folding {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    bool failing; /* told once */
    int timeout_ms;
    struct db *db;
};

static bool is_stopping(struct folding *folding) {
    pthread_mutex_lock(&folding->lock);
    bool stopping = folding->stopping;
    pthread_mutex_unlock(&folding->lock);
    return stopping;
}

struct fold {
    const char *workspace;
    int timeout_ms;
    bool more;
};

static enum db_status run_fold(struct db *db, void *context) {
    struct fold *fold = context;
    const char *values[] = {fold->workspace};
    DB_RESULT *row = NULL;
    enum db_status status = db_allow(db, fold->timeout_ms);
    if (status == DB_OK) {
        /* A lost fold loses nothing: its changes are still there. */
        status = db_query(db, "SET LOCAL synchronous_commit = off", 0, NULL, NULL);
    }
    if (status == DB_OK) {
        status = db_run(db, "totals_fold", 1, values, &row);
    }
    fold->more = status == DB_OK && db_is_true(row, 0, 0);
    return status;
}

/* One fold of each workspace that needs it; *ret_more: one has more changes. What fails in one
 * workspace is no reason to leave the others. */
static enum db_status fold_workspaces(struct folding *folding, bool *ret_more) {
    DB_RESULT *rows = NULL;
    *ret_more = false;
    enum db_status worst = db_ready(folding->db);
    if (worst == DB_OK) {
        worst = db_run(folding->db, "unfolded", 0, NULL, &rows);
    }
    for (int row = 0; row < PQntuples(rows) && worst != DB_LOST && !is_stopping(folding); row++) {
        struct fold fold = {.workspace = PQgetvalue(rows, row, 0),
                            .timeout_ms = folding->timeout_ms};
        enum db_status status = db_transaction(folding->db, DB_WRITE, run_fold, &fold);
        worst = status == DB_OK ? worst : status;
        *ret_more = *ret_more || fold.more;
    }
    return worst;
}

static void report(struct folding *folding, bool failing) {
    if (failing && !folding->failing) {
        log_event(LOG_WARN, "fold_failed", LOG_STR("sqlstate", db_sqlstate(folding->db)),
                  LOG_STR("detail", db_message(folding->db)));
    }
    folding->failing = failing;
}

/* Where much waits, writers fold what they write, and for that this thread must let go for as long
 * as it was at it. Of many workspaces each has little: less often it costs less. */
static long pause_us(bool failing, bool more, int64_t took_us) {
    long least_us = failing ? RETRY_US : PAUSE_US;
    long idle_us = (long)took_us * IDLE_FACTOR;
    return more ? (long)took_us : idle_us > least_us ? idle_us : least_us;
}

static void *folding_main(void *argument) {
    struct folding *folding = argument;
    bool stopping = false;
    while (!stopping) {
        bool more;
        int64_t began_us = clock_monotonic_us();
        bool failing = fold_workspaces(folding, &more) != DB_OK;
        long wait_us = pause_us(failing, more, clock_monotonic_us() - began_us);
        pthread_mutex_lock(&folding->lock);
        if (!folding->stopping) {
            cond_wait_until(&folding->changed, &folding->lock, clock_monotonic_us() + wait_us);
        }
        stopping = folding->stopping;
        pthread_mutex_unlock(&folding->lock);
        if (!stopping) {
            report(folding, failing);
        }
    }
    return NULL;
}

enum err folding_start(const struct db_options *database, int timeout_ms,
                       struct folding **ret_folding, struct problem *problem) {
    struct folding *folding = calloc(1, sizeof *folding);
    if (folding == NULL || (folding->db = db_new(database)) == NULL) {
        free(folding);
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory.");
    }
    folding->timeout_ms = timeout_ms;
    pthread_mutex_init(&folding->lock, NULL);
    cond_init(&folding->changed);
    if (pthread_create(&folding->thread, NULL, folding_main, folding) != 0) {
        db_free(folding->db);
        free(folding);
        return problem_set(problem, ERR_UNAVAILABLE, "Cannot start the folding thread.");
    }
    *ret_folding = folding;
    return ERR_OK;
}

void folding_stop(struct folding *folding) {
    if (folding == NULL) {
        return;
    }
    pthread_mutex_lock(&folding->lock);
    folding->stopping = true;
    pthread_cond_signal(&folding->changed);
    pthread_mutex_unlock(&folding->lock);
    db_abandon(folding->db);
    pthread_join(folding->thread, NULL);
    db_free(folding->db);
    pthread_cond_destroy(&folding->changed);
    pthread_mutex_destroy(&folding->lock);
    free(folding);
}
