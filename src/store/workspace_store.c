/* The workspace's row, and its change under the lock that its writers take. */
#include "vinculo/workspace_store.h"

#include "vinculo/buf.h"
#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT_MAX = 16 };

/* Copies of the zones' tree that count leap seconds or are no places are left out. */
static const char FIND_ZONE[] = "SELECT name FROM pg_timezone_names WHERE lower(name) = lower($1)"
                                " AND name !~ '^(posix|right)/|^(Factory|localtime|posixrules)$'"
                                " ORDER BY name <> $1 LIMIT 1";
static const char FIND[] = "SELECT id FROM workspace WHERE name = $1";

/* Columns and defaults are in migrations/0001; src/store/sql/workspace_get.sql and _update.sql turn
 * the columns into JSON and back. */
const struct workspace_setting_spec workspace_settings[WORKSPACE_SETTING_COUNT] = {
    [SETTING_RESPONSE_WINDOW_DAYS] = {.name = "response_window_days",
                                      .form = VALUE_INTEGER,
                                      .min = 1,
                                      .max = 365,
                                      .recounts = true,
                                      .fallback = "30"},
    [SETTING_GROSS_MARGIN] = {.name = "gross_margin", .form = VALUE_SHARE, .fallback = "1"},
    [SETTING_CAC_CATEGORIES] = {.name = "cac_categories",
                                .form = VALUE_LABELS,
                                .max = 50,
                                .recounts = true,
                                .fallback = "null"},
    [SETTING_RESPONSE_TARGET_SECONDS] = {.name = "response_target_seconds",
                                         .form = VALUE_INTEGER,
                                         .min = 1,
                                         .max = 31536000,
                                         .fallback = "14400"},
    [SETTING_RELATIONSHIP_WEIGHTS] = {.name = "relationship_weights",
                                      .form = VALUE_WEIGHTS,
                                      .fallback = "{\"csat\":0.25,\"nps\":0.25,"
                                                  "\"first_contact_resolution\":0.15,"
                                                  "\"annualised_retention\":0.15,\"ces\":0.1,"
                                                  "\"speed\":0.1}"},
};

const char *const workspace_weights[] = {
    "csat", "nps", "first_contact_resolution", "annualised_retention", "ces", "speed", NULL};

const char *const workspace_languages[] = {"pt", "en", NULL};

/* One change on its way. */
struct changing {
    char id[NUMBER_TEXT_MAX];
    const struct workspace_change *change;
    int rebuild_timeout_ms;
    struct workspace *workspace; /* in: nothing; out: as it then stands */
    struct problem *problem;
};

static bool is_control(const unsigned char *at) {
    /* U+0080 to U+009F are C2 80 to C2 9F. */
    return at[0] < 0x20 || at[0] == 0x7F || (at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F);
}

bool name_is_valid(const char *text) {
    size_t points = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (is_control(at))
            return false;
        if ((*at & 0xC0) != 0x80)
            points++;
    }
    return points >= 1 && points <= NAME_POINTS_MAX;
}

bool currency_is_valid(const char *text) {
    return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

bool language_is_valid(const char *text) {
    for (size_t i = 0; workspace_languages[i] != NULL; i++) {
        if (strcmp(workspace_languages[i], text) == 0)
            return true;
    }
    return false;
}

/* The first column of the one row that is found; DB_STOP where there is none. */
static enum db_status find(struct db *db, const char *sql, const char *wanted, char *ret_text,
                           size_t size) {
    DB_RESULT *rows = NULL;
    enum db_status status = db_query(db, sql, 1, &wanted, &rows);
    if (status == DB_OK && PQntuples(rows) == 0)
        status = DB_STOP;
    if (status == DB_OK)
        snprintf(ret_text, size, "%s", PQgetvalue(rows, 0, 0));
    return status;
}

enum db_status workspace_store_find(struct db *db, const char *name, int *ret_id) {
    char id[NUMBER_TEXT_MAX];
    enum db_status status = find(db, FIND, name, id, sizeof id);
    if (status == DB_OK)
        *ret_id = atoi(id);
    return status;
}

enum db_status workspace_store_find_zone(struct db *db, const char *zone,
                                         char ret_name[TIMEZONE_TEXT_MAX]) {
    return find(db, FIND_ZONE, zone, ret_name, TIMEZONE_TEXT_MAX);
}

void workspace_clear(struct workspace *workspace) {
    json_decref(workspace->settings);
    workspace->settings = NULL;
}

/* ret_workspace: cleared, or read before */
static enum db_status get(struct db *db, const char *id, struct workspace *ret_workspace) {
    DB_RESULT *row = NULL;
    enum db_status status = db_run(db, "workspace_get", 1, &id, &row);
    if (status != DB_OK)
        return status;
    if (PQntuples(row) == 0)
        return DB_STOP;
    struct workspace read = {0};
    snprintf(read.name, sizeof read.name, "%s", PQgetvalue(row, 0, 0));
    snprintf(read.timezone, sizeof read.timezone, "%s", PQgetvalue(row, 0, 1));
    snprintf(read.currency, sizeof read.currency, "%s", PQgetvalue(row, 0, 2));
    snprintf(read.language, sizeof read.language, "%s", PQgetvalue(row, 0, 3));
    if (!timestamp_parse_postgres(PQgetvalue(row, 0, 4), &read.created_us) ||
        !timestamp_parse_postgres(PQgetvalue(row, 0, 5), &read.updated_us))
        return DB_LOST;
    read.settings = json_loads(PQgetvalue(row, 0, 6), 0, NULL);
    if (read.settings == NULL)
        return DB_LOST;
    workspace_clear(ret_workspace); /* of a former try */
    *ret_workspace = read;
    return DB_OK;
}

static enum db_status read_body(struct db *db, void *context) {
    struct changing *reading = context;
    return get(db, reading->id, reading->workspace);
}

/* A workspace cannot be deleted while its key is good, so a missing one is a key just revoked. */
static enum err gone(struct problem *problem) {
    return problem_set(problem, ERR_NOT_FOUND, "The workspace is gone.");
}

/* To the caller, or away. */
static enum err hand_over(struct workspace *workspace, enum err err,
                          struct workspace *ret_workspace) {
    if (err == ERR_OK)
        *ret_workspace = *workspace;
    else
        workspace_clear(workspace);
    return err;
}

enum err workspace_store_read(struct db *db, int id, struct workspace *ret_workspace,
                              struct problem *problem) {
    struct workspace workspace = {0};
    struct changing reading = {.workspace = &workspace};
    snprintf(reading.id, sizeof reading.id, "%d", id);
    enum db_status status = db_transaction(db, DB_SNAPSHOT, read_body, &reading);
    return hand_over(&workspace,
                     status == DB_STOP ? gone(problem) : db_problem(db, status, problem),
                     ret_workspace);
}

static void replace(char *text, size_t size, const char *other) {
    if (other != NULL)
        snprintf(text, size, "%s", other);
}

/* The workspace as it shall be; true where that is different from what is stored. */
static bool apply(const struct workspace_change *change, struct workspace *workspace) {
    struct workspace stored = *workspace;
    replace(workspace->timezone, sizeof workspace->timezone, change->timezone);
    replace(workspace->currency, sizeof workspace->currency, change->currency);
    replace(workspace->language, sizeof workspace->language, change->language);
    bool differs = strcmp(stored.timezone, workspace->timezone) != 0 ||
                   strcmp(stored.currency, workspace->currency) != 0 ||
                   strcmp(stored.language, workspace->language) != 0;
    const char *name;
    json_t *value;
    json_object_foreach(change->settings, name, value) {
        if (!json_equal(json_object_get(workspace->settings, name), value)) {
            differs = true;
            json_object_set(workspace->settings, name, value);
        }
    }
    return differs;
}

static enum db_status update(struct db *db, const struct changing *changing) {
    const struct workspace *workspace = changing->workspace;
    BUF_SCOPED settings = {0};
    json_put_value(&settings, workspace->settings);
    if (!buf_ok(&settings))
        return DB_LOST;
    const char *values[] = {changing->id, workspace->timezone, workspace->currency,
                            workspace->language, buf_text(&settings)};
    return db_run(db, "workspace_update", sizeof values / sizeof values[0], values, NULL);
}

/* The lock first, as writers do: records refer to the row, so whoever changes the row first and
 * waits for the lock then could meet them in a deadlock. */
static enum db_status change_body(struct db *db, void *context) {
    struct changing *changing = context;
    struct workspace *workspace = changing->workspace;
    const char *name = changing->change->name;
    char locked[NUMBER_TEXT_MAX + 2];
    snprintf(locked, sizeof locked, "{%s}", changing->id);
    enum db_status status = db_tell(db, "workspaces_lock", 1, (const char *[]){locked});
    if (status == DB_OK)
        status = get(db, changing->id, workspace);
    if (status != DB_OK)
        return status;
    if (name != NULL && strcmp(name, workspace->name) != 0) {
        problem_add_field(changing->problem, "/name", FIELD_NOT_ALLOWED_HERE,
                          "is given by whoever runs the service and cannot be changed here");
        return DB_STOP;
    }
    if (!apply(changing->change, workspace))
        return DB_OK;
    status = db_allow(db, changing->rebuild_timeout_ms);
    if (status == DB_OK)
        status = update(db, changing);
    return status == DB_OK ? get(db, changing->id, workspace) : status;
}

/* A name that PostgreSQL has; adds the field error where it has none of this spelling. */
static enum db_status check_zone(struct db *db, const char *zone, struct problem *problem) {
    static const char POINTER[] = "/timezone";
    char found[TIMEZONE_TEXT_MAX];
    enum db_status status = DB_LOST;
    /* A connection that died while idle shows only now: once more on a fresh one. */
    for (int attempt = 0; status == DB_LOST && attempt < 2 && db_ready(db) == DB_OK; attempt++)
        status = workspace_store_find_zone(db, zone, found);
    if (status == DB_STOP)
        problem_add_field(problem, POINTER, FIELD_OUT_OF_RANGE,
                          "must be an IANA time zone, such as America/Sao_Paulo");
    else if (status == DB_OK && strcmp(found, zone) != 0)
        problem_add_field(problem, POINTER, FIELD_OUT_OF_RANGE, "must be spelled %s", found);
    return status == DB_STOP ? DB_OK : status;
}

/* What the end of the transaction means to the client. */
static enum err conclude(const struct db *db, enum db_status status, struct problem *problem) {
    if (status == DB_STOP)
        return problem->error_count > 0 ? ERR_INVALID_RECORD : gone(problem);
    if (status == DB_REFUSED && strcmp(db_sqlstate(db), "VC002") == 0)
        return problem_add_field(problem, "/currency", FIELD_NOT_ALLOWED_HERE,
                                 "cannot change any more: payments or costs are stored in the "
                                 "present one");
    return db_problem(db, status, problem);
}

enum err workspace_store_change(struct db *db, int id, const struct workspace_change *change,
                                int rebuild_timeout_ms, struct workspace *ret_workspace,
                                struct problem *problem) {
    struct workspace workspace = {0};
    struct changing changing = {.change = change,
                                .rebuild_timeout_ms = rebuild_timeout_ms,
                                .workspace = &workspace,
                                .problem = problem};
    enum db_status status = DB_OK;
    if (change->timezone != NULL)
        status = check_zone(db, change->timezone, problem);
    if (status != DB_OK)
        return db_problem(db, status, problem);
    if (problem->error_count > 0)
        return ERR_INVALID_RECORD;
    snprintf(changing.id, sizeof changing.id, "%d", id);
    status = db_transaction(db, DB_WRITE, change_body, &changing);
    return hand_over(&workspace, conclude(db, status, problem), ret_workspace);
}
