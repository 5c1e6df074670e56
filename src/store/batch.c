/* Rows of one transaction: ordering, statements per kind, outcomes. */
#include "batch.h"

#include "rows.h"
#include "vinculo/buf.h"
#include "vinculo/json.h"
#include "vinculo/log.h"
#include "vinculo/metrics_registry.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct batch {
    struct entry *entries; /* in the order of keys */
    size_t count;
    struct write_job *jobs;
    struct batch_owner *owner; /* NULL: a part of a batch, to which nothing is added */
    struct db *db;
    int64_t began_us;
    struct batch *next; /* of those that were refused at their COMMIT */
};

/* Customers before the life events that need them. */
static const int kind_order[KIND_COUNT] = {
    [KIND_CUSTOMER] = 0,     [KIND_INTERACTION] = 1, [KIND_SURVEY] = 2, [KIND_CANCELLATION] = 3,
    [KIND_REACTIVATION] = 4, [KIND_PAYMENT] = 5,     [KIND_COST] = 6,   [KIND_ACTION] = 7,
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
    if (a->job->workspace_id != b->job->workspace_id) {
        return a->job->workspace_id < b->job->workspace_id ? -1 : 1;
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

static size_t count_open(const struct write_job *jobs) {
    size_t count = 0;
    for (const struct write_job *job = jobs; job != NULL; job = job->next) {
        for (size_t i = 0; i < job->count; i++) {
            count += job->items[i].outcome == OUTCOME_NONE;
        }
    }
    return count;
}

/* What has no outcome yet, in the order of keys, with their rounds. */
static void fill(struct batch *batch) {
    batch->count = 0;
    for (struct write_job *job = batch->jobs; job != NULL; job = job->next) {
        for (size_t i = 0; i < job->count; i++) {
            if (job->items[i].outcome == OUTCOME_NONE) {
                batch->entries[batch->count] =
                    (struct entry){.item = &job->items[i], .job = job, .position = batch->count};
                batch->count++;
            }
        }
    }
    qsort(batch->entries, batch->count, sizeof *batch->entries, compare_entries);
    for (size_t i = 1; i < batch->count; i++) {
        if (compare_keys(&batch->entries[i - 1], &batch->entries[i]) == 0) {
            batch->entries[i].round = batch->entries[i - 1].round + 1;
        }
    }
}

/* No outcome yet: to be tried again. */
static void reset_all(const struct batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        reset(&batch->entries[i]);
    }
}

/* The workspaces of the batch, ascending; to be freed. NULL: out of memory. */
static int *list_workspaces(const struct batch *batch, size_t *ret_count) {
    assert(batch->count > 0);
    int *ids = malloc(batch->count * sizeof *ids);
    if (ids == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < batch->count; i++) {
        ids[i] = batch->entries[i].job->workspace_id;
    }
    qsort(ids, batch->count, sizeof *ids, batch_compare_workspaces);
    size_t count = 1;
    for (size_t i = 1; i < batch->count; i++) {
        if (ids[i] != ids[count - 1]) {
            ids[count++] = ids[i];
        }
    }
    *ret_count = count;
    return ids;
}

static enum db_status tell_lock(struct db *db, const int *workspaces, size_t count) {
    BUF_SCOPED ids = {0};
    for (size_t i = 0; i < count; i++) {
        buf_printf(&ids, "%c%d", i == 0 ? '{' : ',', workspaces[i]);
    }
    buf_add_char(&ids, '}');
    const char *values[] = {buf_text(&ids)};
    return buf_ok(&ids) ? db_tell(db, "workspaces_lock", 1, values) : DB_LOST;
}

static bool had_to_wait(const PGresult *locks) {
    bool waited = false;
    for (int row = 0; row < PQntuples(locks); row++) {
        waited = waited || PQgetvalue(locks, row, 0)[0] == 'f';
    }
    return waited;
}

/* What has come while the lock was waited for goes along, so that writers who take turns write few
 * large transactions instead of many small ones. */
static void add_more(struct batch *batch) {
    const struct batch_owner *owner = batch->owner;
    size_t count = 0;
    int *workspaces = batch->count < owner->batch_max ? list_workspaces(batch, &count) : NULL;
    if (workspaces == NULL) {
        return;
    }
    struct write_job *last = batch->jobs;
    while (last->next != NULL) {
        last = last->next;
    }
    last->next = owner->more(owner->context, workspaces, count, owner->batch_max - batch->count);
    if (last->next != NULL) {
        reset_all(batch); /* of an earlier attempt */
        fill(batch);
    }
    free(workspaces);
}

/* Takes the locks of the batch's workspaces, together with the next statement. */
static enum db_status lock(struct db *db, const struct batch *batch) {
    size_t count = 0;
    int *workspaces = list_workspaces(batch, &count);
    enum db_status status = workspaces != NULL ? tell_lock(db, workspaces, count) : DB_LOST;
    free(workspaces);
    return status;
}

/* Where others write to the same workspaces, too, the locks are waited for, and more goes along. */
static enum db_status lock_and_add(struct db *db, struct batch *batch) {
    enum db_status status = lock(db, batch);
    if (status == DB_OK && batch->owner != NULL && batch->owner->crowded) {
        status = db_hear(db);
        if (status == DB_OK) {
            add_more(batch);
        }
    }
    return status;
}

/* Refuses life events without a customer or before its start. */
static enum db_status check_life(struct db *db, struct batch *batch, size_t from, size_t to) {
    BUF_SCOPED rows = {0};
    json_begin_array(&rows);
    for (size_t i = from; i < to; i++) {
        const struct entry *entry = &batch->entries[i];
        if (!entry->item->partial) {
            rows_add_life_check(&rows, &entry->item->record, entry->job->workspace_id, i);
        }
    }
    json_end_array(&rows);
    const char *parameters[] = {buf_text(&rows)};
    DB_RESULT *faulty = NULL;
    enum db_status status =
        buf_ok(&rows) ? db_run(db, "life_check", 1, parameters, &faulty) : DB_LOST;
    for (int row = 0; status == DB_OK && row < PQntuples(faulty); row++) {
        struct entry *entry = &batch->entries[strtoul(PQgetvalue(faulty, row, 0), NULL, 10)];
        rows_life_problem(entry->item->record.spec, db_is_true(faulty, row, 1),
                          PQgetvalue(faulty, row, 2), &entry->item->problem);
        reject(entry);
    }
    return status;
}

static bool is_inserted(const struct entry *entry, size_t round) {
    return entry->round == round && !entry->item->partial && entry->item->outcome == OUTCOME_NONE;
}

static bool is_row(const struct entry *entry, const PGresult *result, int row) {
    return entry->job->workspace_id == atoi(PQgetvalue(result, row, 0)) &&
           strcmp(record_id(&entry->item->record), PQgetvalue(result, row, 1)) == 0;
}

/* What was stored comes in the order of the entries. */
static void note_created(const PGresult *result, struct batch *batch, size_t from, size_t to,
                         size_t round) {
    size_t at = from;
    for (int row = 0; row < PQntuples(result); row++, at++) {
        while (at < to && !(is_inserted(&batch->entries[at], round) &&
                            is_row(&batch->entries[at], result, row))) {
            at++;
        }
        assert(at < to);
        struct record *record = &batch->entries[at].item->record;
        record->stored = timestamp_parse_postgres(PQgetvalue(result, row, 2), &record->created_us);
        record->updated_us = record->created_us;
        batch->entries[at].item->outcome = OUTCOME_CREATED;
    }
}

static enum db_status insert(struct db *db, struct batch *batch, size_t from, size_t to,
                             size_t round) {
    const struct kind_spec *spec = batch->entries[from].item->record.spec;
    BUF_SCOPED rows = {0};
    size_t count = 0;
    record_rows_begin(&rows, db_row_type(db, spec));
    for (size_t i = from; i < to; i++) {
        const struct entry *entry = &batch->entries[i];
        if (is_inserted(entry, round)) {
            record_rows_add(&rows, &entry->item->record, entry->job->workspace_id, i);
            count++;
        }
    }
    record_rows_end(&rows, count);
    if (count == 0) {
        return DB_OK;
    }
    DB_RESULT *result = NULL;
    enum db_status status = rows_run(db, spec, RECORD_SQL_INSERT, &rows, &result);
    if (status == DB_OK) {
        note_created(result, batch, from, to, round);
    }
    return status;
}

/* One round of entries [from, to), all of one kind. */
static enum db_status write_round(struct db *db, struct batch *batch, size_t from, size_t to,
                                  size_t round) {
    enum db_status status = insert(db, batch, from, to, round);
    return status == DB_OK ? conflict_settle(db, batch->entries + from, to - from, round) : status;
}

/* Stores entries [from, to), all of one kind: round by round. */
static enum db_status write_kind(struct db *db, struct batch *batch, size_t from, size_t to) {
    enum db_status status = DB_OK;
    if (rows_is_life_event(batch->entries[from].item->record.spec)) {
        status = check_life(db, batch, from, to);
    }
    size_t rounds = 0;
    for (size_t i = from; i < to; i++) {
        rounds = batch->entries[i].round >= rounds ? batch->entries[i].round + 1 : rounds;
    }
    for (size_t round = 0; status == DB_OK && round < rounds; round++) {
        status = write_round(db, batch, from, to, round);
    }
    return status;
}

/* Everything of one attempt, the workspaces being locked. */
static enum db_status write_kinds(struct db *db, struct batch *batch) {
    enum db_status status = DB_OK;
    reset_all(batch);
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

static enum db_status write_entries(struct db *db, void *context) {
    struct batch *batch = context;
    struct batch_owner *owner = batch->owner;
    enum db_status status = lock_and_add(db, batch);
    if (status == DB_OK) {
        status = write_kinds(db, batch);
    }
    if (owner != NULL && (status == DB_LOCKED || PQntuples(db_heard(db)) > 0)) {
        owner->crowded = status == DB_LOCKED || had_to_wait(db_heard(db));
    }
    return status;
}

static struct batch part(struct batch batch, size_t from, size_t count) {
    return (struct batch){.entries = batch.entries + from, .count = count};
}

/* Refuses everything for one reason. */
static void refuse_all(const struct db *db, enum db_status status, struct batch *batch) {
    log_event(LOG_WARN, "transaction_failed", LOG_STR("sqlstate", db_sqlstate(db)),
              LOG_STR("constraint", db_constraint(db)), LOG_INT("records", (int64_t)batch->count));
    for (size_t i = 0; i < batch->count; i++) {
        reset(&batch->entries[i]);
        rows_refusal(db, status, &batch->entries[i].item->problem);
        reject(&batch->entries[i]);
    }
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
        if (batch.entries[i].job->workspace_id == batch.entries[0].job->workspace_id) {
            batch.entries[own++] = batch.entries[i];
        } else {
            others[other++] = batch.entries[i];
        }
    }
    memcpy(batch.entries + own, others, other * sizeof *others);
    free(others);
    return own;
}

static void write_or_divide(struct db *db, struct batch batch);

/* What failed as one transaction: in two, where a record or a workspace is in the others' way. */
static void divide(struct db *db, enum db_status status, struct batch *batch) {
    metric_add(METRIC_WRITER_FAILURES, 1, NULL, NULL, NULL);
    size_t first = 0;
    if (status == DB_REFUSED || status == DB_SLOW) {
        first = batch->count / 2;
    } else if (status == DB_LOCKED) {
        first = gather_workspace(*batch);
        if (first == batch->count) {
            reset_all(batch);
            return;
        }
    }
    if (first == 0) {
        refuse_all(db, status, batch);
        return;
    }
    write_or_divide(db, part(*batch, 0, first));
    write_or_divide(db, part(*batch, first, batch->count - first));
}

static void write_or_divide(struct db *db, struct batch batch) {
    enum db_status status = db_transaction(db, DB_WRITE, write_entries, &batch);
    if (status != DB_OK) {
        divide(db, status, &batch);
    }
}

/* Halves as well, but inside one transaction: to find all that the database refuses. */
static enum db_status write_part(struct db *db, struct batch batch) {
    enum db_status status = db_query(db, "SAVEPOINT part", 0, NULL, NULL);
    if (status == DB_OK) {
        status = write_kinds(db, &batch);
    }
    if (status != DB_OK && status != DB_REFUSED) {
        return status;
    }
    if (status == DB_REFUSED && batch.count == 1) {
        reset(&batch.entries[0]);
        rows_refusal(db, status, &batch.entries[0].item->problem);
        reject(&batch.entries[0]);
    }
    const char *end =
        status == DB_OK ? "RELEASE part" : "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part";
    enum db_status ended = db_query(db, end, 0, NULL, NULL);
    if (ended != DB_OK || status == DB_OK || batch.count == 1) {
        return ended;
    }
    size_t half = batch.count / 2;
    ended = write_part(db, part(batch, 0, half));
    return ended == DB_OK ? write_part(db, part(batch, half, batch.count - half)) : ended;
}

static enum db_status write_atomic_entries(struct db *db, void *context) {
    struct batch *batch = context;
    enum db_status status = lock(db, batch);
    if (status == DB_OK) {
        status = write_part(db, *batch);
    }
    for (size_t i = 0; status == DB_OK && i < batch->count; i++) {
        if (batch->entries[i].item->outcome == OUTCOME_REJECTED) {
            status = DB_STOP;
        }
    }
    return status;
}

/* Of an atomic job whose transaction failed. */
static void store_none(struct db *db, enum db_status status, struct batch *batch) {
    metric_add(METRIC_WRITER_FAILURES, 1, NULL, NULL, NULL);
    if (status == DB_LOCKED) {
        reset_all(batch);
        return;
    }
    if (status != DB_STOP) {
        refuse_all(db, status, batch);
        return;
    }
    for (size_t i = 0; i < batch->count; i++) {
        struct write_item *item = batch->entries[i].item;
        if (item->outcome != OUTCOME_REJECTED) {
            item->outcome = OUTCOME_NOT_STORED;
        }
    }
}

static void fail_for_memory(struct write_job *jobs) {
    for (struct write_job *job = jobs; job != NULL; job = job->next) {
        for (size_t i = 0; i < job->count; i++) {
            problem_set(&job->items[i].problem, ERR_UNAVAILABLE, "Out of memory; try again.");
            job->items[i].outcome = OUTCOME_REJECTED;
        }
    }
}

/* Gives the jobs back. */
static void end(struct batch *batch) {
    metric_observe(METRIC_WRITER_BATCH_RECORDS, (double)batch->count);
    metric_observe(METRIC_WRITER_COMMIT, (double)(clock_monotonic_us() - batch->began_us) /
                                             (double)MICROSECONDS_PER_SECOND);
    batch->owner->ended(batch->owner->context, batch->jobs, batch->count);
    free(batch->entries);
    free(batch);
}

static enum db_status write_whole(struct db *db, void *context) {
    const struct batch *batch = context;
    return batch->jobs->atomic ? write_atomic_entries(db, context) : write_entries(db, context);
}

/* Of a whole batch whose transaction failed. */
static void divide_or_refuse(struct batch *batch, enum db_status status) {
    if (batch->jobs->atomic) {
        store_none(batch->db, status, batch);
    } else {
        divide(batch->db, status, batch);
    }
}

/* db_transaction_sent's. A batch that is refused at its COMMIT is kept: the connection is at the
 * next one. */
static void batch_committed(void *context, enum db_status status) {
    struct batch *batch = context;
    if (status == DB_LOST) {
        metric_add(METRIC_WRITER_FAILURES, 1, NULL, NULL, NULL);
        refuse_all(batch->db, status, batch);
    }
    if (status == DB_OK || status == DB_LOST) {
        end(batch);
        return;
    }
    batch->next = batch->owner->refused;
    batch->owner->refused = batch;
}

/* Writes again what was refused at its COMMIT, and waits for that this time. */
static void write_refused(struct batch_owner *owner) {
    while (owner->refused != NULL) {
        struct batch *batch = owner->refused;
        owner->refused = batch->next;
        enum db_status status = db_transaction(batch->db, DB_WRITE, write_whole, batch);
        if (status != DB_OK) {
            divide_or_refuse(batch, status);
        }
        end(batch);
    }
}

void batch_write(struct db *db, struct write_job *jobs, struct batch_owner *owner) {
    size_t open = count_open(jobs);
    struct batch *batch = calloc(1, sizeof *batch);
    struct entry *entries =
        calloc(open > owner->batch_max ? open : owner->batch_max, sizeof *entries);
    if (batch == NULL || entries == NULL) {
        free(batch);
        free(entries);
        fail_for_memory(jobs);
        owner->ended(owner->context, jobs, open);
        return;
    }
    *batch = (struct batch){.entries = entries,
                            .jobs = jobs,
                            .owner = owner,
                            .db = db,
                            .began_us = clock_monotonic_us()};
    fill(batch);
    assert(!jobs->atomic || jobs->next == NULL);
    enum db_status status = db_transaction_sent(db, write_whole, batch_committed, batch);
    if (status != DB_OK) {
        divide_or_refuse(batch, status);
        end(batch);
    }
    write_refused(owner);
}

void batch_settle(struct db *db, struct batch_owner *owner) {
    db_settle(db);
    write_refused(owner);
}
