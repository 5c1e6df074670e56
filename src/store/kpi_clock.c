/* What a KPI request needs to know of its workspace first (see vinculo/kpi_store.h). */
#include "vinculo/kpi_store.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORKSPACE_TEXT_MAX = 16 };

static int32_t day_or(const PGresult *row, int column, int32_t otherwise) {
    return PQgetisnull(row, 0, column) ? otherwise
                                       : (int32_t)strtol(PQgetvalue(row, 0, column), NULL, 10);
}

static void read_settings(const PGresult *row, struct kpi_settings *ret_settings) {
    ret_settings->response_window_days = atoi(PQgetvalue(row, 0, 3));
    ret_settings->gross_margin = strtod(PQgetvalue(row, 0, 4), NULL);
    ret_settings->response_target_seconds = atoi(PQgetvalue(row, 0, 5));
    char *weights = PQgetvalue(row, 0, 6);
    for (size_t i = 0; i < QUALITY_PARTS; i++) {
        ret_settings->weights[i] = strtod(weights, &weights);
    }
}

enum db_status kpi_store_read_clock(struct db *db, int workspace_id, struct kpi_clock *ret_clock) {
    char workspace[WORKSPACE_TEXT_MAX];
    snprintf(workspace, sizeof workspace, "%d", workspace_id);
    const char *values[] = {workspace};
    DB_RESULT *row = NULL;
    enum db_status status = db_run(db, "kpi_clock", 1, values, &row);
    if (status != DB_OK) {
        return status;
    }
    if (PQntuples(row) == 0) {
        return DB_LOST;
    }
    snprintf(ret_clock->timezone, sizeof ret_clock->timezone, "%s", PQgetvalue(row, 0, 0));
    snprintf(ret_clock->currency, sizeof ret_clock->currency, "%s", PQgetvalue(row, 0, 2));
    ret_clock->today = day_or(row, 1, 0);
    read_settings(row, &ret_clock->settings);
    ret_clock->first = day_or(row, 7, 0);
    ret_clock->last = day_or(row, 8, 0);
    ret_clock->has_data = !PQgetisnull(row, 0, 8);
    ret_clock->surveys_from = day_or(row, 9, INT32_MAX);
    ret_clock->interactions_from = day_or(row, 10, INT32_MAX);
    ret_clock->payments_from = day_or(row, 11, INT32_MAX);
    ret_clock->cancellations_stored = PQgetvalue(row, 0, 12)[0] == '1';
    ret_clock->version = strtoll(PQgetvalue(row, 0, 13), NULL, 10);
    ret_clock->day_ends_us = strtoll(PQgetvalue(row, 0, 14), NULL, 10);
    ret_clock->waiting =
        (struct kpi_waiting){.source = {[SOURCE_SURVEYS] = db_is_true(row, 0, 15),
                                        [SOURCE_INTERACTIONS] = db_is_true(row, 0, 16),
                                        [SOURCE_LIFE] = db_is_true(row, 0, 17),
                                        [SOURCE_PAYMENTS] = db_is_true(row, 0, 18),
                                        [SOURCE_CUSTOMER_REVENUE] = db_is_true(row, 0, 18),
                                        [SOURCE_COSTS] = db_is_true(row, 0, 19)},
                             .buyers = db_is_true(row, 0, 20)};
    return DB_OK;
}
