/* GET /v1/cohorts: parameters → periods of the rows → one query → JSON or CSV. */
#include "handlers.h"

#include "figures.h"
#include "format.h"
#include "vinculo/cohort_store.h"
#include "vinculo/csv.h"
#include "vinculo/json.h"
#include "vinculo/period.h"
#include "vinculo/record.h"
#include "vinculo/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_DEFAULT = 12 };

/* What is asked for. */
struct question {
    struct call *call;
    enum granularity granularity;
};

static enum err take_granularity(struct question *question) {
    struct call *call = question->call;
    const char *text = call_parameter(call, "granularity");
    question->granularity = GRANULARITY_MONTH;
    bool good = text == NULL || granularity_parse(text, &question->granularity);
    if (good && question->granularity != GRANULARITY_DAY) {
        return ERR_OK;
    }
    return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "granularity",
                                 "Allowed: week, month, quarter, year.");
}

static enum err check_label(struct call *call, const char *name) {
    const char *label = call_parameter(call, name);
    if (label == NULL || record_label_is_valid(label, strlen(label))) {
        return ERR_OK;
    }
    return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, name,
                                 "A label has 1 to 64 characters.");
}

static enum err take_span(const struct question *question, int32_t today, struct period *ret_span,
                          struct problem *problem) {
    const char *period = call_parameter(question->call, "period");
    const char *from = call_parameter(question->call, "from");
    const char *to = call_parameter(question->call, "to");
    if (period != NULL && (from != NULL || to != NULL)) {
        return problem_add_parameter(problem, ERR_UNSUPPORTED_COMBINATION, "period",
                                     "Give either period, or from and to.");
    }
    if (from != NULL || to != NULL) {
        return period_parse_range(from, to, ret_span, problem);
    }
    if (period != NULL) {
        return period_parse(period, today, ret_span, problem);
    }
    struct period unit;
    period_containing(question->granularity, today, &unit);
    ret_span->to = unit.from;
    for (int i = 0; i < ROWS_DEFAULT; i++) {
        period_containing(question->granularity, unit.from - 1, &unit);
    }
    ret_span->from = unit.from;
    return ERR_OK;
}

static enum err plan(void *context, const struct kpi_clock *clock, struct period **ret_periods,
                     size_t *ret_count, struct problem *problem) {
    const struct question *question = context;
    struct period span = {0};
    enum err err = take_span(question, clock->today, &span, problem);
    if (err == ERR_OK) {
        err = period_series(question->granularity, span.from, span.to, ret_periods, ret_count,
                            problem);
    }
    if (err == ERR_OK && *ret_count > COHORTS_MAX) {
        err = problem_add_parameter(problem, ERR_INVALID_PARAMETER, "granularity",
                                    "there would be more than %d cohorts: ask for a shorter range "
                                    "or a coarser granularity",
                                    COHORTS_MAX);
    }
    return err;
}

static void write_filters(struct buf *out, const struct call *call) {
    static const char *const names[] = {"segment", "channel"};
    json_key(out, "filters");
    json_begin_object(out);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (call_parameter(call, names[i]) != NULL) {
            json_key(out, names[i]);
            json_put_text(out, call_parameter(call, names[i]));
        }
    }
    json_end_object(out);
}

static void write_json(struct buf *out, const struct question *question,
                       const struct cohort_answer *answer) {
    json_begin_object(out);
    json_key(out, "granularity");
    json_put_text(out, granularity_name(question->granularity));
    json_key(out, "timezone");
    json_put_text(out, answer->clock.timezone);
    write_filters(out, question->call);
    json_key(out, "rows");
    json_begin_array(out);
    for (size_t i = 0; i < answer->count; i++) {
        const struct cohort *cohort = &answer->cohorts[i];
        json_begin_object(out);
        json_key(out, "period");
        figures_write_period(out, &answer->periods[i], &answer->clock);
        json_key(out, "cells");
        json_begin_array(out);
        for (size_t cell = 0; cell < cohort->cell_count; cell++) {
            json_put_int(out, cohort->cells[cell]);
        }
        json_end_array(out);
        json_end_object(out);
    }
    json_end_array(out);
    json_end_object(out);
    buf_add_char(out, '\n');
}

/* One row per cell. None of these needs quotes. */
static void write_csv(struct buf *out, const struct cohort_answer *answer) {
    buf_add_str(out, "period,from,to,cell,n\r\n");
    for (size_t i = 0; i < answer->count; i++) {
        const struct period *period = &answer->periods[i];
        const struct cohort *cohort = &answer->cohorts[i];
        char from[DATE_TEXT_MAX], to[DATE_TEXT_MAX];
        date_format(period->from, from);
        date_format(period->to, to);
        for (size_t cell = 0; cell < cohort->cell_count; cell++) {
            buf_printf(out, "%s,%s,%s,%zu,%" PRId64 "\r\n", period->key, from, to, cell,
                       cohort->cells[cell]);
        }
    }
}

static void run(struct work *work, struct db *db, enum format format) {
    struct question question = {.call = call_of_work(work)};
    struct call *call = question.call;
    struct cohort_query query = {.workspace_id = call->grant.workspace_id,
                                 .segment = call_parameter(call, "segment"),
                                 .channel = call_parameter(call, "channel"),
                                 .plan = plan,
                                 .context = &question};
    struct cohort_answer answer = {0};
    enum err err = take_granularity(&question);
    if (err == ERR_OK) {
        err = check_label(call, "segment");
    }
    if (err == ERR_OK) {
        err = check_label(call, "channel");
    }
    if (err == ERR_OK) {
        err = cohort_store_read(db, &query, &answer, &call->problem);
    }
    if (err == ERR_OK) {
        http_reply_set(call->request, 200, format_type(format));
        if (format == FORMAT_CSV) {
            write_csv(&call->request->reply.body, &answer);
        } else {
            write_json(&call->request->reply.body, &question, &answer);
        }
    }
    cohort_answer_clear(&answer);
    call_conclude(call, err);
}

static void run_json(struct work *work, struct db *db) { run(work, db, FORMAT_JSON); }

static void run_csv(struct work *work, struct db *db) { run(work, db, FORMAT_CSV); }

enum http_next handle_cohorts(struct call *call) {
    enum format format = FORMAT_JSON;
    if (format_choose(call, 1U << FORMAT_JSON | 1U << FORMAT_CSV, &format) != ERR_OK) {
        return call_refuse(call);
    }
    return call_run_on_worker(call, format == FORMAT_CSV ? run_csv : run_json);
}
