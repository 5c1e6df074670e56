/*
 * The records behind a figure (see vinculo/kpi_records.h): which statements bring them.
 *
 * Parameters of sql/records_*.sql:
 *   $1 workspace; $2, $3 the stretch of the kind's time to look at (from, to exclusive), $4 the id
 * to go on after in it; $5 whether counted or uncounted records are wanted, null: both; $6 segment
 *   and $7 channel, null: any; $8 array of the instants at which the equal period before begins,
 *   the period begins and it ends; $9 what the part's row says.
 * Each looks at the next 5,000 records of its stretch and brings 251 at most. place: the record's
 * time; edge: the last one looked at, brought also where it does not fit; fits: it is wanted.
 */
#include "vinculo/kpi_records.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_MAX = 251, PARAMETERS_MAX = 9 };

/* What of the kind's time has to be looked at. */
enum reach { OF_PERIOD, OF_BOTH_PERIODS, BEFORE_END, EVER };

struct part {
    const char *kpi, *kind, *statement;
    enum reach reach;
    const char *variant; /* $9; NULL where the statement has none */
};

static const struct part parts[] = {
    {"csat", "survey", "records_answers", OF_PERIOD, "csat"},
    {"nps", "survey", "records_answers", OF_PERIOD, "nps"},
    {"ces", "survey", "records_answers", OF_PERIOD, "ces"},
    {"response_rate", "survey", "records_invitations", EVER, NULL},
    {"churn_rate", "customer", "records_cohort", BEFORE_END, NULL},
    {"churn_rate", "customer", "records_starts", OF_PERIOD, "part"},
    {"churn_rate", "cancellation", "records_cancellations", OF_PERIOD, NULL},
    {"churn_rate", "reactivation", "records_reactivations", OF_PERIOD, NULL},
    {"retention_rate", "customer", "records_cohort", BEFORE_END, NULL},
    {"buyer_retention_rate", "payment", "records_buyers", OF_BOTH_PERIODS, NULL},
    {"repeat_purchase_rate", "payment", "records_repeat_buyers", OF_PERIOD, NULL},
    {"revenue", "payment", "records_payments", OF_PERIOD, "sign"},
    {"revenue_growth_rate", "payment", "records_payments", OF_BOTH_PERIODS, "growth"},
    {"arpc", "payment", "records_customer_payments", OF_PERIOD, NULL},
    {"arpc", "customer", "records_active", BEFORE_END, NULL},
    {"cac", "cost", "records_costs", OF_PERIOD, NULL},
    {"cac", "customer", "records_starts", OF_PERIOD, "counted"},
    {"ltv", "payment", "records_customer_payments", OF_PERIOD, NULL},
    {"ltv", "cancellation", "records_losses", OF_PERIOD, NULL},
    {"first_response_time", "interaction", "records_responses", BEFORE_END, NULL},
    {"resolution_time", "interaction", "records_resolutions", BEFORE_END, NULL},
    {"first_contact_resolution", "interaction", "records_first_contacts", BEFORE_END, NULL},
    {"interactions", "interaction", "records_interactions", OF_PERIOD, "opened"},
    {"interactions", "interaction", "records_interactions", BEFORE_END, "responded"},
    {"interactions", "interaction", "records_interactions", BEFORE_END, "end"},
    {"feedback", "survey", "records_comments", OF_PERIOD, NULL},
    {"follow_up_rate", "survey", "records_low_scores", OF_PERIOD, NULL},
};

/* KPIs that are made of others. */
static const struct {
    const char *kpi, *of;
} composites[] = {
    {"ltv_cac_ratio", "ltv"},
    {"ltv_cac_ratio", "cac"},
    {"relationship_quality", "csat"},
    {"relationship_quality", "nps"},
    {"relationship_quality", "first_contact_resolution"},
    {"relationship_quality", "retention_rate"},
    {"relationship_quality", "ces"},
    {"relationship_quality", "first_response_time"},
};

const struct kpi_record_column kpi_record_columns[KPI_RECORD_COLUMNS] = {
    {"id", KPI_RECORD_TEXT},          {"customer_id", KPI_RECORD_TEXT},
    {"at", KPI_RECORD_MOMENT},        {"counted", KPI_RECORD_BOOL},
    {"why", KPI_RECORD_TEXT},         {"score", KPI_RECORD_NUMBER},
    {"scale_min", KPI_RECORD_NUMBER}, {"scale_max", KPI_RECORD_NUMBER},
    {"direction", KPI_RECORD_TEXT},   {"amount", KPI_RECORD_NUMBER},
    {"seconds", KPI_RECORD_NUMBER},   {"linked_id", KPI_RECORD_TEXT},
};

/* The n-th part of a KPI that is not made of others; lowers n by those that there are. */
static const struct part *find_own(const char *kpi, size_t *n) {
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(parts[i].kpi, kpi) == 0 && (*n)-- == 0)
            return &parts[i];
    }
    return NULL;
}

static const struct part *find_part(const struct kpi_spec *spec, size_t n) {
    const struct part *part = find_own(spec->name, &n);
    for (size_t i = 0; part == NULL && i < sizeof composites / sizeof composites[0]; i++) {
        if (strcmp(composites[i].kpi, spec->name) == 0)
            part = find_own(composites[i].of, &n);
    }
    return part;
}

bool kpi_records_has_part(const struct kpi_spec *spec, size_t part) {
    return find_part(spec, part) != NULL;
}

/* -- the period ---------------------------------------------------------------------------- */

struct beginning {
    struct kpi_records *records;
    enum err (*plan)(void *context, struct kpi_clock *clock, struct period *ret_period,
                     struct problem *problem);
    void *context;
    struct problem *problem;
    enum err err;
};

static enum db_status begin_body(struct db *db, void *context) {
    struct beginning *beginning = context;
    struct kpi_records *records = beginning->records;
    enum db_status status = kpi_store_read_clock(db, records->workspace_id, &records->clock);
    if (status != DB_OK)
        return status;
    beginning->err =
        beginning->plan(beginning->context, &records->clock, &records->period, beginning->problem);
    if (beginning->err != ERR_OK)
        return DB_STOP;
    struct period previous;
    period_previous(&records->period, &previous);
    char workspace[16], before[DATE_TEXT_MAX], from[DATE_TEXT_MAX], to[DATE_TEXT_MAX];
    snprintf(workspace, sizeof workspace, "%d", records->workspace_id);
    date_format(previous.from, before);
    date_format(records->period.from, from);
    date_format(records->period.to, to);
    const char *values[] = {workspace, before, from, to};
    DB_RESULT *row = NULL;
    status = db_run(db, "records_bounds", 4, values, &row);
    for (int i = 0; status == DB_OK && i < 3; i++)
        snprintf(records->bounds[i], sizeof records->bounds[i], "%s", PQgetvalue(row, 0, i));
    return status;
}

enum err kpi_records_begin(struct db *db, struct kpi_records *records,
                           enum err (*plan)(void *context, struct kpi_clock *clock,
                                            struct period *ret_period, struct problem *problem),
                           void *context, struct problem *problem) {
    struct beginning beginning = {records, plan, context, problem, ERR_OK};
    enum db_status status = db_transaction(db, DB_SNAPSHOT, begin_body, &beginning);
    return status == DB_STOP ? beginning.err : db_problem(db, status, problem);
}

/* -- one statement ------------------------------------------------------------------------- */

struct reading {
    const struct kpi_records *records;
    const struct part *part;
    PGresult **ret_result;
};

/* The stretch to look at: what is left of the time of the place reached (a time of its own, so that
 * the statement starts right there however many records share it), then all before it. */
static void set_stretch(const struct kpi_records *records, enum reach reach, const char **ret_from,
                        const char **ret_to, char text[2][TIMESTAMP_TEXT_MAX]) {
    const struct kpi_records_place *place = &records->place;
    *ret_from = reach == OF_PERIOD         ? records->bounds[1]
                : reach == OF_BOTH_PERIODS ? records->bounds[0]
                                           : "-infinity";
    *ret_to = reach == EVER ? "infinity" : records->bounds[2];
    if (!place->begun)
        return;
    timestamp_format(place->time_us, text[0]);
    timestamp_format(place->time_us + 1, text[1]);
    if (place->time_done) {
        *ret_to = text[0];
    } else {
        *ret_from = text[0];
        *ret_to = text[1];
    }
}

static enum db_status read_body(struct db *db, void *context) {
    static const char *const choices[] = {NULL, "true", "false"};
    struct reading *reading = context;
    const struct kpi_records *records = reading->records;
    const struct kpi_records_place *place = &records->place;
    char workspace[16], times[2][TIMESTAMP_TEXT_MAX];
    char bounds[sizeof records->bounds + 16];
    const char *from, *to;
    PQclear(*reading->ret_result); /* of an attempt before */
    *reading->ret_result = NULL;
    snprintf(workspace, sizeof workspace, "%d", records->workspace_id);
    snprintf(bounds, sizeof bounds, "{\"%s\",\"%s\",\"%s\"}", records->bounds[0],
             records->bounds[1], records->bounds[2]);
    set_stretch(records, reading->part->reach, &from, &to, times);
    const char *values[PARAMETERS_MAX] = {workspace,
                                          from,
                                          to,
                                          place->begun && !place->time_done ? place->id : "",
                                          choices[records->choice],
                                          records->segment,
                                          records->channel,
                                          bounds,
                                          reading->part->variant};
    /* As for lists: before PostgreSQL has statistics, it would sort all of a workspace. */
    enum db_status status = db_query(db, "SET LOCAL enable_sort = off", 0, NULL, NULL);
    return status == DB_OK
               ? db_run(db, reading->part->statement, reading->part->variant != NULL ? 9 : 8,
                        values, reading->ret_result)
               : status;
}

/* -- its rows ------------------------------------------------------------------------------ */

static bool is_true(const PGresult *result, int row, const char *column) {
    return db_is_true(result, row, PQfnumber(result, column));
}

static bool offer(const struct part *part, const PGresult *result, int row,
                  bool (*take)(void *context, const struct kpi_record *record), void *context) {
    struct kpi_record record = {.kpi = part->kpi, .kind = part->kind};
    for (size_t i = 0; i < KPI_RECORD_COLUMNS; i++) {
        int column = PQfnumber(result, kpi_record_columns[i].name);
        if (column >= 0 && !PQgetisnull(result, row, column))
            record.values[i] = PQgetvalue(result, row, column);
    }
    return take(context, &record);
}

static void begin_next_part(struct kpi_records *records) {
    size_t next = records->place.part + 1;
    records->place = (struct kpi_records_place){
        .part = next, .ended = !kpi_records_has_part(records->spec, next)};
}

static enum err take_rows(struct kpi_records *records, const struct part *part,
                          const PGresult *result,
                          bool (*take)(void *context, const struct kpi_record *record),
                          void *context, struct problem *problem) {
    struct kpi_records_place *place = &records->place;
    bool to_the_end = !place->begun || place->time_done;
    int count = PQntuples(result);
    for (int row = 0; row < count; row++) {
        int64_t time_us;
        if (!timestamp_parse_postgres(PQgetvalue(result, row, PQfnumber(result, "place")),
                                      &time_us))
            return problem_set(problem, ERR_UNAVAILABLE, "The database wrote an unknown time.");
        if (is_true(result, row, "fits") && !offer(part, result, row, take, context))
            return ERR_OK;
        place->begun = true;
        place->time_done = false;
        place->time_us = time_us;
        snprintf(place->id, sizeof place->id, "%s",
                 PQgetvalue(result, row, PQfnumber(result, "id")));
    }
    bool cut = count == ROWS_MAX || (count > 0 && is_true(result, count - 1, "edge"));
    if (!cut && to_the_end)
        begin_next_part(records);
    else if (!cut)
        place->time_done = true;
    return ERR_OK;
}

enum err kpi_records_next(struct db *db, struct kpi_records *records,
                          bool (*take)(void *context, const struct kpi_record *record),
                          void *context, struct problem *problem) {
    const struct part *part = find_part(records->spec, records->place.part);
    assert(part != NULL && !records->place.ended);
    DB_RESULT *result = NULL;
    struct reading reading = {records, part, &result};
    enum db_status status = db_transaction(db, DB_SNAPSHOT, read_body, &reading);
    if (status == DB_REFUSED) /* what was asked for has been checked: not the client's fault */
        return problem_set(problem, ERR_UNAVAILABLE, "The database refused to list (SQLSTATE %s).",
                           db_sqlstate(db));
    enum err err = db_problem(db, status, problem);
    return err == ERR_OK ? take_rows(records, part, result, take, context, problem) : err;
}
