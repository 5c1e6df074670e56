/* GET /v1/kpis…: parameters → plan of periods → one query → KPI functions → JSON. */
#include "handlers.h"

#include "figures.h"
#include "vinculo/json.h"
#include "vinculo/kpi.h"
#include "vinculo/kpi_store.h"
#include "vinculo/period.h"
#include "vinculo/record.h"

#include <stdlib.h>
#include <string.h>

enum compare { COMPARE_PREVIOUS, COMPARE_YEAR_AGO, COMPARE_NONE };

/* What is asked for. */
struct question {
    struct call *call;
    const struct kpi_spec *kpis[KPIS_MAX];
    size_t kpi_count;
    bool series;
    enum granularity granularity;
    enum compare compare;
    bool has_previous; /* decided by the plan: periods[1] is what periods[0] is compared with */
};

static enum err check_label(struct call *call, const char *name) {
    const char *label = call_parameter(call, name);
    if (label == NULL || record_label_is_valid(label, strlen(label))) {
        return ERR_OK;
    }
    return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, name,
                                 "A label has 1 to 64 characters.");
}

static enum err take_compare(struct question *question) {
    struct call *call = question->call;
    const char *text = call_parameter(call, "compare");
    if (text == NULL || strcmp(text, "previous") == 0) {
        question->compare = COMPARE_PREVIOUS;
    } else if (strcmp(text, "year_ago") == 0) {
        question->compare = COMPARE_YEAR_AGO;
    } else if (strcmp(text, "none") == 0) {
        question->compare = COMPARE_NONE;
    } else {
        return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "compare",
                                     "Allowed: previous, year_ago, none.");
    }
    if (text != NULL && question->series) {
        return problem_add_parameter(
            &call->problem, ERR_UNSUPPORTED_COMBINATION, "compare",
            "A series has no comparison: leave out compare or granularity.");
    }
    return ERR_OK;
}

static enum err take_granularity(struct question *question) {
    struct call *call = question->call;
    const char *text = call_parameter(call, "granularity");
    question->series = text != NULL;
    if (text == NULL || granularity_parse(text, &question->granularity)) {
        return ERR_OK;
    }
    return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "granularity",
                                 "Allowed: day, week, month, quarter, year.");
}

static enum err unknown_kpi(struct call *call, enum err code) {
    BUF_SCOPED names = {0};
    for (size_t i = 0; i < kpi_count; i++) {
        buf_printf(&names, "%s%s", i == 0 ? "" : ", ", kpi_catalogue[i].name);
    }
    if (code == ERR_NOT_FOUND) {
        return problem_set(&call->problem, code, "There is no such KPI. There are: %s.",
                           buf_text(&names));
    }
    return problem_add_parameter(&call->problem, code, "kpis",
                                 "A list of KPIs separated by commas, each once: %s.",
                                 buf_text(&names));
}

/* kpis=nps,csat; all where it is absent. */
static enum err take_kpis(struct question *question) {
    const char *text = call_parameter(question->call, "kpis");
    if (text == NULL) {
        for (size_t i = 0; i < kpi_count; i++) {
            question->kpis[question->kpi_count++] = &kpi_catalogue[i];
        }
        return ERR_OK;
    }
    while (true) {
        size_t length = strcspn(text, ",");
        const struct kpi_spec *spec = kpi_find(text, length);
        bool good = spec != NULL;
        for (size_t i = 0; good && i < question->kpi_count; i++) {
            good = question->kpis[i] != spec;
        }
        if (!good) {
            return unknown_kpi(question->call, ERR_INVALID_PARAMETER);
        }
        question->kpis[question->kpi_count++] = spec;
        if (text[length] == '\0') {
            return ERR_OK;
        }
        text += length + 1;
    }
}

/* The range that period=, or from= and to=, name; the default where neither is given. */
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
    if (!question->series) {
        return period_parse("last_month", today, ret_span, problem);
    }
    struct period unit;
    period_containing(question->granularity, today, &unit);
    ret_span->to = unit.from;
    for (int i = 0; i < 12; i++) {
        struct period before;
        period_previous(&unit, &before);
        unit = before;
    }
    ret_span->from = unit.from;
    return ERR_OK;
}

static enum err plan(void *context, const struct kpi_clock *clock, struct period **ret_periods,
                     size_t *ret_count, struct problem *problem) {
    struct question *question = context;
    struct period span = {0};
    enum err err = take_span(question, clock->today, &span, problem);
    if (err != ERR_OK) {
        return err;
    }
    if (question->series) {
        return period_series(question->granularity, span.from, span.to, ret_periods, ret_count,
                             problem);
    }
    struct period *periods = calloc(2, sizeof *periods);
    if (periods == NULL) {
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    periods[0] = span;
    question->has_previous = question->compare != COMPARE_NONE;
    if (question->compare == COMPARE_PREVIOUS) {
        period_previous(&span, &periods[1]);
    } else if (question->compare == COMPARE_YEAR_AGO) {
        question->has_previous = period_year_ago(&span, &periods[1]);
    }
    *ret_periods = periods;
    *ret_count = question->has_previous ? 2 : 1;
    return ERR_OK;
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

static void write_values(struct buf *out, const struct question *question,
                         const struct kpi_answer *answer) {
    json_begin_object(out);
    json_key(out, "period");
    figures_write_period(out, &answer->periods[0], &answer->clock);
    write_filters(out, question->call);
    figures_write_data(out, &answer->clock);
    json_key(out, "kpis");
    json_begin_object(out);
    for (size_t i = 0; i < question->kpi_count; i++) {
        json_key(out, question->kpis[i]->name);
        figures_write_compared(out, question->kpis[i], answer, question->has_previous);
    }
    json_end_object(out);
    json_end_object(out);
}

static void write_series_of(struct buf *out, const struct kpi_spec *spec,
                            const struct kpi_answer *answer) {
    for (size_t i = 0; i < answer->count; i++) {
        json_begin_object(out);
        json_key(out, "period");
        figures_write_period(out, &answer->periods[i], &answer->clock);
        json_key(out, "group");
        json_put_null(out);
        figures_write_members(out, spec, answer, i);
        json_end_object(out);
    }
}

static void write_series(struct buf *out, const struct question *question,
                         const struct kpi_answer *answer) {
    json_begin_object(out);
    if (question->call->name != NULL) {
        json_key(out, "kpi");
        json_put_text(out, question->call->name);
    }
    json_key(out, "granularity");
    json_put_text(out, granularity_name(question->granularity));
    json_key(out, "timezone");
    json_put_text(out, answer->clock.timezone);
    write_filters(out, question->call);
    figures_write_data(out, &answer->clock);
    json_key(out, "series");
    json_begin_array(out);
    for (size_t i = 0; i < question->kpi_count; i++) {
        write_series_of(out, question->kpis[i], answer);
    }
    json_end_array(out);
    json_end_object(out);
}

static enum err answer_question(struct question *question, struct db *db) {
    struct call *call = question->call;
    struct kpi_query query = {.workspace_id = call->grant.workspace_id,
                              .segment = call_parameter(call, "segment"),
                              .channel = call_parameter(call, "channel"),
                              .plan = plan,
                              .context = question};
    struct kpi_answer answer;
    enum err err = kpi_store_read(db, &query, &answer, &call->problem);
    if (err != ERR_OK) {
        return err;
    }
    struct buf *body = call_reply_json(call, 200);
    if (question->series) {
        write_series(body, question, &answer);
    } else {
        write_values(body, question, &answer);
    }
    buf_add_char(body, '\n');
    kpi_answer_clear(&answer);
    return ERR_OK;
}

static void run_kpis(struct work *work, struct db *db) {
    struct question question = {.call = call_of_work(work)};
    struct call *call = question.call;
    enum err err = ERR_OK;
    if (call->name == NULL) {
        err = take_kpis(&question);
    } else {
        question.kpis[question.kpi_count++] = kpi_find(call->name, strlen(call->name));
    }
    if (err == ERR_OK) {
        err = take_granularity(&question);
    }
    if (err == ERR_OK) {
        err = take_compare(&question);
    }
    if (err == ERR_OK) {
        err = check_label(call, "segment");
    }
    if (err == ERR_OK) {
        err = check_label(call, "channel");
    }
    if (err == ERR_OK) {
        err = answer_question(&question, db);
    }
    call_conclude(call, err);
}

enum http_next handle_kpis(struct call *call) { return call_run_on_worker(call, run_kpis); }

enum http_next handle_kpi(struct call *call) {
    if (kpi_find(call->name, strlen(call->name)) == NULL) {
        unknown_kpi(call, ERR_NOT_FOUND);
        return call_refuse(call);
    }
    return call_run_on_worker(call, run_kpis);
}

static void write_definition(struct buf *out, const struct kpi_spec *spec) {
    const struct {
        const char *name, *text;
    } members[] = {{"kpi", spec->name},
                   {"definition", spec->definition},
                   {"title", spec->title},
                   {"unit", kpi_unit_name(spec->unit)},
                   {"direction", kpi_direction_name(spec)},
                   {"cadence", granularity_name(spec->cadence)},
                   {"summary", spec->summary},
                   {"formula", spec->formula},
                   {"source", spec->source}};
    json_begin_object(out);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_key(out, members[i].name);
        json_put_text(out, members[i].text);
    }
    json_end_object(out);
}

enum http_next handle_definitions(struct call *call) {
    struct buf *body = call_reply_json(call, 200);
    json_begin_object(body);
    json_key(body, "definitions");
    json_begin_array(body);
    for (size_t i = 0; i < kpi_count; i++) {
        write_definition(body, &kpi_catalogue[i]);
    }
    json_end_array(body);
    json_end_object(body);
    buf_add_char(body, '\n');
    call_finish_reply(call);
    return HTTP_REPLY;
}

enum http_next handle_definition(struct call *call) {
    const struct kpi_spec *spec = kpi_find(call->name, strlen(call->name));
    if (spec == NULL) {
        unknown_kpi(call, ERR_NOT_FOUND);
        return call_refuse(call);
    }
    write_definition(call_reply_json(call, 200), spec);
    buf_add_char(&call->request->reply.body, '\n');
    call_finish_reply(call);
    return HTTP_REPLY;
}
