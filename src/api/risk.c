/* Customers in order of risk (see risk.h). */
#include "risk.h"

#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CUSTOMERS_MAX = 250000,      /* looked at for one page */
    BUDGET_US = 60 * 1000 * 1000 /* … and for so long */
};

/* A customer who may stand on the page. */
struct candidate {
    struct health health;
    char *id;
    char *json; /* the record */
};

/* Some customers, before their health is known. */
struct chunk {
    char *ids[SIGNALS_MAX];
    char *records[SIGNALS_MAX];
    size_t count;
    bool failed;
};

/* The least healthy so far: a heap whose root is the healthiest of them, the next to go. */
struct ranking {
    const struct cursor_place *after;
    struct candidate *heap;
    size_t count, capacity;
};

static void clear_candidate(struct candidate *candidate) {
    free(candidate->id);
    free(candidate->json);
}

static void clear_ranking(struct ranking *ranking) {
    for (size_t i = 0; i < ranking->count; i++) {
        clear_candidate(&ranking->heap[i]);
    }
    free(ranking->heap);
}

static void clear_chunk(struct chunk *chunk) {
    for (size_t i = 0; i < chunk->count; i++) {
        free(chunk->ids[i]);
        free(chunk->records[i]);
    }
    chunk->count = 0;
}

#define RANKING_SCOPED __attribute__((cleanup(clear_ranking))) struct ranking
#define CHUNK_SCOPED __attribute__((cleanup(clear_chunk))) struct chunk

static int compare(int score, const char *id, int other_score, const char *other_id) {
    return score != other_score ? score - other_score : strcmp(id, other_id);
}

static int compare_candidates(const void *left, const void *right) {
    const struct candidate *a = left, *b = right;
    return compare(a->health.score, a->id, b->health.score, b->id);
}

static void swap(struct candidate *a, struct candidate *b) {
    struct candidate kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_down(struct ranking *ranking) {
    size_t at = 0;
    for (size_t child = 1; child < ranking->count; child = 2 * at + 1) {
        if (child + 1 < ranking->count &&
            compare_candidates(&ranking->heap[child + 1], &ranking->heap[child]) > 0) {
            child++;
        }
        if (compare_candidates(&ranking->heap[at], &ranking->heap[child]) >= 0) {
            break;
        }
        swap(&ranking->heap[at], &ranking->heap[child]);
        at = child;
    }
}

static void sift_up(struct ranking *ranking) {
    size_t at = ranking->count - 1;
    while (at > 0 && compare_candidates(&ranking->heap[at], &ranking->heap[(at - 1) / 2]) > 0) {
        swap(&ranking->heap[at], &ranking->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

/* Takes the texts over where the candidate has a place, and leaves NULL in theirs. */
static void offer(struct ranking *ranking, const struct health *health, char **id, char **json) {
    const struct cursor_place *after = ranking->after;
    if (after != NULL && compare(health->score, *id, after->score, after->id) <= 0) {
        return;
    }
    struct candidate candidate = {.health = *health, .id = *id, .json = *json};
    if (ranking->count < ranking->capacity) {
        ranking->heap[ranking->count++] = candidate;
        sift_up(ranking);
    } else if (compare_candidates(&candidate, &ranking->heap[0]) < 0) {
        clear_candidate(&ranking->heap[0]);
        ranking->heap[0] = candidate;
        sift_down(ranking);
    } else {
        return;
    }
    *id = NULL;
    *json = NULL;
}

static bool take_customer(void *context, const struct record *record) {
    struct chunk *chunk = context;
    struct buf json = {0};
    record_write_json(&json, record);
    char *id = strdup(record_id(record));
    chunk->failed = chunk->failed || id == NULL || !buf_ok(&json);
    chunk->ids[chunk->count] = id;
    chunk->records[chunk->count++] = json.data; /* taken over */
    return !chunk->failed;
}

static enum err out_of_memory(struct problem *problem) {
    return problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
}

static enum err check_bounds(struct call *call, size_t looked_at, int64_t until_us) {
    if (looked_at > CUSTOMERS_MAX) {
        return problem_add_parameter(
            &call->problem, ERR_UNSUPPORTED_COMBINATION, "order",
            "More than %d customers fit: narrow the list by segment, channel, from or to.",
            CUSTOMERS_MAX);
    }
    if (clock_monotonic_us() > until_us) {
        return problem_set(&call->problem, ERR_UNAVAILABLE,
                           "Putting so many customers in order took too long; narrow the list by "
                           "segment, channel, from or to.");
    }
    return ERR_OK;
}

static void rank_chunk(struct ranking *ranking, struct chunk *chunk,
                       const struct health_signals *signals) {
    for (size_t i = 0; i < chunk->count; i++) {
        struct health health;
        if (health_state(&signals[i]) == HEALTH_ACTIVE) {
            health_compute(&signals[i], &health);
            offer(ranking, &health, &chunk->ids[i], &chunk->records[i]);
        }
    }
}

/* Reads the next customers: as many as one statement of signals takes. */
static enum err read_chunk(struct call *call, struct db *db, struct record_list *customers,
                           struct chunk *chunk) {
    enum err err = ERR_OK;
    while (err == ERR_OK && !customers->ended && chunk->count + LIST_ROWS_MAX <= SIGNALS_MAX) {
        err = record_list_next(db, customers, LIST_ROWS_MAX, take_customer, chunk, &call->problem);
        if (err == ERR_OK && chunk->failed) {
            err = out_of_memory(&call->problem);
        }
    }
    return err;
}

/* Looks at all customers. */
static enum err rank(struct call *call, struct db *db, struct record_list *customers, int64_t at_us,
                     struct ranking *ranking, struct health_signals signals[SIGNALS_MAX]) {
    bool scheduled = call_parameter(call, "at") == NULL;
    int64_t until_us = clock_monotonic_us() + BUDGET_US;
    enum err err = ERR_OK;
    size_t looked_at = 0;
    while (err == ERR_OK && !customers->ended) {
        CHUNK_SCOPED chunk = {0};
        err = read_chunk(call, db, customers, &chunk);
        looked_at += chunk.count;
        if (err == ERR_OK) {
            err = check_bounds(call, looked_at, until_us);
        }
        if (err == ERR_OK && chunk.count > 0) {
            err = relationship_signals(db, call->grant.workspace_id, (const char *const *)chunk.ids,
                                       chunk.count, at_us, scheduled, signals, &call->problem);
        }
        if (err == ERR_OK) {
            rank_chunk(ranking, &chunk, signals);
        }
    }
    return err;
}

void risk_write_health(struct buf *out, const struct health *health) {
    json_key(out, "health");
    if (health == NULL) {
        json_put_null(out);
    } else {
        json_put_int(out, health->score);
    }
    json_key(out, "reasons");
    json_begin_array(out);
    for (size_t i = 0; health != NULL && i < health->count; i++) {
        BUF_SCOPED sentence = {0};
        health_write_sentence(&sentence, health, i);
        json_begin_object(out);
        json_key(out, "code");
        json_put_text(out, health->rules[i]->code);
        json_key(out, "sentence");
        json_put_text(out, buf_text(&sentence));
        json_key(out, "points");
        json_put_int(out, health->rules[i]->points);
        json_end_object(out);
        out->failed = out->failed || !buf_ok(&sentence);
    }
    json_end_array(out);
}

static void write_page(struct call *call, const struct ranking *ranking, int64_t at_us,
                       size_t limit) {
    struct buf *body = call_reply_json(call, 200);
    char moment[TIMESTAMP_TEXT_MAX];
    timestamp_format(at_us, moment);
    json_begin_object(body);
    json_key(body, "at");
    json_put_text(body, moment);
    json_key(body, "items");
    json_begin_array(body);
    for (size_t i = 0; i < ranking->count && i < limit; i++) {
        const struct candidate *candidate = &ranking->heap[i];
        json_begin_object(body);
        json_key(body, "customer");
        json_put_raw(body, candidate->json, strlen(candidate->json));
        risk_write_health(body, &candidate->health);
        json_end_object(body);
    }
    json_end_array(body);
    json_key(body, "next_cursor");
    if (ranking->count > limit) {
        const struct candidate *last = &ranking->heap[limit - 1];
        struct cursor_place place = {.time_us = at_us, .score = last->health.score};
        snprintf(place.id, sizeof place.id, "%s", last->id);
        buf_add_char(body, '"');
        cursor_write(body, call, &place, limit);
        buf_add_char(body, '"');
    } else {
        json_put_null(body);
    }
    json_end_object(body);
    buf_add_char(body, '\n');
}

enum err risk_page(struct call *call, struct db *db, struct record_list *customers,
                   const struct list_bound *at, const struct cursor_place *after, size_t limit) {
    RANKING_SCOPED ranking = {.after = after, .capacity = limit + 1};
    int64_t at_us = 0;
    enum err err = ERR_OK;
    struct health_signals *signals = calloc(SIGNALS_MAX, sizeof *signals);
    ranking.heap = calloc(ranking.capacity, sizeof *ranking.heap);
    if (ranking.heap == NULL || signals == NULL) {
        free(signals);
        return out_of_memory(&call->problem);
    }
    if (after != NULL) { /* further pages look at the same moment */
        at_us = after->time_us;
    } else {
        err = relationship_moment(db, call->grant.workspace_id, at, &at_us, &call->problem);
    }
    if (err == ERR_OK) {
        err = rank(call, db, customers, at_us, &ranking, signals);
    }
    free(signals);
    if (err == ERR_OK) {
        qsort(ranking.heap, ranking.count, sizeof *ranking.heap, compare_candidates);
        write_page(call, &ranking, at_us, limit);
    }
    return err;
}
