/* From cohorts.sql's changes to the cells of each cohort. */
#include "vinculo/cohort_store.h"

#include "vinculo/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { INTEGER_TEXT_MAX = 16, BOUNDARIES_MAX = COHORTS_MAX + COHORT_CELLS_MAX };

struct reading {
    const struct cohort_query *query;
    struct cohort_answer *answer;
    struct problem *problem;
    enum err err;
    /* First days of the cohorts' periods and of those after them, until the one to come. */
    int64_t boundaries[BOUNDARIES_MAX];
    size_t boundary_count;
};

void cohort_answer_clear(struct cohort_answer *answer) {
    free(answer->periods);
    free(answer->cohorts);
    *answer = (struct cohort_answer){0};
}

/* The end of the last cohort's period is always among them. */
static void set_boundaries(struct reading *reading) {
    const struct cohort_answer *answer = reading->answer;
    size_t count = 0;
    for (size_t i = 0; i < answer->count; i++) {
        reading->boundaries[count++] = answer->periods[i].from;
    }
    struct period next = answer->periods[answer->count - 1];
    do {
        int32_t day = next.to;
        reading->boundaries[count++] = day;
        period_containing(next.granularity, day, &next);
    } while (next.from <= answer->clock.today && count < answer->count + COHORT_CELLS_MAX);
    reading->boundary_count = count;
}

static enum db_status query_changes(struct db *db, const struct reading *reading,
                                    PGresult **ret_rows) {
    const struct cohort_query *query = reading->query;
    char workspace[INTEGER_TEXT_MAX], count[INTEGER_TEXT_MAX];
    BUF_SCOPED boundaries = {0};
    snprintf(workspace, sizeof workspace, "%d", query->workspace_id);
    snprintf(count, sizeof count, "%zu", reading->answer->count);
    db_array_int(&boundaries, reading->boundaries, reading->boundary_count);
    if (!buf_ok(&boundaries)) {
        return DB_LOST;
    }
    const char *values[] = {workspace, buf_text(&boundaries), count, query->segment,
                            query->channel};
    return db_run(db, "cohorts", 5, values, ret_rows);
}

static int64_t number(const PGresult *rows, int row, int column) {
    return strtoll(PQgetvalue(rows, row, column), NULL, 10);
}

/* Changes before the start of a period show from its cell on. */
static void fill_cohorts(const struct reading *reading, const PGresult *rows) {
    struct cohort_answer *answer = reading->answer;
    int64_t started[COHORTS_MAX] = {0};
    for (int row = 0; row < PQntuples(rows); row++) {
        size_t i = (size_t)number(rows, row, 0);
        size_t cell = (size_t)number(rows, row, 1) - i;
        started[i] += number(rows, row, 2);
        if (cell < COHORT_CELLS_MAX) {
            answer->cohorts[i].cells[cell] += number(rows, row, 3);
        }
    }
    for (size_t i = 0; i < answer->count; i++) {
        struct cohort *cohort = &answer->cohorts[i];
        for (size_t cell = 1; cell < COHORT_CELLS_MAX; cell++) {
            cohort->cells[cell] += cohort->cells[cell - 1];
        }
        cohort->cells[0] = started[i];
        while (cohort->cell_count < COHORT_CELLS_MAX &&
               i + cohort->cell_count < reading->boundary_count &&
               reading->boundaries[i + cohort->cell_count] <= answer->clock.today) {
            cohort->cell_count++;
        }
    }
}

static enum db_status read_body(struct db *db, void *context) {
    struct reading *reading = context;
    struct cohort_answer *answer = reading->answer;
    cohort_answer_clear(answer);
    enum db_status status = kpi_store_read_clock(db, reading->query->workspace_id, &answer->clock);
    if (status != DB_OK) {
        return status;
    }
    reading->err = reading->query->plan(reading->query->context, &answer->clock, &answer->periods,
                                        &answer->count, reading->problem);
    if (reading->err != ERR_OK) {
        return DB_STOP;
    }
    answer->cohorts = calloc(answer->count, sizeof *answer->cohorts);
    if (answer->cohorts == NULL) {
        reading->err = problem_set(reading->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
        return DB_STOP;
    }
    set_boundaries(reading);
    DB_RESULT *rows = NULL;
    status = query_changes(db, reading, &rows);
    if (status == DB_OK) {
        fill_cohorts(reading, rows);
    }
    return status;
}

enum err cohort_store_read(struct db *db, const struct cohort_query *query,
                           struct cohort_answer *ret_answer, struct problem *problem) {
    struct reading reading = {.query = query, .answer = ret_answer, .problem = problem};
    *ret_answer = (struct cohort_answer){0};
    enum db_status status = db_transaction(db, DB_SNAPSHOT, read_body, &reading);
    enum err err = status == DB_STOP ? reading.err : db_problem(db, status, problem);
    if (err != ERR_OK) {
        cohort_answer_clear(ret_answer);
    }
    return err;
}
