/* Computing the figures of an answer and writing them out. */
#include "figures.h"

#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <math.h>

/* Differences with a p-value below this are called significant. */
#define SIGNIFICANCE 0.05
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

void figures_write_period(struct buf *out, const struct period *period,
                          const struct kpi_clock *clock) {
    json_begin_object(out);
    json_key(out, "key");
    json_put_text(out, period->key);
    json_key(out, "granularity");
    json_put_text(out, granularity_name(period->granularity));
    put_date(out, "from", period->from);
    put_date(out, "to", period->to);
    json_key(out, "timezone");
    json_put_text(out, clock->timezone);
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

static void compute(const struct kpi_spec *spec, const struct kpi_answer *answer, size_t index,
                    struct figure *ret_figure) {
    struct kpi_context context = {.period = &answer->periods[index],
                                  .today = answer->clock.today,
                                  .response_window_days = answer->clock.response_window_days};
    *ret_figure = (struct figure){0};
    spec->compute(&answer->totals[index], &context, ret_figure);
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
    json_key(out, "method");
    json_put_text(out, interval->method);
    json_end_object(out);
}

static void write_figure(struct buf *out, const struct kpi_spec *spec,
                         const struct figure *figure) {
    json_key(out, "kpi");
    json_put_text(out, spec->name);
    json_key(out, "definition");
    json_put_text(out, spec->definition);
    json_key(out, "unit");
    json_put_text(out, kpi_unit_name(spec->unit));
    json_key(out, "direction");
    json_put_text(out, kpi_direction_name(spec));
    json_key(out, "cadence");
    json_put_text(out, granularity_name(spec->cadence));
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
    json_key(out, "null_reason");
    json_put_text(out, null_reason_name(figure->null_reason));
    json_key(out, "provisional");
    json_put_bool(out, figure->provisional);
}

void figures_write_members(struct buf *out, const struct kpi_spec *spec,
                           const struct kpi_answer *answer, size_t index) {
    struct figure figure;
    compute(spec, answer, index, &figure);
    write_figure(out, spec, &figure);
}

static void write_change(struct buf *out, const struct kpi_spec *spec,
                         const struct kpi_answer *answer, const struct figure *now,
                         const struct figure *before) {
    double p_value = NAN;
    if (spec->p_value != NULL) {
        p_value = spec->p_value(&answer->totals[0], &answer->totals[1]);
    }
    json_begin_object(out);
    put_number(out, "absolute", now->value - before->value);
    put_number(out, "p_value", p_value);
    json_key(out, "significant");
    if (isnan(p_value)) {
        json_put_null(out);
    } else {
        json_put_bool(out, p_value < SIGNIFICANCE);
    }
    json_end_object(out);
}

static void write_previous(struct buf *out, const struct period *period,
                           const struct figure *figure) {
    json_begin_object(out);
    json_key(out, "period");
    json_put_text(out, period->key);
    put_number(out, "value", figure->value);
    json_key(out, "n");
    json_put_int(out, figure->n);
    json_end_object(out);
}

void figures_write_compared(struct buf *out, const struct kpi_spec *spec,
                            const struct kpi_answer *answer, bool has_previous) {
    struct figure now;
    struct figure before = {0};
    compute(spec, answer, 0, &now);
    if (has_previous) {
        compute(spec, answer, 1, &before);
    }
    json_begin_object(out);
    write_figure(out, spec, &now);
    json_key(out, "previous");
    if (has_previous) {
        write_previous(out, &answer->periods[1], &before);
    } else {
        json_put_null(out);
    }
    json_key(out, "change");
    bool comparable = has_previous && now.null_reason == NULL_NONE &&
                      before.null_reason == NULL_NONE &&
                      period_is_complete(&answer->periods[0], answer->clock.today);
    if (comparable) {
        write_change(out, spec, answer, &now, &before);
    } else {
        json_put_null(out);
    }
    json_key(out, "target"); /* none is set */
    json_put_null(out);
    json_end_object(out);
}
