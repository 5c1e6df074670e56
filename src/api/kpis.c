/* GET /v1/kpis…: parameters → plan of periods → totals → KPI functions → JSON or CSV. */
#include "handlers.h"

#include "answers.h"
#include "figures.h"
#include "format.h"
#include "span.h"
#include "vinculo/json.h"
#include "vinculo/kpi.h"
#include "vinculo/kpi_store.h"
#include "vinculo/period.h"

#include <stdlib.h>
#include <string.h>

enum compare { COMPARE_PREVIOUS, COMPARE_YEAR_AGO, COMPARE_NONE };

/* What is asked for. */
struct question {
    struct call *call;
    const struct kpi_spec *kpis[KPIS_MAX];
    size_t kpi_count;
    bool series; /* of every period of a granularity, or by label: without comparison */
    bool has_granularity;
    enum granularity granularity;
    struct figure_question figures;
    enum compare compare;
    bool has_previous; /* decided by the plan: periods[1] is what periods[0] is compared with */
};

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
            "A series, or figures by label, have no comparison: leave out compare.");
    }
    return ERR_OK;
}

static enum err take_granularity(struct question *question) {
    struct call *call = question->call;
    const char *text = call_parameter(call, "granularity");
    question->has_granularity = text != NULL;
    question->series = text != NULL || call_parameter(call, "by") != NULL;
    if (text == NULL || granularity_parse(text, &question->granularity)) {
        return ERR_OK;
    }
    return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "granularity",
                                 "Allowed: day, week, month, quarter, year.");
}

static void write_labels(struct buf *out, unsigned labels) {
    for (unsigned label = 1; label < KPI_LABEL_END; label++) {
        if ((labels & 1U << label) != 0) {
            buf_printf(out, "%s%s", out->length == 0 ? "" : ", ",
                       kpi_label_name((enum kpi_label)label));
        }
    }
}

/* Beside by=segment the channel may be given, and the other way round; else no filter. */
static enum err check_filters(struct question *question, enum kpi_label by) {
    struct call *call = question->call;
    bool segment = call_parameter(call, "segment") != NULL;
    bool channel = call_parameter(call, "channel") != NULL;
    if ((segment && by != KPI_LABEL_CHANNEL) || (channel && by != KPI_LABEL_SEGMENT)) {
        return problem_add_parameter(
            &call->problem, ERR_UNSUPPORTED_COMBINATION, segment ? "segment" : "channel",
            "Beside by=segment only channel can be given, beside by=channel only segment, beside "
            "any other label neither.");
    }
    return ERR_OK;
}

static enum err take_by(struct question *question) {
    struct call *call = question->call;
    const char *text = call_parameter(call, "by");
    if (text == NULL) {
        return ERR_OK;
    }
    unsigned label = 1;
    while (label < KPI_LABEL_END && (kpi_label_name((enum kpi_label)label) == NULL ||
                                     strcmp(kpi_label_name((enum kpi_label)label), text) != 0)) {
        label++;
    }
    unsigned allowed = question->kpis[0]->labels;
    if (label == KPI_LABEL_END || (allowed & 1U << label) == 0) {
        BUF_SCOPED names = {0};
        write_labels(&names, allowed);
        return problem_add_parameter(
            &call->problem,
            label == KPI_LABEL_END ? ERR_INVALID_PARAMETER : ERR_UNSUPPORTED_COMBINATION, "by",
            "%s can be broken down by: %s.", question->kpis[0]->name, buf_text(&names));
    }
    question->figures.by = (enum kpi_label)label;
    return check_filters(question, question->figures.by);
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
            return kpi_refuse_unknown(question->call, ERR_INVALID_PARAMETER);
        }
        question->kpis[question->kpi_count++] = spec;
        if (text[length] == '\0') {
            return ERR_OK;
        }
        text += length + 1;
    }
}

static enum err plan_series(struct question *question, const struct kpi_clock *clock,
                            struct period **ret_periods, size_t *ret_count,
                            struct problem *problem) {
    struct period span;
    enum err err = span_take_series(question->call, clock, question->granularity, &span, problem);
    return err != ERR_OK ? err
                         : period_series(question->granularity, span.from, span.to, ret_periods,
                                         ret_count, problem);
}

static enum err plan(void *context, const struct kpi_clock *clock, struct period **ret_periods,
                     size_t *ret_count, struct problem *problem) {
    struct question *question = context;
    struct period span;
    if (question->has_granularity) {
        return plan_series(question, clock, ret_periods, ret_count, problem);
    }
    enum err err = span_take(question->call, clock, &span, problem);
    if (err != ERR_OK) {
        return err;
    }
    struct period *periods = calloc(2, sizeof *periods);
    if (periods == NULL) {
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    periods[0] = span;
    question->granularity = span.granularity;
    question->has_previous = !question->series && question->compare != COMPARE_NONE;
    if (question->has_previous && question->compare == COMPARE_PREVIOUS) {
        period_previous(&span, &periods[1]);
    } else if (question->has_previous) {
        question->has_previous = period_year_ago(&span, &periods[1]);
    }
    *ret_periods = periods;
    *ret_count = question->has_previous ? 2 : 1;
    return ERR_OK;
}

/* Calls `write` for every figure of the answer, in its order: KPI, period, group. */
static void walk(const struct question *question, const struct kpi_answer *answer, struct buf *out,
                 void (*write)(struct buf *out, const struct question *question,
                               const struct figure_view *view)) {
    int previous = question->has_previous ? 1 : NOTHING_BEFORE;
    size_t periods = question->series ? answer->count : 1;
    for (size_t kpi = 0; kpi < question->kpi_count; kpi++) {
        for (size_t period = 0; period < periods; period++) {
            for (size_t group = 0; group < answer->group_count; group++) {
                struct figure_view view;
                figures_view(answer, &question->figures, question->kpis[kpi], group, period,
                             question->series ? NOT_COMPARED : previous, &view);
                write(out, question, &view);
            }
        }
    }
}

static void write_value(struct buf *out, const struct question *question,
                        const struct figure_view *view) {
    (void)question;
    json_key(out, view->spec->name);
    json_begin_object(out);
    figures_write_members(out, view);
    json_end_object(out);
}

static void write_values(struct buf *out, const struct question *question,
                         const struct kpi_answer *answer) {
    json_begin_object(out);
    json_key(out, "period");
    figures_write_period(out, &answer->periods[0], &answer->clock);
    figures_write_filters(out, question->call);
    figures_write_data(out, &answer->clock);
    json_key(out, "kpis");
    json_begin_object(out);
    walk(question, answer, out, write_value);
    json_end_object(out);
    json_end_object(out);
}

static void write_element(struct buf *out, const struct question *question,
                          const struct figure_view *view) {
    (void)question;
    json_begin_object(out);
    json_key(out, "period");
    figures_write_period(out, view->period, &view->answer->clock);
    json_key(out, "group");
    json_put_text(out,
                  view->group != NULL && *view->group->label != '\0' ? view->group->label : NULL);
    figures_write_members(out, view);
    json_end_object(out);
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
    if (question->figures.by != KPI_LABEL_NONE) {
        json_key(out, "by");
        json_put_text(out, kpi_label_name(question->figures.by));
    }
    json_key(out, "timezone");
    json_put_text(out, answer->clock.timezone);
    figures_write_filters(out, question->call);
    figures_write_data(out, &answer->clock);
    json_key(out, "series");
    json_begin_array(out);
    walk(question, answer, out, write_element);
    json_end_array(out);
    json_end_object(out);
}

static void write_row(struct buf *out, const struct question *question,
                      const struct figure_view *view) {
    figures_write_csv_row(out, view, question->figures.by);
}

static void write_answer(const struct question *question, const struct kpi_answer *answer) {
    struct call *call = question->call;
    http_reply_set(call->request, 200, format_type(call->format));
    struct buf *body = &call->request->reply.body;
    if (call->format == FORMAT_CSV) {
        figures_write_csv_header(body);
        walk(question, answer, body, write_row);
        return;
    }
    if (question->series) {
        write_series(body, question, answer);
    } else {
        write_values(body, question, answer);
    }
    buf_add_char(body, '\n');
}

static enum err answer_question(struct question *question, struct db *db) {
    struct call *call = question->call;
    struct kpi_query query = {.workspace_id = call->grant.workspace_id,
                              .segment = call_parameter(call, "segment"),
                              .channel = call_parameter(call, "channel"),
                              .by = question->figures.by,
                              .ranked_by = question->kpis[0]->ranked_by,
                              .plan = plan,
                              .context = question};
    for (size_t i = 0; i < question->kpi_count; i++) {
        query.needs |= question->kpis[i]->needs;
    }
    question->figures.by_channel = query.channel != NULL;
    struct kpi_answer answer;
    enum err err = kpi_store_read(db, &query, &answer, &call->problem);
    if (err == ERR_OK) {
        write_answer(question, &answer);
        answers_keep(call, &answer.clock);
        kpi_answer_clear(&answer);
    }
    return err;
}

static enum err take_question(struct question *question) {
    struct call *call = question->call;
    enum err err = ERR_OK;
    if (call->name == NULL) {
        err = take_kpis(question);
    } else {
        question->kpis[question->kpi_count++] = kpi_find(call->name, strlen(call->name));
    }
    err = err == ERR_OK ? take_granularity(question) : err;
    err = err == ERR_OK ? take_by(question) : err;
    err = err == ERR_OK ? take_compare(question) : err;
    return err == ERR_OK ? figures_check_filters(call) : err;
}

static void run_kpis(struct work *work, struct db *db) {
    struct question question = {.call = call_of_work(work)};
    enum err err = take_question(&question);
    if (err == ERR_OK) {
        err = answer_question(&question, db);
    }
    call_conclude(question.call, err);
}

enum http_next handle_kpis(struct call *call) {
    if (format_choose(call, 1U << FORMAT_JSON | 1U << FORMAT_CSV, &call->format) != ERR_OK) {
        return call_refuse(call);
    }
    return answers_find(call) ? HTTP_REPLY : call_run_on_worker(call, run_kpis);
}

enum http_next handle_kpi(struct call *call) {
    if (kpi_find(call->name, strlen(call->name)) == NULL) {
        kpi_refuse_unknown(call, ERR_NOT_FOUND);
        return call_refuse(call);
    }
    return handle_kpis(call);
}
