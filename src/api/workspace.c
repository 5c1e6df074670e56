/* GET and PATCH /v1/workspace: the key's own workspace. */
#include "handlers.h"

#include "members.h"
#include "vinculo/json.h"
#include "vinculo/timestamp.h"
#include "vinculo/workspace_store.h"
#include "workspace_settings.h"

#include <stdio.h>
#include <string.h>

static void put_moment(struct buf *out, const char *name, int64_t moment) {
    char text[TIMESTAMP_TEXT_MAX];
    timestamp_format(moment, text);
    json_key(out, name);
    json_put_text(out, text);
}

static void reply_workspace(struct call *call, const struct workspace *workspace) {
    struct buf *body = call_reply_json(call, 200);
    const struct {
        const char *name, *text;
    } texts[] = {{"name", workspace->name},
                 {"timezone", workspace->timezone},
                 {"currency", workspace->currency},
                 {"language", workspace->language}};
    json_begin_object(body);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_key(body, texts[i].name);
        json_put_text(body, texts[i].text);
    }
    json_key(body, "settings");
    json_put_value(body, workspace->settings);
    put_moment(body, "created_at", workspace->created_us);
    put_moment(body, "updated_at", workspace->updated_us);
    json_end_object(body);
    buf_add_char(body, '\n');
}

static void run_get(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct workspace workspace;
    enum err err = workspace_store_read(db, call->grant.workspace_id, &workspace, &call->problem);
    if (err == ERR_OK) {
        reply_workspace(call, &workspace);
        workspace_clear(&workspace);
    }
    call_conclude(call, err);
}

enum http_next handle_workspace_get(struct call *call) { return call_run_on_worker(call, run_get); }

/* The text of a member that is sent, or NULL: not sent, or refused. */
static const char *take_text(const json_t *patch, const char *name, bool (*is_valid)(const char *),
                             const char *allowed, struct problem *problem) {
    const json_t *json = json_object_get(patch, name);
    char pointer[32];
    snprintf(pointer, sizeof pointer, "/%s", name);
    if (json == NULL) {
        return NULL;
    }
    if (json_is_null(json)) {
        problem_add_field(problem, pointer, FIELD_REQUIRED, "cannot be removed; %s", allowed);
        return NULL;
    }
    const char *text = members_text(json, pointer, problem);
    if (text != NULL && is_valid != NULL && !is_valid(text)) {
        problem_add_field(problem, pointer, FIELD_OUT_OF_RANGE, "%s", allowed);
        return NULL;
    }
    return text;
}

/* What the patch says; its texts lie in the patch, its settings are the caller's to release. Errors
 * are added to the problem. */
static void take_change(const json_t *patch, struct workspace_change *ret_change,
                        struct problem *problem) {
    static const char *const names[] = {"name",     "timezone",   "currency",   "language",
                                        "settings", "created_at", "updated_at", NULL};
    struct workspace_change change = {0};
    if (members_check(patch, "", names, problem)) {
        change.name =
            take_text(patch, "name", name_is_valid, "must be the workspace's own name", problem);
        change.timezone =
            take_text(patch, "timezone", NULL,
                      "must be an IANA time zone, such as America/Sao_Paulo", problem);
        change.currency =
            take_text(patch, "currency", currency_is_valid,
                      "must be three capital letters (ISO 4217), such as BRL", problem);
        change.language =
            take_text(patch, "language", language_is_valid, "must be pt or en", problem);
        change.settings = workspace_settings_take(json_object_get(patch, "settings"), problem);
    }
    *ret_change = change;
}

static bool may_take_long(const struct workspace_change *change) {
    bool may = change->timezone != NULL || change->language != NULL;
    for (size_t i = 0; i < WORKSPACE_SETTING_COUNT; i++) {
        may = may || (workspace_settings[i].recounts &&
                      json_object_get(change->settings, workspace_settings[i].name) != NULL);
    }
    return may;
}

/* A recount, or taking in all comments in another language, has a worker for as long as it lasts:
 * one at a time leaves the others to readers. */
static enum err change_in_turn(struct call *call, struct db *db,
                               const struct workspace_change *change,
                               struct workspace *ret_workspace) {
    struct app *app = call->app;
    bool takes_long = may_take_long(change);
    if (takes_long && atomic_exchange(&app->recounting, true)) {
        return problem_set(&call->problem, ERR_QUEUE_FULL,
                           "A workspace's figures are being counted or its comments indexed again, "
                           "one change at a time; try again.");
    }
    enum err err = workspace_store_change(db, call->grant.workspace_id, change,
                                          (int)app->settings->rebuild_timeout_ms, ret_workspace,
                                          &call->problem);
    if (takes_long) {
        atomic_store(&app->recounting, false);
    }
    return err;
}

static void run_patch(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct workspace_change change = {0};
    struct workspace workspace;
    json_t *patch = NULL;
    enum err err = record_json_parse(buf_text(&call->request->body), call->request->body.length,
                                     &patch, &call->problem);
    if (err == ERR_OK) {
        take_change(patch, &change, &call->problem);
        err = change_in_turn(call, db, &change, &workspace);
    }
    json_decref(change.settings);
    json_decref(patch);
    if (err == ERR_OK) {
        keyring_refresh(call->app->keyring, db); /* keys carry the currency */
        reply_workspace(call, &workspace);
        workspace_clear(&workspace);
    }
    call_conclude(call, err);
}

enum http_next handle_workspace_patch(struct call *call) {
    return call_run_on_worker(call, run_patch);
}
