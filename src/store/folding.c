/* Adding changes to the totals (see vinculo/folding.h). */
#include "vinculo/folding.h"

#include "vinculo/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    /* So many changes are folded at once that what this costs is shared by them, and so few wait
     * that readers, who add them up, do not notice. */
    PAUSE_MS = 200,
    RECONNECT_MS = 500
};

struct folding {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    bool failing; /* told once */
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
    bool more;
};

static enum db_status run_fold(struct db *db, void *context) {
    struct fold *fold = context;
    const char *values[] = {fold->workspace};
    /* A lost fold loses nothing: its changes are still there. */
    enum db_status status = db_query(db, "SET LOCAL synchronous_commit = off", 0, NULL, NULL);
    DB_RESULT *row = NULL;
    if (status == DB_OK) {
        status = db_run(db, "totals_fold", 1, values, &row);
    }
    fold->more = status == DB_OK && PQgetvalue(row, 0, 0)[0] == 't';
    return status;
}

static enum db_status fold_workspaces(struct folding *folding) {
    DB_RESULT *rows = NULL;
    enum db_status status = db_ready(folding->db);
    if (status == DB_OK) {
        status = db_run(folding->db, "unfolded", 0, NULL, &rows);
    }
    for (int row = 0; status == DB_OK && row < PQntuples(rows); row++) {
        struct fold fold = {.workspace = PQgetvalue(rows, row, 0)};
        do {
            status = db_transaction(folding->db, DB_WRITE, run_fold, &fold);
        } while (status == DB_OK && fold.more && !is_stopping(folding));
    }
    return status;
}

static void report(struct folding *folding, bool failing) {
    if (failing && !folding->failing) {
        log_event(LOG_WARN, "fold_failed", LOG_STR("sqlstate", db_sqlstate(folding->db)),
                  LOG_STR("detail", db_message(folding->db)));
    }
    folding->failing = failing;
}

static void *folding_main(void *argument) {
    struct folding *folding = argument;
    bool stopping = false;
    while (!stopping) {
        bool failing = fold_workspaces(folding) != DB_OK;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (failing ? RECONNECT_MS : PAUSE_MS) * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_mutex_lock(&folding->lock);
        if (!folding->stopping) {
            pthread_cond_timedwait(&folding->changed, &folding->lock, &until);
        }
        stopping = folding->stopping;
        pthread_mutex_unlock(&folding->lock);
        if (!stopping) {
            report(folding, failing);
        }
    }
    return NULL;
}

enum err folding_start(const struct db_options *database, struct folding **ret_folding,
                       struct problem *problem) {
    struct folding *folding = calloc(1, sizeof *folding);
    if (folding == NULL || (folding->db = db_new(database)) == NULL) {
        free(folding);
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory.");
    }
    pthread_mutex_init(&folding->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&folding->changed, &attributes);
    pthread_condattr_destroy(&attributes);
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
