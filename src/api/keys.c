/* POST, GET /v1/keys and DELETE /v1/keys/{id}: the keys of the key's own workspace. */
#include "handlers.h"

#include "members.h"
#include "vinculo/json.h"
#include "vinculo/key_store.h"
#include "vinculo/timestamp.h"
#include "vinculo/workspace_store.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* The last moment of the year 9999. */
#define LATEST_US (INT64_C(2932897) * 86400 * MICROSECONDS_PER_SECOND - 1)

/* A key as it is asked for. */
struct wish {
    struct new_key key;
    bool has_scope;
    struct buf origins;
    char expires_at[TIMESTAMP_TEXT_MAX];
};

static void put_column(struct buf *out, const PGresult *rows, int row, const char *name) {
    int column = PQfnumber(rows, name);
    json_key(out, name);
    json_put_text(out, PQgetisnull(rows, row, column) ? NULL : PQgetvalue(rows, row, column));
}

static void put_origins(struct buf *out, const char *origins) {
    json_key(out, "origins");
    json_begin_array(out);
    while (*origins != '\0') {
        size_t length = strcspn(origins, " ");
        json_put_string(out, origins, length);
        origins += length + (origins[length] == ' ');
    }
    json_end_array(out);
}

/* key: its text where it has just been made, else NULL. */
static void put_key(struct buf *out, const PGresult *rows, int row, const char *key) {
    json_begin_object(out);
    put_column(out, rows, row, "id");
    if (key != NULL) {
        json_key(out, "key");
        json_put_text(out, key);
    }
    put_column(out, rows, row, "scope");
    put_column(out, rows, row, "name");
    put_origins(out, PQgetvalue(rows, row, PQfnumber(rows, "origins")));
    put_column(out, rows, row, "expires_at");
    put_column(out, rows, row, "created_at");
    json_end_object(out);
}

static void run_list(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    DB_RESULT *rows = NULL;
    enum db_status status = key_store_list(db, call->grant.workspace_id, &rows);
    if (status == DB_OK) {
        struct buf *body = call_reply_json(call, 200);
        json_begin_object(body);
        json_key(body, "items");
        json_begin_array(body);
        for (int row = 0; row < PQntuples(rows); row++) {
            put_key(body, rows, row, NULL);
        }
        json_end_array(body);
        json_end_object(body);
        buf_add_char(body, '\n');
    }
    call_conclude(call, db_problem(db, status, &call->problem));
}

enum http_next handle_keys_get(struct call *call) { return call_run_on_worker(call, run_list); }

static void take_scope(const json_t *json, struct wish *wish, struct problem *problem) {
    static const char ALLOWED[] = "must be read, write, admin, figures or publishable";
    if (json == NULL || json_is_null(json)) {
        problem_add_field(problem, "/scope", FIELD_REQUIRED, "%s", ALLOWED);
        return;
    }
    const char *text = members_text(json, "/scope", problem);
    wish->has_scope = text != NULL && scope_parse(text, &wish->key.scope);
    if (text != NULL && !wish->has_scope) {
        problem_add_field(problem, "/scope", FIELD_OUT_OF_RANGE, "%s", ALLOWED);
    }
}

static void take_name(const json_t *json, struct wish *wish, struct problem *problem) {
    if (json == NULL || json_is_null(json)) {
        return;
    }
    const char *text = members_text(json, "/name", problem);
    if (text == NULL) {
        return;
    }
    size_t points = 0;
    for (const char *at = text; *at != '\0'; at++) {
        points += ((unsigned char)*at & 0xC0) != 0x80;
    }
    wish->key.name = text;
    if (!name_is_valid(text)) {
        problem_add_field(
            problem, "/name", points > NAME_POINTS_MAX ? FIELD_TOO_LONG : FIELD_OUT_OF_RANGE,
            "must have 1 to %d characters, none of them a control character", NAME_POINTS_MAX);
    }
}

static void take_origins(const json_t *json, struct wish *wish, struct problem *problem) {
    if (json == NULL || json_is_null(json)) {
        return;
    }
    if (!json_is_array(json)) {
        problem_add_field(problem, "/origins", FIELD_WRONG_TYPE, "must be an array of strings");
        return;
    }
    if (json_array_size(json) > KEY_ORIGINS_MAX) {
        problem_add_field(problem, "/origins", FIELD_TOO_LONG, "must list at most %d origins",
                          KEY_ORIGINS_MAX);
        return;
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        char pointer[32];
        snprintf(pointer, sizeof pointer, "/origins/%zu", i);
        const char *origin = members_text(json_array_get(json, i), pointer, problem);
        if (origin != NULL && !origin_is_valid(origin)) {
            problem_add_field(problem, pointer, FIELD_OUT_OF_RANGE,
                              "must be scheme and host without a path, such as "
                              "https://example.com, http://localhost:3000 or "
                              "https://*.example.com");
        } else if (origin != NULL) {
            buf_printf(&wish->origins, "%s%s", i == 0 ? "" : " ", origin);
        }
    }
    if (json_array_size(json) > 0 && wish->has_scope && !key_scope_has_origins(wish->key.scope)) {
        problem_add_field(problem, "/origins", FIELD_NOT_ALLOWED_HERE,
                          "go with the scopes figures and publishable: other keys may not stand in "
                          "a page");
    }
}

static void take_expiry(const json_t *json, struct wish *wish, struct problem *problem) {
    static const char POINTER[] = "/expires_at";
    if (json == NULL || json_is_null(json)) {
        return;
    }
    int64_t moment;
    if (members_text(json, POINTER, problem) == NULL) {
        return;
    }
    if (!timestamp_parse(json_string_value(json), json_string_length(json), &moment)) {
        problem_add_field(problem, POINTER, FIELD_OUT_OF_RANGE,
                          "must be an RFC 3339 date and time with offset, such as "
                          "2027-01-31T00:00:00Z");
    } else if (moment <= timestamp_now()) {
        problem_add_field(problem, POINTER, FIELD_OUT_OF_RANGE, "must be in the future");
    } else if (moment > LATEST_US) {
        problem_add_field(problem, POINTER, FIELD_OUT_OF_RANGE, "must not be after the year 9999");
    } else {
        timestamp_format(moment, wish->expires_at);
        wish->key.expires_at = wish->expires_at;
    }
}

static enum err take_wish(struct call *call, const json_t *json, struct wish *wish) {
    static const char *const names[] = {"scope", "name", "origins", "expires_at", NULL};
    struct problem *problem = &call->problem;
    if (members_check(json, "", names, problem)) {
        take_scope(json_object_get(json, "scope"), wish, problem);
        take_name(json_object_get(json, "name"), wish, problem);
        take_origins(json_object_get(json, "origins"), wish, problem);
        take_expiry(json_object_get(json, "expires_at"), wish, problem);
    }
    wish->key.workspace_id = call->grant.workspace_id;
    wish->key.origins = buf_text(&wish->origins);
    if (!buf_ok(&wish->origins)) {
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    return problem->error_count > 0 ? ERR_INVALID_RECORD : ERR_OK;
}

static enum err create(struct call *call, struct db *db, const struct new_key *wanted) {
    char key[KEY_TEXT_MAX];
    DB_RESULT *row = NULL;
    enum db_status status = key_store_create(db, wanted, key, &row);
    if (status == DB_STOP) {
        return problem_add_field(&call->problem, "", FIELD_NOT_ALLOWED_HERE,
                                 "A workspace may have %d keys; delete some that are not used.",
                                 KEYS_PER_WORKSPACE_MAX);
    }
    if (status != DB_OK) {
        return db_problem(db, status, &call->problem);
    }
    keyring_refresh(call->app->keyring, db);
    struct buf *body = call_reply_json(call, 201);
    put_key(body, row, 0, key);
    buf_add_char(body, '\n');
    sodium_memzero(key, sizeof key);
    BUF_SCOPED location = {0};
    buf_printf(&location, "/v1/keys/%s", PQgetvalue(row, 0, PQfnumber(row, "id")));
    http_reply_header(call->request, "Location", buf_text(&location));
    http_reply_header(call->request, "Cache-Control", "no-store");
    return ERR_OK;
}

static void run_post(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct wish wish = {0};
    json_t *json = NULL;
    enum err err = record_json_parse(buf_text(&call->request->body), call->request->body.length,
                                     &json, &call->problem);
    if (err == ERR_OK) {
        err = take_wish(call, json, &wish);
    }
    if (err == ERR_OK) {
        err = create(call, db, &wish.key);
    }
    json_decref(json);
    buf_free(&wish.origins);
    call_conclude(call, err);
}

enum http_next handle_keys_post(struct call *call) { return call_run_on_worker(call, run_post); }

static void run_delete(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    enum db_status status = DB_STOP;
    if (key_id_is_valid(call->name)) {
        status = key_store_delete(db, call->grant.workspace_id, call->name);
    }
    enum err err = db_problem(db, status, &call->problem);
    if (status == DB_STOP) {
        err = problem_set(&call->problem, ERR_NOT_FOUND, "There is no key with this id.");
    } else if (status == DB_OK) {
        keyring_refresh(call->app->keyring, db);
        http_reply_set(call->request, 204, NULL);
    }
    call_conclude(call, err);
}

enum http_next handle_key_delete(struct call *call) { return call_run_on_worker(call, run_delete); }
