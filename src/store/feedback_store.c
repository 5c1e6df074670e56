/* Searching comments, terms and drivers (see vinculo/feedback_store.h). */
#include "vinculo/feedback_store.h"

#include "vinculo/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT_MAX = 24 };

/* A transaction on its way; `ret` is what it fills in. */
struct reading {
    const struct feedback_query *query;
    const struct feedback_period *period;
    int workspace_id;
    char workspace[NUMBER_TEXT_MAX];
    void *ret;
    struct problem *problem;
    enum err err; /* with DB_STOP */
};

static enum db_status stop(struct reading *reading, enum err err) {
    reading->err = err;
    return DB_STOP;
}

static enum db_status out_of_memory(struct reading *reading) {
    return stop(reading,
                problem_set(reading->problem, ERR_UNAVAILABLE, "Out of memory; try again."));
}

static enum err run(struct db *db, struct reading *reading,
                    enum db_status (*body)(struct db *db, void *context)) {
    snprintf(reading->workspace, sizeof reading->workspace, "%d", reading->workspace_id);
    enum db_status status = db_transaction(db, DB_SNAPSHOT, body, reading);
    if (status == DB_REFUSED) { /* what was asked for has been checked: not the client's fault */
        return problem_set(reading->problem, ERR_UNAVAILABLE,
                           "The database refused to search (SQLSTATE %s).", db_sqlstate(db));
    }
    return status == DB_STOP ? reading->err : db_problem(db, status, reading->problem);
}

static enum db_status read_period(struct db *db, struct reading *reading,
                                  struct kpi_clock *ret_clock, struct period *ret_period) {
    enum db_status status = kpi_store_read_clock(db, reading->workspace_id, ret_clock);
    if (status != DB_OK) {
        return status;
    }
    enum err err =
        reading->period->plan(reading->period->context, ret_clock, ret_period, reading->problem);
    return err == ERR_OK ? DB_OK : stop(reading, err);
}

/* A prepared list of comments */

static const char *language_of(const char *text) { return strcmp(text, "pt") == 0 ? "pt" : "en"; }

static enum db_status prepare_search(struct db *db, struct reading *reading,
                                     struct comment_filter *comments) {
    const char *values[] = {reading->workspace, comments->search};
    DB_RESULT *row = NULL;
    enum db_status status = db_run(db, "feedback_search", 2, values, &row);
    if (status != DB_OK || PQntuples(row) == 0) {
        return status == DB_OK ? DB_LOST : status;
    }
    if (PQgetisnull(row, 0, 1)) {
        return stop(reading, problem_add_parameter(
                                 reading->problem, ERR_INVALID_PARAMETER, "q",
                                 "Nothing to search for: words so common that they are left out of "
                                 "the index (such as of, the, de, não) need others beside them."));
    }
    comment_filter_clear(comments); /* of an attempt before */
    comments->language = language_of(PQgetvalue(row, 0, 0));
    comments->query = strdup(PQgetvalue(row, 0, 1));
    comments->common = db_is_true(row, 0, 2);
    return comments->query != NULL ? DB_OK : out_of_memory(reading);
}

static enum db_status begin_body(struct db *db, void *context) {
    struct reading *reading = context;
    struct record_list *list = reading->ret;
    enum db_status status = DB_OK;
    if (reading->period != NULL) {
        struct kpi_clock clock;
        struct period period;
        status = read_period(db, reading, &clock, &period);
        if (status == DB_OK) {
            list->from = (struct list_bound){.present = true, .is_date = true, .at = period.from};
            list->to = (struct list_bound){.present = true, .is_date = true, .at = period.to};
        }
    }
    if (status == DB_OK && list->comments->search != NULL) {
        status = prepare_search(db, reading, list->comments);
    }
    return status;
}

enum err feedback_store_begin(struct db *db, const struct feedback_period *period,
                              struct record_list *list, struct problem *problem) {
    struct reading reading = {
        .period = period, .workspace_id = list->workspace_id, .ret = list, .problem = problem};
    return run(db, &reading, begin_body);
}

/* Terms */

static int64_t integer_at(const PGresult *result, int row, int column) {
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

void feedback_terms_clear(struct feedback_terms *terms) {
    for (size_t i = 0; terms->terms != NULL && i < terms->count; i++) {
        free(terms->terms[i].lexeme);
        free(terms->terms[i].word);
    }
    free(terms->terms);
    *terms = (struct feedback_terms){0};
}

/* First days and ends of the period and the one before as array literals. */
struct days {
    char from[2 * NUMBER_TEXT_MAX], to[2 * NUMBER_TEXT_MAX];
};

static void write_days(const struct feedback_terms *terms, struct days *ret_days) {
    snprintf(ret_days->from, sizeof ret_days->from, "{%" PRId32 ",%" PRId32 "}", terms->period.from,
             terms->previous.from);
    snprintf(ret_days->to, sizeof ret_days->to, "{%" PRId32 ",%" PRId32 "}", terms->period.to,
             terms->previous.to);
}

static enum db_status read_total(struct db *db, const struct reading *reading,
                                 const struct days *days, struct feedback_terms *terms) {
    const char *segment = reading->query->segment, *channel = reading->query->channel;
    const char *first = segment != NULL ? segment : channel;
    char cut[NUMBER_TEXT_MAX];
    snprintf(cut, sizeof cut, "%d", (segment != NULL ? 1 : 0) + (channel != NULL ? 2 : 0));
    const char *values[] = {reading->workspace,
                            days->from,
                            days->to,
                            cut,
                            first != NULL ? first : "",
                            segment != NULL && channel != NULL ? channel : ""};
    DB_RESULT *result = NULL;
    enum db_status status = db_run(db, "feedback_total", 6, values, &result);
    if (status != DB_OK || PQntuples(result) != 2) {
        return status == DB_OK ? DB_LOST : status;
    }
    terms->total = integer_at(result, 0, 0);
    terms->total_before = integer_at(result, 1, 0);
    snprintf(terms->language, sizeof terms->language, "%s", PQgetvalue(result, 0, 1));
    return DB_OK;
}

/* False where memory is short. */
static bool take_terms(const PGresult *result, struct feedback_terms *terms) {
    int count = PQntuples(result);
    terms->terms = calloc((size_t)count + 1, sizeof *terms->terms);
    if (terms->terms == NULL) {
        return false;
    }
    for (int row = 0; row < count; row++) {
        struct term *term = &terms->terms[terms->count++];
        *term = (struct term){.lexeme = strdup(PQgetvalue(result, row, 0)),
                              .word = strdup(PQgetvalue(result, row, 1)),
                              .n = integer_at(result, row, 2),
                              .positive = integer_at(result, row, 3),
                              .neutral = integer_at(result, row, 4),
                              .negative = integer_at(result, row, 5),
                              .unscored = integer_at(result, row, 6),
                              .before = integer_at(result, row, 7)};
        if (term->lexeme == NULL || term->word == NULL) {
            return false;
        }
    }
    return true;
}

static enum db_status terms_body(struct db *db, void *context) {
    struct reading *reading = context;
    struct feedback_terms *terms = reading->ret;
    struct days days;
    feedback_terms_clear(terms); /* of an attempt before */
    enum db_status status = read_period(db, reading, &terms->clock, &terms->period);
    if (status != DB_OK) {
        return status;
    }
    period_previous(&terms->period, &terms->previous);
    write_days(terms, &days);
    status = read_total(db, reading, &days, terms);
    if (status != DB_OK) {
        return status;
    }
    char read_max[NUMBER_TEXT_MAX], limit[NUMBER_TEXT_MAX];
    snprintf(read_max, sizeof read_max, "%d", TERMS_READ_MAX);
    snprintf(limit, sizeof limit, "%zu", reading->query->limit);
    const char *values[] = {reading->workspace,      days.from, days.to, reading->query->segment,
                            reading->query->channel, read_max,  limit};
    DB_RESULT *result = NULL;
    status = db_run(db, "feedback_terms", 7, values, &result);
    return status != DB_OK || take_terms(result, terms) ? status : out_of_memory(reading);
}

enum err feedback_store_terms(struct db *db, const struct feedback_query *query,
                              struct feedback_terms *ret_terms, struct problem *problem) {
    struct reading reading = {.query = query,
                              .period = &query->period,
                              .workspace_id = query->workspace_id,
                              .ret = ret_terms,
                              .problem = problem};
    *ret_terms = (struct feedback_terms){0};
    enum err err = run(db, &reading, terms_body);
    if (err != ERR_OK) {
        feedback_terms_clear(ret_terms);
    }
    return err;
}

/* Drivers */

void feedback_drivers_clear(struct feedback_drivers *drivers) {
    for (size_t i = 0; drivers->totals != NULL && i < drivers->count; i++) {
        free(drivers->totals[i].aspect);
    }
    free(drivers->totals);
    *drivers = (struct feedback_drivers){0};
}

static bool take_drivers(const PGresult *result, struct feedback_drivers *drivers) {
    int count = PQntuples(result);
    drivers->totals = calloc((size_t)count + 1, sizeof *drivers->totals);
    if (drivers->totals == NULL) {
        return false;
    }
    for (int row = 0; row < count; row++) {
        struct driver_totals *totals = &drivers->totals[drivers->count++];
        int column = 0;
        totals->aspect = strdup(PQgetvalue(result, row, column++));
        totals->n = integer_at(result, row, column++);
        totals->satisfied = integer_at(result, row, column++);
        for (int type = 0; type < OVERALL_COUNT; type++) {
            struct driver_pairs *pairs = &totals->pairs[type];
            pairs->satisfied = integer_at(result, row, column++);
            pairs->satisfied_positive = integer_at(result, row, column++);
            pairs->other = integer_at(result, row, column++);
            pairs->other_positive = integer_at(result, row, column++);
        }
        if (totals->aspect == NULL) {
            return false;
        }
    }
    return true;
}

static enum db_status drivers_body(struct db *db, void *context) {
    struct reading *reading = context;
    struct feedback_drivers *drivers = reading->ret;
    feedback_drivers_clear(drivers); /* of an attempt before */
    enum db_status status = read_period(db, reading, &drivers->clock, &drivers->period);
    if (status != DB_OK) {
        return status;
    }
    char from[NUMBER_TEXT_MAX], to[NUMBER_TEXT_MAX], limit[NUMBER_TEXT_MAX];
    snprintf(from, sizeof from, "%" PRId32, drivers->period.from);
    snprintf(to, sizeof to, "%" PRId32, drivers->period.to);
    snprintf(limit, sizeof limit, "%d", DRIVERS_MAX);
    const char *values[] = {reading->workspace,      from, to, reading->query->segment,
                            reading->query->channel, limit};
    DB_RESULT *result = NULL;
    status = db_run(db, "feedback_drivers", 6, values, &result);
    return status != DB_OK || take_drivers(result, drivers) ? status : out_of_memory(reading);
}

enum err feedback_store_drivers(struct db *db, const struct feedback_query *query,
                                struct feedback_drivers *ret_drivers, struct problem *problem) {
    struct reading reading = {.query = query,
                              .period = &query->period,
                              .workspace_id = query->workspace_id,
                              .ret = ret_drivers,
                              .problem = problem};
    *ret_drivers = (struct feedback_drivers){0};
    enum err err = run(db, &reading, drivers_body);
    if (err != ERR_OK) {
        feedback_drivers_clear(ret_drivers);
    }
    return err;
}
