/* GET /v1/cohorts: parameters → periods of the rows → one query → JSON or CSV. */
#include "handlers.h"

#include "answers.h"
#include "figures.h"
#include "format.h"
#include "span.h"
#include "vinculo/cohort_store.h"
#include "vinculo/json.h"
#include "vinculo/period.h"
#include "vinculo/timestamp.h"

#include <inttypes.h>

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

static enum err plan(void *context, const struct kpi_clock *clock, struct period **ret_periods,
                     size_t *ret_count, struct problem *problem) {
    const struct question *question = context;
    struct period span = {0};
    enum err err = span_take_series(question->call, clock, question->granularity, &span, problem);
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

static void write_json(struct buf *out, const struct question *question,
                       const struct cohort_answer *answer) {
    json_begin_object(out);
    json_key(out, "granularity");
    json_put_text(out, granularity_name(question->granularity));
    json_key(out, "timezone");
    json_put_text(out, answer->clock.timezone);
    figures_write_filters(out, question->call);
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

static void run(struct work *work, struct db *db) {
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
        err = figures_check_filters(call);
    }
    if (err == ERR_OK) {
        err = cohort_store_read(db, &query, &answer, &call->problem);
    }
    if (err == ERR_OK) {
        http_reply_set(call->request, 200, format_type(call->format));
        if (call->format == FORMAT_CSV) {
            write_csv(&call->request->reply.body, &answer);
        } else {
            write_json(&call->request->reply.body, &question, &answer);
        }
        answers_keep(call, &answer.clock);
    }
    cohort_answer_clear(&answer);
    call_conclude(call, err);
}

enum http_next handle_cohorts(struct call *call) {
    if (format_choose(call, 1U << FORMAT_JSON | 1U << FORMAT_CSV, &call->format) != ERR_OK) {
        return call_refuse(call);
    }
    return answers_find(call) ? HTTP_REPLY : call_run_on_worker(call, run);
}
