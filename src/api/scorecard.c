/* GET /v1/scorecard: every KPI of the last complete period of its cadence. */
#include "handlers.h"

#include "answers.h"
#include "figures.h"
#include "format.h"
#include "vinculo/json.h"
#include "vinculo/kpi.h"
#include "vinculo/record.h"
#include "vinculo/timestamp.h"

#include <stdlib.h>
#include <string.h>

/* The periods of an answer: those of the three cadences, each followed by the one before. */
enum { MONTHLY = 0, QUARTERLY = 2, YEARLY = 4, PERIODS = 6 };

struct scorecard {
    struct call *call;
    bool has_at;
    int32_t at;    /* the day as of which periods are complete; today where it is not given */
    bool calendar; /* the last calendar year instead of the last twelve months */
    unsigned needs[PERIODS]; /* of the KPIs of each period's cadence */
};

static enum err take_at(struct scorecard *card) {
    const char *text = call_parameter(card->call, "at");
    card->has_at = text != NULL;
    if (text == NULL || date_parse(text, strlen(text), &card->at)) {
        return ERR_OK;
    }
    return problem_add_parameter(&card->call->problem, ERR_INVALID_PARAMETER, "at",
                                 "must be an existing date such as 2026-10-05.");
}

static enum err take_window(struct scorecard *card) {
    const char *text = call_parameter(card->call, "window");
    card->calendar = text != NULL && strcmp(text, "calendar") == 0;
    if (text == NULL || card->calendar || strcmp(text, "trailing") == 0) {
        return ERR_OK;
    }
    return problem_add_parameter(&card->call->problem, ERR_INVALID_PARAMETER, "window",
                                 "Allowed: trailing, calendar.");
}

static enum err plan(void *context, const struct kpi_clock *clock, struct period **ret_periods,
                     size_t *ret_count, struct problem *problem) {
    struct scorecard *card = context;
    struct period *periods = calloc(PERIODS, sizeof *periods);
    if (periods == NULL) {
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    if (!card->has_at) {
        card->at = clock->today;
    }
    static const enum granularity cadences[] = {GRANULARITY_MONTH, GRANULARITY_QUARTER,
                                                GRANULARITY_YEAR};
    for (size_t i = 0; i < PERIODS; i += 2) {
        struct period present;
        period_containing(cadences[i / 2], card->at, &present);
        period_previous(&present, &periods[i]);
        if (i == YEARLY && !card->calendar) {
            period_trailing_year(card->at, &periods[i]);
        }
        period_previous(&periods[i], &periods[i + 1]);
    }
    *ret_periods = periods;
    *ret_count = PERIODS;
    return ERR_OK;
}

static size_t period_of(const struct kpi_spec *spec) {
    return spec->cadence == GRANULARITY_MONTH     ? MONTHLY
           : spec->cadence == GRANULARITY_QUARTER ? QUARTERLY
                                                  : YEARLY;
}

static void view_of(const struct kpi_answer *answer, const struct figure_question *question,
                    size_t kpi, struct figure_view *ret_view) {
    size_t period = period_of(&kpi_catalogue[kpi]);
    figures_view(answer, question, &kpi_catalogue[kpi], 0, period, (int)period + 1, ret_view);
}

static void write_actions(struct buf *out, const struct kpi_actions *actions) {
    const struct {
        const char *name;
        int64_t count;
    } members[] = {{"open", actions->open}, {"overdue", actions->overdue}, {"done", actions->done}};
    json_key(out, "actions");
    json_begin_object(out);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_key(out, members[i].name);
        json_put_int(out, members[i].count);
    }
    json_end_object(out);
}

static void write_json(struct buf *out, const struct scorecard *card,
                       const struct figure_question *question, const struct kpi_answer *answer,
                       const struct kpi_actions *actions) {
    char at[DATE_TEXT_MAX];
    date_format(card->at, at);
    json_begin_object(out);
    json_key(out, "at");
    json_put_text(out, at);
    json_key(out, "window");
    json_put_text(out, card->calendar ? "calendar" : "trailing");
    json_key(out, "timezone");
    json_put_text(out, answer->clock.timezone);
    figures_write_filters(out, card->call);
    figures_write_data(out, &answer->clock);
    json_key(out, "kpis");
    json_begin_object(out);
    for (size_t i = 0; i < kpi_count; i++) {
        struct figure_view view;
        view_of(answer, question, i, &view);
        json_key(out, kpi_catalogue[i].name);
        json_begin_object(out);
        json_key(out, "period");
        figures_write_period(out, view.period, &answer->clock);
        figures_write_members(out, &view);
        json_end_object(out);
    }
    json_end_object(out);
    write_actions(out, actions);
    json_end_object(out);
    buf_add_char(out, '\n');
}

static void write_csv(struct buf *out, const struct figure_question *question,
                      const struct kpi_answer *answer) {
    figures_write_csv_header(out);
    for (size_t i = 0; i < kpi_count; i++) {
        struct figure_view view;
        view_of(answer, question, i, &view);
        figures_write_csv_row(out, &view, KPI_LABEL_NONE);
    }
}

static enum err answer_card(struct scorecard *card, struct db *db) {
    struct call *call = card->call;
    struct kpi_actions actions = {0};
    struct kpi_query query = {.workspace_id = call->grant.workspace_id,
                              .segment = call_parameter(call, "segment"),
                              .channel = call_parameter(call, "channel"),
                              .ret_actions = &actions,
                              .plan = plan,
                              .context = card};
    struct figure_question question = {.by_channel = query.channel != NULL};
    for (size_t i = 0; i < kpi_count; i++) {
        size_t period = period_of(&kpi_catalogue[i]);
        query.needs |= kpi_catalogue[i].needs;
        card->needs[period] |= kpi_catalogue[i].needs;
        card->needs[period + 1] |= kpi_catalogue[i].needs;
    }
    query.period_needs = card->needs;
    struct kpi_answer answer;
    enum err err = kpi_store_read(db, &query, &answer, &call->problem);
    if (err != ERR_OK) {
        return err;
    }
    http_reply_set(call->request, 200, format_type(call->format));
    struct buf *body = &call->request->reply.body;
    if (call->format == FORMAT_CSV) {
        write_csv(body, &question, &answer);
    } else {
        write_json(body, card, &question, &answer, &actions);
    }
    answers_keep(call, &answer.clock);
    kpi_answer_clear(&answer);
    return ERR_OK;
}

static void run_scorecard(struct work *work, struct db *db) {
    struct scorecard card = {.call = call_of_work(work)};
    enum err err = take_at(&card);
    err = err == ERR_OK ? take_window(&card) : err;
    err = err == ERR_OK ? figures_check_filters(card.call) : err;
    err = err == ERR_OK ? answer_card(&card, db) : err;
    call_conclude(card.call, err);
}

enum http_next handle_scorecard(struct call *call) {
    if (format_choose(call, 1U << FORMAT_JSON | 1U << FORMAT_CSV, &call->format) != ERR_OK) {
        return call_refuse(call);
    }
    return answers_find(call) ? HTTP_REPLY : call_run_on_worker(call, run_scorecard);
}
