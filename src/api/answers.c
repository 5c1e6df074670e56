/* ETags, and bodies that are kept (see answers.h). */
#include "answers.h"

#include "format.h"
#include "vinculo/timestamp.h"
#include "vinculo/versions.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* 64 MiB at most. A place holds one body; another that falls on the same place replaces it. */
enum { PLACES = 512, BODY_BYTES_MAX = 128 * 1024 };

enum { DIGEST_BYTES = 16, ETAG_TEXT_MAX = 2 * DIGEST_BYTES + 3 };

struct kept {
    unsigned char key[DIGEST_BYTES]; /* of workspace, path, query and format */
    int64_t version, until_us;       /* the workspace's day ends then */
    char etag[ETAG_TEXT_MAX];
    char *body; /* NULL: free */
    size_t length;
};

struct answers {
    pthread_mutex_t lock;
    struct kept places[PLACES];
};

struct answers *answers_new(void) {
    struct answers *answers = calloc(1, sizeof *answers);
    if (answers != NULL)
        pthread_mutex_init(&answers->lock, NULL);
    return answers;
}

void answers_free(struct answers *answers) {
    if (answers == NULL)
        return;
    for (size_t i = 0; i < PLACES; i++)
        free(answers->places[i].body);
    pthread_mutex_destroy(&answers->lock);
    free(answers);
}

static void add_text(crypto_generichash_state *state, const char *text) {
    /* With its NUL, so that neighbours cannot run into each other. */
    if (text != NULL)
        crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static void add_number(crypto_generichash_state *state, int64_t number) {
    crypto_generichash_update(state, (const unsigned char *)&number, sizeof number);
}

static void make_key(const struct call *call, unsigned char ret_key[DIGEST_BYTES]) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    add_number(&state, call->grant.workspace_id);
    add_number(&state, call->format);
    add_text(&state, call->request->path);
    for (size_t i = 0; i < call->parameter_count; i++) {
        add_text(&state, call->parameters[i].name);
        add_text(&state, call->parameters[i].value);
    }
    crypto_generichash_final(&state, ret_key, DIGEST_BYTES);
}

static void make_etag(const unsigned char key[DIGEST_BYTES], const struct kpi_clock *clock,
                      char ret_etag[ETAG_TEXT_MAX]) {
    unsigned char digest[DIGEST_BYTES];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    crypto_generichash_update(&state, key, DIGEST_BYTES);
    add_number(&state, clock->version);
    add_number(&state, clock->today);
    add_text(&state, VINCULO_VERSION); /* another version may word it otherwise */
    crypto_generichash_final(&state, digest, DIGEST_BYTES);
    ret_etag[0] = '"';
    sodium_bin2hex(ret_etag + 1, ETAG_TEXT_MAX - 1, digest, DIGEST_BYTES);
    strcpy(ret_etag + 1 + 2 * DIGEST_BYTES, "\"");
}

/* If-None-Match: `*`, or a list of entity tags, compared weakly (RFC 9110, 13.1.2). */
static bool client_has(const struct call *call, const char *etag) {
    const char *at = call->if_none_match;
    while (at != NULL && *at != '\0') {
        at += strspn(at, " \t,");
        at += strncmp(at, "W/", 2) == 0 ? 2 : 0;
        size_t length = strcspn(at, " \t,");
        if ((length == 1 && *at == '*') ||
            (length == strlen(etag) && memcmp(at, etag, length) == 0))
            return true;
        at += length;
    }
    return false;
}

static void add_headers(struct call *call, const char *etag) {
    http_reply_header(call->request, "ETag", etag);
    http_reply_header(call->request, "Cache-Control", "private, no-cache"); /* ask every time */
    http_reply_header(call->request, "Vary", "Accept, Authorization");
}

static void reply_kept(struct call *call, const struct kept *kept) {
    bool same = client_has(call, kept->etag);
    http_reply_set(call->request, same ? 304 : 200, same ? NULL : format_type(call->format));
    if (!same)
        buf_add(&call->request->reply.body, kept->body, kept->length);
    add_headers(call, kept->etag);
}

static struct kept *place_of(struct answers *answers, const unsigned char key[DIGEST_BYTES]) {
    return &answers->places[(key[0] << 8 | key[1]) % PLACES];
}

bool answers_find(struct call *call) {
    struct answers *answers = call->app->answers;
    const char *tags = http_request_header(call->request, "If-None-Match");
    unsigned char key[DIGEST_BYTES];
    call->if_none_match = tags == NULL ? NULL : strdup(tags);
    make_key(call, key);
    pthread_mutex_lock(&answers->lock);
    const struct kept *kept = place_of(answers, key);
    bool found = kept->body != NULL && memcmp(kept->key, key, DIGEST_BYTES) == 0 &&
                 timestamp_now() < kept->until_us &&
                 versions_are_current(call->app->versions, call->grant.workspace_id, kept->version);
    if (found)
        reply_kept(call, kept);
    pthread_mutex_unlock(&answers->lock);
    if (found)
        call_finish_reply(call);
    return found;
}

static void keep(struct answers *answers, struct kept *fresh, const struct buf *body) {
    if (!buf_ok(body) || body->length > BODY_BYTES_MAX)
        return;
    fresh->length = body->length;
    fresh->body = malloc(body->length);
    if (fresh->body == NULL)
        return;
    memcpy(fresh->body, body->data, body->length);
    pthread_mutex_lock(&answers->lock);
    struct kept *place = place_of(answers, fresh->key);
    free(place->body);
    *place = *fresh;
    pthread_mutex_unlock(&answers->lock);
}

void answers_keep(struct call *call, const struct kpi_clock *clock) {
    struct kept fresh = {.version = clock->version, .until_us = clock->day_ends_us};
    make_key(call, fresh.key);
    make_etag(fresh.key, clock, fresh.etag);
    keep(call->app->answers, &fresh, &call->request->reply.body);
    if (client_has(call, fresh.etag)) {
        buf_reset(&call->request->reply.body);
        http_reply_set(call->request, 304, NULL);
    }
    add_headers(call, fresh.etag);
}
