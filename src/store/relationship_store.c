/* Reading what is known of customers at a moment (see relationship_store.h). */
#include "vinculo/relationship_store.h"

#include "vinculo/embedded.h"
#include "vinculo/json.h"
#include "vinculo/record_store.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parameters that all of the statements begin with. */
struct place {
    char workspace[16];
    char at[TIMESTAMP_TEXT_MAX];
};

static struct place place_of(int workspace_id, int64_t at_us) {
    struct place place;
    snprintf(place.workspace, sizeof place.workspace, "%d", workspace_id);
    timestamp_format(at_us, place.at);
    return place;
}

/* DB_STOP where the moment lies ahead. */
static enum db_status read_moment(struct db *db, int workspace_id, const struct list_bound *at,
                                  int64_t *ret_us) {
    struct place place = place_of(workspace_id, 0);
    char date[DATE_TEXT_MAX];
    if (at->present && at->is_date) {
        date_format((int32_t)at->at, date);
    } else if (at->present) {
        timestamp_format(at->at, place.at);
    }
    const char *values[] = {place.workspace, at->present && at->is_date ? date : NULL,
                            at->present && !at->is_date ? place.at : NULL};
    DB_RESULT *result = NULL;
    enum db_status status = db_run(db, "relationship_clock", 3, values, &result);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(result) == 0 || !timestamp_parse_postgres(PQgetvalue(result, 0, 0), ret_us)) {
        return DB_LOST;
    }
    return db_is_true(result, 0, 1) ? DB_STOP : DB_OK;
}

static enum err refuse_moment(struct problem *problem) {
    return problem_add_parameter(problem, ERR_INVALID_PARAMETER, "at",
                                 "Must not lie ahead: what will be known then is not known yet.");
}

/* Runs a statement of src/store/sql that is planned anew each time: a plan that was made while the
 * tables were small might go by time through everybody's records, where a customer's own are few.
 */
static enum db_status run_fresh(struct db *db, const char *file, int count,
                                const char *const *values, PGresult **ret_result) {
    size_t i = 0;
    while (i < embedded_statements_count && strcmp(embedded_statements[i].name, file) != 0) {
        i++;
    }
    assert(i < embedded_statements_count);
    return db_query(db, embedded_statements[i].text, count, values, ret_result);
}

static void take_signals(const PGresult *result, int row, struct health_signals *ret_signals) {
    for (size_t i = 0; i < health_signal_count; i++) {
        int column = PQfnumber(result, health_signals[i].name);
        assert(column >= 0);
        int64_t value = PQgetisnull(result, row, column)
                            ? -1
                            : strtoll(PQgetvalue(result, row, column), NULL, 10);
        memcpy((char *)ret_signals + health_signals[i].offset, &value, sizeof value);
    }
}

static enum db_status read_signals(struct db *db, const struct place *place, const char *const *ids,
                                   size_t count, bool scheduled,
                                   struct health_signals *ret_signals) {
    BUF_SCOPED array = {0};
    json_begin_array(&array);
    for (size_t i = 0; i < count; i++) {
        json_put_text(&array, ids[i]);
    }
    json_end_array(&array);
    const char *values[] = {place->workspace, buf_text(&array), place->at, scheduled ? "t" : "f"};
    DB_RESULT *result = NULL;
    enum db_status status =
        buf_ok(&array) ? run_fresh(db, "customer_signals.sql", 4, values, &result) : DB_LOST;
    if (status == DB_OK && PQntuples(result) != (int)count) {
        return DB_LOST;
    }
    for (size_t i = 0; status == DB_OK && i < count; i++) {
        take_signals(result, (int)i, &ret_signals[i]);
    }
    return status;
}

static enum db_status read_figures(struct db *db, const struct place *place, const char *id,
                                   struct buf *ret_figures) {
    const char *values[] = {place->workspace, id, place->at};
    DB_RESULT *result = NULL;
    enum db_status status = run_fresh(db, "relationship_figures.sql", 3, values, &result);
    if (status == DB_OK && PQntuples(result) != 1) {
        return DB_LOST;
    }
    if (status == DB_OK) {
        buf_add_str(ret_figures, PQgetvalue(result, 0, 0));
    }
    return status;
}

static enum db_status read_timeline(struct db *db, const struct place *place, const char *id,
                                    struct relationship *relationship) {
    char limit[16];
    snprintf(limit, sizeof limit, "%d",
             TIMELINE_MAX + 1); /* one more tells whether there is more */
    const char *values[] = {place->workspace, id, place->at, limit};
    DB_RESULT *result = NULL;
    enum db_status status = run_fresh(db, "relationship_timeline.sql", 4, values, &result);
    if (status != DB_OK) {
        return status;
    }
    int count = PQntuples(result);
    relationship->timeline_more = count > TIMELINE_MAX;
    json_begin_array(&relationship->timeline);
    for (int row = 0; row < count && row < TIMELINE_MAX; row++) {
        json_put_raw(&relationship->timeline, PQgetvalue(result, row, 0),
                     (size_t)PQgetlength(result, row, 0));
    }
    json_end_array(&relationship->timeline);
    return DB_OK;
}

struct reading {
    int workspace_id;
    const char *id;
    const struct list_bound *at;
    struct relationship *relationship;
    enum err err; /* what DB_STOP means */
};

static enum db_status read_body(struct db *db, void *context) {
    struct reading *reading = context;
    struct relationship *relationship = reading->relationship;
    relationship_clear(relationship); /* of an attempt before */
    enum db_status status =
        read_moment(db, reading->workspace_id, reading->at, &relationship->at_us);
    if (status != DB_OK) {
        reading->err = ERR_INVALID_PARAMETER;
        return status;
    }
    status = store_record_get(db, &record_kinds[KIND_CUSTOMER], reading->workspace_id, reading->id,
                              &relationship->customer);
    if (status != DB_OK) {
        reading->err = ERR_NOT_FOUND;
        return status;
    }
    struct place place = place_of(reading->workspace_id, relationship->at_us);
    status =
        read_signals(db, &place, &reading->id, 1, !reading->at->present, &relationship->signals);
    if (status == DB_OK) {
        status = read_figures(db, &place, reading->id, &relationship->figures);
    }
    if (status == DB_OK) {
        status = read_timeline(db, &place, reading->id, relationship);
    }
    return status;
}

/* A refusal by the database is not the client's fault: what was asked for has been checked. */
static enum err conclude(const struct db *db, enum db_status status, struct problem *problem) {
    if (status == DB_REFUSED) {
        return problem_set(problem, ERR_UNAVAILABLE,
                           "The database refused to answer (SQLSTATE %s).", db_sqlstate(db));
    }
    return db_problem(db, status, problem);
}

enum err relationship_read(struct db *db, int workspace_id, const char *id,
                           const struct list_bound *at, struct relationship *ret,
                           struct problem *problem) {
    *ret = (struct relationship){0};
    struct reading reading = {
        .workspace_id = workspace_id, .id = id, .at = at, .relationship = ret};
    enum db_status status = db_transaction(db, DB_SNAPSHOT, read_body, &reading);
    if (status == DB_STOP) {
        return reading.err == ERR_NOT_FOUND
                   ? problem_set(problem, ERR_NOT_FOUND, "There is no customer with this id.")
                   : refuse_moment(problem);
    }
    enum err err = conclude(db, status, problem);
    if (err == ERR_OK && (!buf_ok(&ret->figures) || !buf_ok(&ret->timeline))) {
        err = problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    return err;
}

void relationship_clear(struct relationship *relationship) {
    record_clear(&relationship->customer);
    buf_free(&relationship->figures);
    buf_free(&relationship->timeline);
    *relationship = (struct relationship){0};
}

/* The statements of order=risk stand alone, each in its own snapshot; one more try on a fresh
 * connection where this one died while idle. */
enum err relationship_moment(struct db *db, int workspace_id, const struct list_bound *at,
                             int64_t *ret_us, struct problem *problem) {
    enum db_status status = DB_LOST;
    for (int attempt = 0; status == DB_LOST && attempt < 2 && db_ready(db) == DB_OK; attempt++) {
        status = read_moment(db, workspace_id, at, ret_us);
    }
    return status == DB_STOP ? refuse_moment(problem) : conclude(db, status, problem);
}

enum err relationship_signals(struct db *db, int workspace_id, const char *const *ids, size_t count,
                              int64_t at_us, bool scheduled, struct health_signals *ret_signals,
                              struct problem *problem) {
    struct place place = place_of(workspace_id, at_us);
    assert(count <= SIGNALS_MAX);
    return conclude(db, read_signals(db, &place, ids, count, scheduled, ret_signals), problem);
}
