/* Reading, replacing, patching and deleting one record. */
#include "vinculo/record_store.h"

#include "record_sql.h"
#include "rows.h"
#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <stdio.h>
#include <string.h>

/* One change of one record, as the body of a transaction sees it. */
struct change {
    const struct kind_spec *spec;
    int workspace_id;
    const char *id;
    const json_t *patch;                  /* PATCH */
    const struct record_context *context; /* PATCH */
    struct record *record;                /* in for PUT, out for PUT and PATCH */
    enum outcome outcome;
    struct problem *problem;
};

static enum db_status run_for_id(struct db *db, enum record_sql verb, const struct kind_spec *spec,
                                 int workspace_id, const char *id, PGresult **ret_result) {
    char statement[64];
    char workspace[16];
    record_sql_name(spec, verb, statement, sizeof statement);
    snprintf(workspace, sizeof workspace, "%d", workspace_id);
    const char *values[] = {workspace, id};
    return db_run(db, statement, 2, values, ret_result);
}

enum db_status store_record_get(struct db *db, const struct kind_spec *spec, int workspace_id,
                                const char *id, struct record *ret_record) {
    DB_RESULT *result = NULL;
    enum db_status status = run_for_id(db, RECORD_SQL_GET, spec, workspace_id, id, &result);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(result) == 0) {
        return DB_STOP;
    }
    const char *columns[RECORD_FIELDS_MAX + 2];
    for (int i = 0; i < PQnfields(result); i++) {
        columns[i] = PQgetisnull(result, 0, i) ? NULL : PQgetvalue(result, 0, i);
    }
    return record_from_row(spec, columns, ret_record) == ERR_OK ? DB_OK : DB_LOST;
}

static enum err not_found(const struct kind_spec *spec, struct problem *problem) {
    return problem_set(problem, ERR_NOT_FOUND, "There is no %s with this id.", spec->name);
}

enum err record_store_read(struct db *db, const struct kind_spec *spec, int workspace_id,
                           const char *id, struct record *ret_record, struct problem *problem) {
    /* A connection that died while idle shows only now: one more try on a fresh one. */
    enum db_status status = DB_LOST;
    for (int attempt = 0; status == DB_LOST && attempt < 2 && db_ready(db) == DB_OK; attempt++) {
        status = store_record_get(db, spec, workspace_id, id, ret_record);
    }
    return status == DB_STOP ? not_found(spec, problem) : db_problem(db, status, problem);
}

static enum db_status lock_workspace(struct db *db, int workspace_id) {
    char array[24];
    snprintf(array, sizeof array, "{%d}", workspace_id);
    const char *values[] = {array};
    return db_tell(db, "workspaces_lock", 1, values);
}

enum db_status store_check_life(struct db *db, const struct record *record, int workspace_id,
                                struct problem *problem) {
    if (!rows_is_life_event(record->spec)) {
        return DB_OK;
    }
    BUF_SCOPED rows = {0};
    json_begin_array(&rows);
    rows_add_life_check(&rows, record, workspace_id, 0);
    json_end_array(&rows);
    const char *values[] = {buf_text(&rows)};
    DB_RESULT *faulty = NULL;
    enum db_status status = buf_ok(&rows) ? db_run(db, "life_check", 1, values, &faulty) : DB_LOST;
    if (status == DB_OK && PQntuples(faulty) > 0) {
        rows_life_problem(record->spec, db_is_true(faulty, 0, 1), PQgetvalue(faulty, 0, 2),
                          problem);
        return DB_STOP;
    }
    return status;
}

/* Sends the record as INSERT or UPDATE; takes over created_at, updated_at. */
static enum db_status store(struct db *db, struct record *record, int workspace_id,
                            enum record_sql verb) {
    BUF_SCOPED rows = {0};
    record_rows_begin(&rows, db_row_type(db, record->spec));
    record_rows_add(&rows, record, workspace_id, 0);
    record_rows_end(&rows, 1);
    DB_RESULT *result = NULL;
    enum db_status status = rows_run(db, record->spec, verb, &rows, &result);
    if (status != DB_OK || PQntuples(result) == 0) {
        return status == DB_OK ? DB_RETRY : status;
    }
    const char *created = PQgetvalue(result, 0, verb == RECORD_SQL_INSERT ? 2 : 1);
    const char *updated = PQgetvalue(result, 0, 2);
    record->stored = timestamp_parse_postgres(created, &record->created_us) &&
                     timestamp_parse_postgres(updated, &record->updated_us);
    return record->stored ? DB_OK : DB_RETRY;
}

static enum db_status put_body(struct db *db, void *context) {
    struct change *change = context;
    struct record stored = {0};
    enum db_status status = lock_workspace(db, change->workspace_id);
    if (status != DB_OK) {
        return status;
    }
    status = store_check_life(db, change->record, change->workspace_id, change->problem);
    if (status != DB_OK) {
        return status;
    }
    status = store_record_get(db, change->spec, change->workspace_id, change->id, &stored);
    if (status == DB_STOP) {
        change->outcome = OUTCOME_CREATED;
        return store(db, change->record, change->workspace_id, RECORD_SQL_INSERT);
    }
    if (status == DB_OK && record_equal(&stored, change->record)) {
        change->outcome = OUTCOME_UNCHANGED;
        record_clear(change->record);
        *change->record = stored;
        return DB_OK;
    }
    record_clear(&stored);
    change->outcome = OUTCOME_UPDATED;
    return status == DB_OK ? store(db, change->record, change->workspace_id, RECORD_SQL_UPDATE)
                           : status;
}

static enum db_status patch_body(struct db *db, void *context) {
    struct change *change = context;
    struct record stored = {0};
    json_t *merged = NULL;
    record_clear(change->record);
    problem_clear(change->problem);
    enum db_status status = lock_workspace(db, change->workspace_id);
    if (status != DB_OK) {
        return status;
    }
    status = store_record_get(db, change->spec, change->workspace_id, change->id, &stored);
    if (status != DB_OK) {
        if (status == DB_STOP) {
            not_found(change->spec, change->problem);
        }
        return status;
    }
    enum err err = record_merge_patch(&stored, change->patch, &merged, change->problem);
    if (err == ERR_OK) {
        err = record_parse(change->spec, merged, change->context, change->record, change->problem);
    }
    json_decref(merged);
    record_clear(&stored);
    if (err != ERR_OK) {
        return DB_STOP;
    }
    status = store_check_life(db, change->record, change->workspace_id, change->problem);
    return status == DB_OK ? store(db, change->record, change->workspace_id, RECORD_SQL_UPDATE)
                           : status;
}

static enum db_status delete_body(struct db *db, void *context) {
    struct change *change = context;
    DB_RESULT *result = NULL;
    enum db_status status = lock_workspace(db, change->workspace_id);
    if (status == DB_OK) {
        status = run_for_id(db, RECORD_SQL_DELETE, change->spec, change->workspace_id, change->id,
                            &result);
    }
    if (status == DB_OK && PQntuples(result) == 0) {
        not_found(change->spec, change->problem);
        return DB_STOP;
    }
    return status;
}

/* What a transaction's end means to the client. */
static enum err conclude(const struct db *db, enum db_status status, struct change *change) {
    if (status == DB_STOP) {
        return change->problem->code;
    }
    return rows_refusal(db, status, change->problem);
}

enum err record_store_put(struct db *db, int workspace_id, struct record *record,
                          enum outcome *ret_outcome, struct problem *problem) {
    struct change change = {.spec = record->spec,
                            .workspace_id = workspace_id,
                            .id = record_id(record),
                            .record = record,
                            .problem = problem};
    enum err err = conclude(db, db_transaction(db, DB_WRITE, put_body, &change), &change);
    *ret_outcome = change.outcome;
    return err;
}

enum err record_store_patch(struct db *db, const struct kind_spec *spec, int workspace_id,
                            const char *id, const json_t *patch,
                            const struct record_context *context, struct record *ret_record,
                            struct problem *problem) {
    struct change change = {.spec = spec,
                            .workspace_id = workspace_id,
                            .id = id,
                            .patch = patch,
                            .context = context,
                            .record = ret_record,
                            .problem = problem};
    return conclude(db, db_transaction(db, DB_WRITE, patch_body, &change), &change);
}

enum err record_store_delete(struct db *db, const struct kind_spec *spec, int workspace_id,
                             const char *id, struct problem *problem) {
    struct change change = {
        .spec = spec, .workspace_id = workspace_id, .id = id, .problem = problem};
    return conclude(db, db_transaction(db, DB_WRITE, delete_body, &change), &change);
}
