/* Rows of one transaction: ordering, statements per kind, outcomes. */
#include "batch.h"

#include "record_sql.h"
#include "rows.h"
#include "vinculo/buf.h"
#include "vinculo/json.h"
#include "vinculo/log.h"
#include "vinculo/metrics_registry.h"
#include "vinculo/record_store.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One item on its way into the database. */
struct entry {
    struct write_item *item;
    int workspace_id;
    bool single;
    bool replace;
    size_t position; /* order of arrival */
    size_t round;    /* how many earlier entries have the same kind, workspace and id */
};

struct batch {
    struct entry *entries;
    size_t count;
};

/* Customers before the life events that need them. */
static const int kind_order[KIND_COUNT] = {
    [KIND_CUSTOMER] = 0,     [KIND_INTERACTION] = 1,  [KIND_SURVEY] = 2,
    [KIND_CANCELLATION] = 3, [KIND_REACTIVATION] = 4,
};

static enum record_kind entry_kind(const struct entry *entry) {
    return entry->item->record.spec->kind;
}

/* By kind, workspace, id: the order in which rows are locked. */
static int compare_keys(const struct entry *a, const struct entry *b) {
    int by_kind = kind_order[entry_kind(a)] - kind_order[entry_kind(b)];
    if (by_kind != 0) {
        return by_kind;
    }
    if (a->workspace_id != b->workspace_id) {
        return a->workspace_id < b->workspace_id ? -1 : 1;
    }
    return strcmp(record_id(&a->item->record), record_id(&b->item->record));
}

static int compare_entries(const void *first, const void *second) {
    const struct entry *a = first;
    const struct entry *b = second;
    int by_key = compare_keys(a, b);
    return by_key != 0 ? by_key : (a->position > b->position) - (a->position < b->position);
}

static void reset(struct entry *entry) {
    problem_clear(&entry->item->problem);
    entry->item->outcome = OUTCOME_NONE;
}

static void reject(struct entry *entry) { entry->item->outcome = OUTCOME_REJECTED; }

static enum db_status lock_workspaces(struct db *db, const struct batch *batch) {
    BUF_SCOPED ids = {0};
    buf_add_char(&ids, '{');
    int last = 0; /* entries are sorted: repeated ones mostly follow each other */
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->entries[i].workspace_id != last) {
            last = batch->entries[i].workspace_id;
            buf_printf(&ids, "%s%d", ids.length > 1 ? "," : "", last);
        }
    }
    buf_add_char(&ids, '}');
    const char *values[] = {buf_text(&ids)};
    return buf_ok(&ids) ? db_run(db, "workspaces_lock", 1, values, NULL) : DB_LOST;
}

/* Refuses life events without a customer or before its start. */
static enum db_status check_life(struct db *db, struct batch *batch, size_t from, size_t to) {
    BUF_SCOPED rows = {0};
    json_begin_array(&rows);
    for (size_t i = from; i < to; i++) {
        const struct entry *entry = &batch->entries[i];
        rows_add_life_check(&rows, &entry->item->record, entry->workspace_id, i);
    }
    json_end_array(&rows);
    const char *parameters[] = {buf_text(&rows)};
    DB_RESULT *faulty = NULL;
    enum db_status status =
        buf_ok(&rows) ? db_run(db, "life_check", 1, parameters, &faulty) : DB_LOST;
    for (int row = 0; status == DB_OK && row < PQntuples(faulty); row++) {
        struct entry *entry = &batch->entries[strtoul(PQgetvalue(faulty, row, 0), NULL, 10)];
        rows_life_problem(entry->item->record.spec, PQgetvalue(faulty, row, 1)[0] == 't',
                          PQgetvalue(faulty, row, 2), &entry->item->problem);
        reject(entry);
    }
    return status;
}

/* The rows of one statement: entries [from, to) of one round that are not refused yet. */
static size_t write_rows(struct buf *rows, const struct batch *batch, size_t from, size_t to,
                         size_t round) {
    size_t count = 0;
    json_begin_array(rows);
    for (size_t i = from; i < to; i++) {
        const struct entry *entry = &batch->entries[i];
        if (entry->round != round || entry->item->outcome == OUTCOME_REJECTED) {
            continue;
        }
        rows_add_record(rows, &entry->item->record, entry->workspace_id, i);
        count++;
    }
    json_end_array(rows);
    return count;
}

/* Replaces an unchanged record by the stored one, whose server-set times it does not know. */
static enum db_status read_back(struct db *db, struct entry *entry) {
    const struct kind_spec *spec = entry->item->record.spec;
    struct record stored = {0};
    enum db_status status =
        store_record_get(db, spec, entry->workspace_id, record_id(&entry->item->record), &stored);
    if (status == DB_OK) {
        record_clear(&entry->item->record);
        entry->item->record = stored;
    }
    return status == DB_STOP ? DB_RETRY : status; /* gone meanwhile, by another program */
}

/* The id has other content, and the job wants it replaced. */
static enum db_status replace(struct db *db, struct entry *entry) {
    BUF_SCOPED row = {0};
    char statement[64];
    struct record *record = &entry->item->record;
    rows_add_record(&row, record, entry->workspace_id, 0);
    record_sql_name(record->spec, RECORD_SQL_UPDATE, statement, sizeof statement);
    const char *parameters[] = {buf_text(&row)};
    DB_RESULT *result = NULL;
    enum db_status status = buf_ok(&row) ? db_run(db, statement, 1, parameters, &result) : DB_LOST;
    if (status != DB_OK || PQntuples(result) == 0) {
        return status == DB_OK ? DB_RETRY : status;
    }
    entry->item->outcome = OUTCOME_UPDATED;
    record->stored = timestamp_parse_postgres(PQgetvalue(result, 0, 0), &record->created_us) &&
                     timestamp_parse_postgres(PQgetvalue(result, 0, 1), &record->updated_us);
    return DB_OK;
}

static enum db_status take_outcome(struct db *db, const PGresult *result, int row,
                                   struct entry *entry) {
    struct record *record = &entry->item->record;
    if (!PQgetisnull(result, row, 1)) {
        entry->item->outcome = OUTCOME_CREATED;
        record->stored = timestamp_parse_postgres(PQgetvalue(result, row, 1), &record->created_us);
        record->updated_us = record->created_us;
        return DB_OK;
    }
    if (PQgetisnull(result, row, 2)) {
        return DB_RETRY; /* somebody else's row came in between, without the lock */
    }
    if (PQgetvalue(result, row, 2)[0] == 't') {
        entry->item->outcome = OUTCOME_UNCHANGED;
        return entry->single ? read_back(db, entry) : DB_OK;
    }
    if (entry->replace) {
        return replace(db, entry);
    }
    problem_set(&entry->item->problem, ERR_ID_CONFLICT,
                "Another %s with this id is stored already, with other content. "
                "?on_conflict=replace replaces it, as PUT does.",
                record->spec->name);
    reject(entry);
    return DB_OK;
}

/* Stores entries [from, to), all of one kind: a statement per round. */
static enum db_status write_kind(struct db *db, struct batch *batch, size_t from, size_t to) {
    const struct kind_spec *spec = batch->entries[from].item->record.spec;
    char statement[64];
    record_sql_name(spec, RECORD_SQL_INSERT, statement, sizeof statement);
    enum db_status status = DB_OK;
    if (rows_is_life_event(spec)) {
        status = check_life(db, batch, from, to);
    }
    size_t rounds = 0;
    for (size_t i = from; i < to; i++) {
        rounds = batch->entries[i].round >= rounds ? batch->entries[i].round + 1 : rounds;
    }
    for (size_t round = 0; status == DB_OK && round < rounds; round++) {
        BUF_SCOPED rows = {0};
        if (write_rows(&rows, batch, from, to, round) == 0) {
            continue;
        }
        const char *parameters[] = {buf_text(&rows)};
        DB_RESULT *result = NULL;
        status = buf_ok(&rows) ? db_run(db, statement, 1, parameters, &result) : DB_LOST;
        for (int row = 0; status == DB_OK && row < PQntuples(result); row++) {
            size_t ord = strtoul(PQgetvalue(result, row, 0), NULL, 10);
            assert(ord >= from && ord < to);
            status = take_outcome(db, result, row, &batch->entries[ord]);
        }
    }
    return status;
}

static enum db_status write_entries(struct db *db, void *context) {
    struct batch *batch = context;
    for (size_t i = 0; i < batch->count; i++) {
        reset(&batch->entries[i]);
    }
    enum db_status status = lock_workspaces(db, batch);
    size_t from = 0;
    while (status == DB_OK && from < batch->count) {
        size_t to = from + 1;
        while (to < batch->count &&
               entry_kind(&batch->entries[to]) == entry_kind(&batch->entries[from])) {
            to++;
        }
        status = write_kind(db, batch, from, to);
        from = to;
    }
    return status;
}

/* Brings the entries of the first one's workspace to the front, in their order; how many. */
static size_t gather_workspace(struct batch batch) {
    struct entry *others = calloc(batch.count, sizeof *others);
    size_t own = 0;
    size_t other = 0;
    if (others == NULL) {
        return batch.count;
    }
    for (size_t i = 0; i < batch.count; i++) {
        if (batch.entries[i].workspace_id == batch.entries[0].workspace_id) {
            batch.entries[own++] = batch.entries[i];
        } else {
            others[other++] = batch.entries[i];
        }
    }
    memcpy(batch.entries + own, others, other * sizeof *others);
    free(others);
    return own;
}

static void refuse_all(struct db *db, enum db_status status, struct batch batch) {
    log_event(LOG_WARN, "transaction_failed", LOG_STR("sqlstate", db_sqlstate(db)),
              LOG_STR("constraint", db_constraint(db)), LOG_INT("records", (int64_t)batch.count));
    for (size_t i = 0; i < batch.count; i++) {
        reset(&batch.entries[i]);
        rows_refusal(db, status, &batch.entries[i].item->problem);
        reject(&batch.entries[i]);
    }
}

/* Runs the transaction; divides it where one record or one workspace is in the others' way. */
static void write_or_divide(struct db *db, struct batch batch) {
    enum db_status status = db_transaction(db, DB_WRITE, write_entries, &batch);
    if (status == DB_OK) {
        return;
    }
    metric_add(METRIC_WRITER_FAILURES, 1, NULL, NULL, NULL);
    size_t first = 0;
    if (status == DB_REFUSED || status == DB_SLOW) {
        first = batch.count / 2;
    } else if (status == DB_LOCKED) {
        first = gather_workspace(batch);
        if (first == batch.count) {
            for (size_t i = 0; i < batch.count; i++) {
                reset(&batch.entries[i]);
            }
            return;
        }
    }
    if (first == 0) {
        refuse_all(db, status, batch);
        return;
    }
    write_or_divide(db, (struct batch){batch.entries, first});
    write_or_divide(db, (struct batch){batch.entries + first, batch.count - first});
}

static size_t count_open(const struct write_job *jobs) {
    size_t count = 0;
    for (const struct write_job *job = jobs; job != NULL; job = job->next) {
        for (size_t i = 0; i < job->count; i++) {
            count += job->items[i].outcome == OUTCOME_NONE;
        }
    }
    return count;
}

size_t batch_write(struct db *db, struct write_job *jobs) {
    struct batch batch = {.count = count_open(jobs)};
    batch.entries = calloc(batch.count, sizeof *batch.entries);
    size_t position = 0;
    for (struct write_job *job = jobs; job != NULL; job = job->next) {
        for (size_t i = 0; i < job->count; i++) {
            struct write_item *item = &job->items[i];
            if (item->outcome != OUTCOME_NONE) {
                continue;
            }
            if (batch.entries == NULL) {
                problem_set(&item->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
                item->outcome = OUTCOME_REJECTED;
                continue;
            }
            batch.entries[position] = (struct entry){.item = item,
                                                     .workspace_id = job->workspace_id,
                                                     .single = job->single,
                                                     .replace = job->replace,
                                                     .position = position};
            position++;
        }
    }
    if (batch.entries == NULL) {
        return batch.count;
    }
    qsort(batch.entries, batch.count, sizeof *batch.entries, compare_entries);
    for (size_t i = 1; i < batch.count; i++) {
        if (compare_keys(&batch.entries[i - 1], &batch.entries[i]) == 0) {
            batch.entries[i].round = batch.entries[i - 1].round + 1;
        }
    }
    write_or_divide(db, batch);
    free(batch.entries);
    return batch.count;
}
