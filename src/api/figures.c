/* Computing the figures of an answer and writing them as JSON. */
#include "figures.h"

#include "vinculo/currency.h"
#include "vinculo/json.h"
#include "vinculo/record.h"
#include "vinculo/target.h"
#include "vinculo/timestamp.h"

#include <math.h>
#include <string.h>

#define INTERVAL_LEVEL 0.95

static void put_date(struct buf *out, const char *key, int32_t date) {
    char text[DATE_TEXT_MAX];
    date_format(date, text);
    json_key(out, key);
    json_put_text(out, text);
}

static void put_number(struct buf *out, const char *key, double value) {
    json_key(out, key);
    json_put_decimal(out, value); /* NaN writes null */
}

static void put_text(struct buf *out, const char *key, const char *text) {
    json_key(out, key);
    json_put_text(out, text);
}

void figures_write_period(struct buf *out, const struct period *period,
                          const struct kpi_clock *clock) {
    json_begin_object(out);
    put_text(out, "key", period->key);
    put_text(out, "granularity", granularity_name(period->granularity));
    put_date(out, "from", period->from);
    put_date(out, "to", period->to);
    put_text(out, "timezone", clock->timezone);
    json_key(out, "complete");
    json_put_bool(out, period_is_complete(period, clock->today));
    json_end_object(out);
}

void figures_write_data(struct buf *out, const struct kpi_clock *clock) {
    json_key(out, "data");
    json_begin_object(out);
    if (clock->has_data) {
        put_date(out, "first", clock->first);
        put_date(out, "last", clock->last);
    } else {
        put_number(out, "first", NAN);
        put_number(out, "last", NAN);
    }
    json_end_object(out);
}

static const char *const filters[] = {"segment", "channel"};

enum err figures_check_filters(struct call *call) {
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        const char *label = call_parameter(call, filters[i]);
        if (label != NULL && !record_label_is_valid(label, strlen(label))) {
            return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, filters[i],
                                         "A label has 1 to 64 characters.");
        }
    }
    return ERR_OK;
}

void figures_write_filters(struct buf *out, const struct call *call) {
    json_key(out, "filters");
    json_begin_object(out);
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        if (call_parameter(call, filters[i]) != NULL) {
            put_text(out, filters[i], call_parameter(call, filters[i]));
        }
    }
    json_end_object(out);
}

static void compute(const struct kpi_answer *answer, const struct figure_question *question,
                    const struct kpi_spec *spec, size_t group, size_t period,
                    struct figure *ret_figure) {
    struct kpi_context context = {.period = &answer->periods[period],
                                  .today = answer->clock.today,
                                  .settings = &answer->clock.settings};
    kpi_compute(spec, &answer->totals[group * answer->count + period], &context,
                question->by_channel, ret_figure);
}

/* A composite of other parts is another figure. */
static bool have_same_parts(const struct figure *now, const struct figure *before) {
    for (size_t i = 0; i < now->part_count; i++) {
        if (isnan(now->parts[i].value) != isnan(before->parts[i].value)) {
            return false;
        }
    }
    return true;
}

static void compare(const struct kpi_answer *answer, struct figure_view *view,
                    const struct totals *now, const struct totals *before) {
    view->has_change =
        view->figure.null_reason == NULL_NONE && view->before.null_reason == NULL_NONE &&
        period_is_complete(view->period, answer->clock.today) &&
        (view->spec->echo != ECHO_QUALITY || have_same_parts(&view->figure, &view->before));
    if (view->has_change) {
        view->change = view->figure.value - view->before.value;
        view->p_value = view->spec->p_value != NULL ? view->spec->p_value(now, before) : NAN;
    }
}

void figures_view(const struct kpi_answer *answer, const struct figure_question *question,
                  const struct kpi_spec *spec, size_t group, size_t period, int previous,
                  struct figure_view *ret_view) {
    *ret_view = (struct figure_view){
        .spec = spec,
        .answer = answer,
        .period = &answer->periods[period],
        .group = question->by == KPI_LABEL_NONE ? NULL : &answer->groups[group],
        .compared = previous != NOT_COMPARED,
        .change = NAN,
        .p_value = NAN,
    };
    compute(answer, question, spec, group, period, &ret_view->figure);
    if (previous >= 0) {
        const struct totals *totals = &answer->totals[group * answer->count];
        ret_view->previous = &answer->periods[previous];
        compute(answer, question, spec, group, (size_t)previous, &ret_view->before);
        compare(answer, ret_view, &totals[period], &totals[previous]);
    }
}

static void write_interval(struct buf *out, const struct figure_interval *interval) {
    json_key(out, "interval");
    if (!interval->present) {
        json_put_null(out);
        return;
    }
    json_begin_object(out);
    put_number(out, "level", INTERVAL_LEVEL);
    put_number(out, "low", interval->low);
    put_number(out, "high", interval->high);
    put_text(out, "method", interval->method);
    json_end_object(out);
}

static void write_settings(struct buf *out, enum kpi_echo echo,
                           const struct kpi_settings *settings) {
    if (echo == ECHO_NOTHING) {
        return;
    }
    json_key(out, "settings");
    json_begin_object(out);
    if (echo == ECHO_GROSS_MARGIN) {
        put_number(out, "gross_margin", settings->gross_margin);
    } else {
        json_key(out, "weights");
        json_begin_object(out);
        for (size_t i = 0; i < QUALITY_PARTS; i++) {
            put_number(out, quality_part_names[i], settings->weights[i]);
        }
        json_end_object(out);
        json_key(out, "response_target_seconds");
        json_put_int(out, settings->response_target_seconds);
    }
    json_end_object(out);
}

static void write_figure(struct buf *out, const struct figure_view *view) {
    const struct kpi_spec *spec = view->spec;
    const struct figure *figure = &view->figure;
    const struct kpi_clock *clock = &view->answer->clock;
    put_text(out, "kpi", spec->name);
    put_text(out, "definition", spec->definition);
    put_text(out, "unit", kpi_unit_name(spec->unit));
    if (spec->unit == UNIT_MONEY) {
        put_text(out, "currency", clock->currency);
        json_key(out, "minor_digits");
        json_put_int(out, currency_minor_digits(clock->currency));
    }
    put_text(out, "direction", kpi_direction_name(spec));
    put_text(out, "cadence", granularity_name(spec->cadence));
    put_number(out, "value", figure->value);
    json_key(out, "n");
    json_put_int(out, figure->n);
    put_number(out, "numerator", figure->numerator);
    put_number(out, "denominator", figure->denominator);
    json_key(out, "parts");
    json_begin_object(out);
    for (size_t i = 0; i < figure->part_count; i++) {
        put_number(out, figure->parts[i].name, figure->parts[i].value);
    }
    json_end_object(out);
    write_interval(out, &figure->interval);
    write_settings(out, spec->echo, &clock->settings);
    put_text(out, "null_reason", null_reason_name(figure->null_reason));
    json_key(out, "provisional");
    json_put_bool(out, figure->provisional);
}

static void write_previous(struct buf *out, const struct figure_view *view) {
    json_key(out, "previous");
    if (view->previous == NULL) {
        json_put_null(out);
        return;
    }
    json_begin_object(out);
    put_text(out, "period", view->previous->key);
    put_number(out, "value", view->before.value);
    json_key(out, "n");
    json_put_int(out, view->before.n);
    json_end_object(out);
}

static void write_change(struct buf *out, const struct figure_view *view) {
    json_key(out, "change");
    if (!view->has_change) {
        json_put_null(out);
        return;
    }
    json_begin_object(out);
    put_number(out, "absolute", view->change);
    put_number(out, "p_value", view->p_value);
    json_key(out, "significant");
    if (isnan(view->p_value)) {
        json_put_null(out);
    } else {
        json_put_bool(out, view->p_value < FIGURE_SIGNIFICANCE);
    }
    json_end_object(out);
}

static void write_target(struct buf *out, const struct figure_view *view) {
    const struct target *target = target_of(&view->answer->targets, view->spec);
    json_key(out, "target");
    if (target == NULL) {
        json_put_null(out);
        return;
    }
    json_begin_object(out);
    put_number(out, "healthy", target->healthy);
    put_number(out, "warning", target->warning);
    put_text(out, "status",
             target_status_name(target_status(view->spec, target, view->figure.value)));
    json_end_object(out);
}

void figures_write_members(struct buf *out, const struct figure_view *view) {
    write_figure(out, view);
    if (view->compared) {
        write_previous(out, view);
        write_change(out, view);
        write_target(out, view);
    }
}
