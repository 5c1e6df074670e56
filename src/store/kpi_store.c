/* From kpi_totals.sql's rows to struct totals. */
#include "vinculo/kpi_store.h"

#include "vinculo/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct kpi_query *query;
    struct kpi_answer *answer;
    struct problem *problem;
    enum err err;
};

void kpi_answer_clear(struct kpi_answer *answer) {
    for (size_t i = 0; answer->totals != NULL && i < answer->count; i++) {
        totals_clear(&answer->totals[i]);
    }
    free(answer->totals);
    free(answer->periods);
    *answer = (struct kpi_answer){0};
}

static enum db_status read_clock(struct db *db, int workspace_id, struct kpi_clock *ret_clock) {
    char workspace[16];
    snprintf(workspace, sizeof workspace, "%d", workspace_id);
    const char *values[] = {workspace};
    DB_RESULT *result = NULL;
    enum db_status status = db_run(db, "kpi_clock", 1, values, &result);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(result) == 0) {
        return DB_LOST;
    }
    snprintf(ret_clock->timezone, sizeof ret_clock->timezone, "%s", PQgetvalue(result, 0, 0));
    ret_clock->today = (int32_t)strtol(PQgetvalue(result, 0, 1), NULL, 10);
    ret_clock->response_window_days = (int)strtol(PQgetvalue(result, 0, 2), NULL, 10);
    ret_clock->has_data = !PQgetisnull(result, 0, 3);
    ret_clock->first = (int32_t)strtol(PQgetvalue(result, 0, 3), NULL, 10);
    ret_clock->last = (int32_t)strtol(PQgetvalue(result, 0, 4), NULL, 10);
    return DB_OK;
}

/* Counts the members of an array literal such as {1,2,3}. */
static size_t array_size(const char *literal) {
    size_t size = 1;
    for (const char *c = literal; *c != '\0'; c++) {
        size += *c == ',';
    }
    return literal[0] == '{' && literal[1] != '}' && literal[1] != '\0' ? size : 0;
}

/* Fills the sketch; false where memory is short. */
static bool read_sketch(const PGresult *result, int row, const char *bucket_column,
                        const char *count_column, const char *sum_column, struct sketch *sketch) {
    const char *buckets = PQgetvalue(result, row, PQfnumber(result, bucket_column));
    const char *counts = PQgetvalue(result, row, PQfnumber(result, count_column));
    sketch->sum_us = strtod(PQgetvalue(result, row, PQfnumber(result, sum_column)), NULL);
    size_t size = array_size(buckets);
    if (size == 0) {
        return true;
    }
    sketch->bucket = calloc(size, sizeof *sketch->bucket);
    sketch->count = calloc(size, sizeof *sketch->count);
    if (sketch->bucket == NULL || sketch->count == NULL) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char *end;
        sketch->bucket[i] = (int32_t)strtol(buckets + 1, &end, 10);
        buckets = end;
        sketch->count[i] = strtoll(counts + 1, &end, 10);
        counts = end;
    }
    sketch->size = size;
    return true;
}

static bool read_totals(const PGresult *result, int row, struct totals *totals) {
    for (size_t i = 0; i < totals_column_count; i++) {
        const char *text = PQgetvalue(result, row, PQfnumber(result, totals_columns[i].name));
        int64_t count = strtoll(text, NULL, 10);
        memcpy((char *)totals + totals_columns[i].offset, &count, sizeof count);
    }
    return read_sketch(result, row, "response_bucket", "response_count", "response_us",
                       &totals->response) &&
           read_sketch(result, row, "resolution_bucket", "resolution_count", "resolution_us",
                       &totals->resolution);
}

static enum db_status query_totals(struct db *db, const struct kpi_query *query,
                                   const struct kpi_answer *answer, PGresult **ret_result) {
    char workspace[16];
    char cut[4];
    BUF_SCOPED from = {0};
    BUF_SCOPED to = {0};
    BUF_SCOPED lengths = {0};
    for (size_t i = 0; i < answer->count; i++) {
        const char *comma = i == 0 ? "{" : ",";
        buf_printf(&from, "%s%" PRId32, comma, answer->periods[i].from);
        buf_printf(&to, "%s%" PRId32, comma, answer->periods[i].to);
        buf_printf(&lengths, "%s%s", comma, granularity_name(answer->periods[i].granularity));
    }
    buf_add_char(&from, '}');
    buf_add_char(&to, '}');
    buf_add_char(&lengths, '}');
    if (!buf_ok(&from) || !buf_ok(&to) || !buf_ok(&lengths)) {
        return DB_LOST;
    }
    snprintf(workspace, sizeof workspace, "%d", query->workspace_id);
    snprintf(cut, sizeof cut, "%d",
             (query->segment != NULL ? 1 : 0) + (query->channel != NULL ? 2 : 0));
    const char *first = query->segment != NULL ? query->segment : query->channel;
    const char *values[] = {workspace,
                            buf_text(&from),
                            buf_text(&to),
                            buf_text(&lengths),
                            cut,
                            first != NULL ? first : "",
                            query->segment != NULL && query->channel != NULL ? query->channel : ""};
    return db_run(db, "kpi_totals", 7, values, ret_result);
}

static enum db_status read_body(struct db *db, void *context) {
    struct reading *reading = context;
    struct kpi_answer *answer = reading->answer;
    kpi_answer_clear(answer);
    enum db_status status = read_clock(db, reading->query->workspace_id, &answer->clock);
    if (status != DB_OK) {
        return status;
    }
    reading->err = reading->query->plan(reading->query->context, &answer->clock, &answer->periods,
                                        &answer->count, reading->problem);
    if (reading->err != ERR_OK) {
        return DB_STOP;
    }
    DB_RESULT *result = NULL;
    status = query_totals(db, reading->query, answer, &result);
    if (status != DB_OK) {
        return status;
    }
    answer->totals = calloc(answer->count, sizeof *answer->totals);
    bool complete = answer->totals != NULL && PQntuples(result) == (int)answer->count;
    for (size_t i = 0; complete && i < answer->count; i++) {
        complete = read_totals(result, (int)i, &answer->totals[i]);
    }
    if (!complete) {
        reading->err = problem_set(reading->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
        return DB_STOP;
    }
    return DB_OK;
}

enum err kpi_store_read(struct db *db, const struct kpi_query *query, struct kpi_answer *ret_answer,
                        struct problem *problem) {
    struct reading reading = {.query = query, .answer = ret_answer, .problem = problem};
    *ret_answer = (struct kpi_answer){0};
    enum db_status status = db_transaction(db, DB_SNAPSHOT, read_body, &reading);
    enum err err = status == DB_STOP ? reading.err : db_problem(db, status, problem);
    if (err != ERR_OK) {
        kpi_answer_clear(ret_answer);
    }
    return err;
}
