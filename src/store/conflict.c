/* Items whose id is taken: left as they are, refused, replaced or merged. */
#include "batch.h"

#include "record_sql.h"
#include "rows.h"
#include "vinculo/buf.h"
#include "vinculo/json.h"
#include "vinculo/record_store.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdlib.h>

/* A single's caller shows the record as it is stored. Takes it over. */
static void give_stored(const struct entry *entry, struct record *stored) {
    if (entry->job->ret_stored == NULL) {
        record_clear(stored);
        return;
    }
    record_clear(entry->job->ret_stored); /* of an earlier attempt */
    *entry->job->ret_stored = *stored;
    *stored = (struct record){0};
}

/* The id has the same content already. */
static enum db_status settle_same(struct db *db, struct entry *entry) {
    const struct record *record = &entry->item->record;
    struct record stored = {0};
    entry->item->outcome = OUTCOME_UNCHANGED;
    if (entry->job->ret_stored == NULL) {
        return DB_OK;
    }
    enum db_status status =
        store_record_get(db, record->spec, entry->job->workspace_id, record_id(record), &stored);
    if (status == DB_OK) {
        give_stored(entry, &stored);
    }
    return status == DB_STOP ? DB_RETRY : status; /* deleted in between, without the lock */
}

static bool is_open(const struct entry *entry, size_t round) {
    return entry->round == round && entry->item->outcome == OUTCOME_NONE;
}

static bool wants(const struct entry *entry, size_t round, enum on_conflict on_conflict) {
    return is_open(entry, round) && entry->job->on_conflict == on_conflict;
}

static void refuse(struct entry *entry) {
    problem_set(&entry->item->problem, ERR_ID_CONFLICT,
                "Another %s with this id is stored already, with other content. "
                "?on_conflict=replace replaces it, as PUT does; merge changes what is sent.",
                entry->item->record.spec->name);
    entry->item->outcome = OUTCOME_REJECTED;
}

static struct record_context check_of(const struct entry *entry) {
    struct record_context check = entry->job->check;
    check.now_us = entry->item->checked_us;
    check.default_id = record_id(&entry->item->record);
    check.id_must_equal = true;
    return check;
}

/* What was sent, merged into `stored` and checked; the item is rejected where it fails. */
static bool make_merged(struct entry *entry, const struct record *stored) {
    struct write_item *item = entry->item;
    struct record_context check = check_of(entry);
    json_t *json = NULL;
    struct record *merged = calloc(1, sizeof *merged);
    enum err err = merged != NULL
                       ? record_merge_patch(stored, item->patch, &json, &item->problem)
                       : problem_set(&item->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    if (err == ERR_OK) {
        err = record_parse(stored->spec, json, &check, merged, &item->problem);
    }
    json_decref(json);
    if (err != ERR_OK) {
        free(merged);
        item->outcome = OUTCOME_REJECTED;
        return false;
    }
    entry->merged = merged;
    return true;
}

static void drop_merged(struct entry *entry) {
    if (entry->merged != NULL) {
        record_clear(entry->merged);
        free(entry->merged);
        entry->merged = NULL;
    }
}

/* Leaves in entry->merged what is to be stored, or sets the outcome. Takes `stored` over. */
static enum db_status merge(struct db *db, struct entry *entry, struct record *stored) {
    enum db_status status = DB_OK;
    if (!make_merged(entry, stored)) {
        record_clear(stored);
        return DB_OK;
    }
    if (record_equal(stored, entry->merged)) {
        entry->item->outcome = OUTCOME_UNCHANGED;
        drop_merged(entry);
        give_stored(entry, stored);
        return DB_OK;
    }
    record_clear(stored);
    status = store_check_life(db, entry->merged, entry->job->workspace_id, &entry->item->problem);
    if (status == DB_STOP) {
        entry->item->outcome = OUTCOME_REJECTED;
        drop_merged(entry);
        return DB_OK;
    }
    return status;
}

/* Nothing to merge into: the check says what a whole record would need. */
static enum db_status refuse_partial(struct entry *entry) {
    struct write_item *item = entry->item;
    struct record_context check = check_of(entry);
    struct record record = {0};
    if (!item->partial) {
        return DB_RETRY; /* deleted in between, without the lock */
    }
    enum err err = record_parse(item->record.spec, item->patch, &check, &record, &item->problem);
    record_clear(&record);
    if (err == ERR_OK) {
        problem_set(&item->problem, ERR_INVALID_RECORD,
                    "There is no record with this id to merge into; send it again.");
    }
    item->outcome = OUTCOME_REJECTED;
    return DB_OK;
}

static enum db_status run(struct db *db, const struct entry *entries, enum record_sql verb,
                          const struct buf *rows, PGresult **ret_result) {
    char statement[64];
    record_sql_name(entries[0].item->record.spec, verb, statement, sizeof statement);
    const char *parameters[] = {buf_text(rows)};
    return buf_ok(rows) ? db_run(db, statement, 1, parameters, ret_result) : DB_LOST;
}

/* Finds those that have the same content already. */
static enum db_status compare_all(struct db *db, struct entry *entries, size_t count,
                                  size_t round) {
    BUF_SCOPED rows = {0};
    int wanted = 0;
    json_begin_array(&rows);
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = &entries[i];
        if (is_open(entry, round) && !entry->item->partial) {
            rows_add_key(&rows, &entry->item->record, entry->job->workspace_id, i);
            wanted++;
        }
    }
    json_end_array(&rows);
    if (wanted == 0) {
        return DB_OK;
    }
    DB_RESULT *result = NULL;
    enum db_status status = run(db, entries, RECORD_SQL_HASH, &rows, &result);
    if (status == DB_OK && PQntuples(result) != wanted) {
        return DB_RETRY; /* one was deleted in between, without the lock */
    }
    for (int row = 0; status == DB_OK && row < wanted; row++) {
        size_t ord = strtoul(PQgetvalue(result, row, 0), NULL, 10);
        assert(ord < count);
        if (record_has_hash(&entries[ord].item->record, PQgetvalue(result, row, 1))) {
            status = settle_same(db, &entries[ord]);
        }
    }
    return status;
}

static enum db_status merge_row(struct db *db, const PGresult *result, int row,
                                struct entry *entry) {
    const char *columns[RECORD_FIELDS_MAX + 2];
    struct record stored = {0};
    for (int i = 1; i < PQnfields(result); i++) {
        columns[i - 1] = PQgetisnull(result, row, i) ? NULL : PQgetvalue(result, row, i);
    }
    return record_from_row(entry->item->record.spec, columns, &stored) == ERR_OK
               ? merge(db, entry, &stored)
               : DB_LOST;
}

static enum db_status merge_all(struct db *db, struct entry *entries, size_t count, size_t round) {
    BUF_SCOPED rows = {0};
    bool any = false;
    json_begin_array(&rows);
    for (size_t i = 0; i < count; i++) {
        if (wants(&entries[i], round, ON_CONFLICT_MERGE)) {
            rows_add_key(&rows, &entries[i].item->record, entries[i].job->workspace_id, i);
            any = true;
        }
    }
    json_end_array(&rows);
    DB_RESULT *result = NULL;
    enum db_status status = any ? run(db, entries, RECORD_SQL_READ, &rows, &result) : DB_OK;
    int found = result != NULL ? PQntuples(result) : 0;
    for (int row = 0; status == DB_OK && row < found; row++) {
        size_t ord = strtoul(PQgetvalue(result, row, 0), NULL, 10);
        assert(ord < count);
        status = merge_row(db, result, row, &entries[ord]);
    }
    for (size_t i = 0; status == DB_OK && i < count; i++) {
        if (wants(&entries[i], round, ON_CONFLICT_MERGE) && entries[i].merged == NULL) {
            status = refuse_partial(&entries[i]);
        }
    }
    return status;
}

static void note_update(struct entry *entry, const PGresult *result, int row) {
    struct record *record = entry->merged != NULL ? entry->merged : &entry->item->record;
    record->stored = timestamp_parse_postgres(PQgetvalue(result, row, 1), &record->created_us) &&
                     timestamp_parse_postgres(PQgetvalue(result, row, 2), &record->updated_us);
    entry->item->outcome = OUTCOME_UPDATED;
    if (entry->merged != NULL) {
        give_stored(entry, entry->merged);
    }
}

static enum db_status update_all(struct db *db, struct entry *entries, size_t count, size_t round) {
    const struct kind_spec *spec = entries[0].item->record.spec;
    BUF_SCOPED rows = {0};
    size_t wanted = 0;
    record_rows_begin(&rows, db_row_type(db, spec));
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = &entries[i];
        if (wants(entry, round, ON_CONFLICT_REPLACE) || wants(entry, round, ON_CONFLICT_MERGE)) {
            record_rows_add(&rows, entry->merged != NULL ? entry->merged : &entry->item->record,
                            entry->job->workspace_id, i);
            wanted++;
        }
    }
    record_rows_end(&rows, wanted);
    if (wanted == 0) {
        return DB_OK;
    }
    DB_RESULT *result = NULL;
    enum db_status status = rows_run(db, spec, RECORD_SQL_UPDATE, &rows, &result);
    if (status == DB_OK && (size_t)PQntuples(result) != wanted) {
        return DB_RETRY; /* one was deleted in between, without the lock */
    }
    for (int row = 0; status == DB_OK && row < (int)wanted; row++) {
        size_t ord = strtoul(PQgetvalue(result, row, 0), NULL, 10);
        assert(ord < count);
        note_update(&entries[ord], result, row);
    }
    return status;
}

enum db_status conflict_settle(struct db *db, struct entry *entries, size_t count, size_t round) {
    enum db_status status = compare_all(db, entries, count, round);
    for (size_t i = 0; status == DB_OK && i < count; i++) {
        if (wants(&entries[i], round, ON_CONFLICT_REFUSE)) {
            refuse(&entries[i]);
        }
    }
    if (status == DB_OK) {
        status = merge_all(db, entries, count, round);
    }
    if (status == DB_OK) {
        status = update_all(db, entries, count, round);
    }
    for (size_t i = 0; i < count; i++) {
        drop_merged(&entries[i]);
    }
    return status;
}
