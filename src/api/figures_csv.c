/* Figures as one tidy table: a row per KPI, period and group (RFC 4180). */
#include "figures.h"

#include "vinculo/csv.h"
#include "vinculo/json.h"
#include "vinculo/target.h"
#include "vinculo/timestamp.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const columns[] = {
    "period",      "from",        "to",     "complete",    "provisional", "group_by",
    "group",       "kpi",         "value",  "unit",        "n",           "numerator",
    "denominator", "low",         "high",   "null_reason", "previous",    "change",
    "p_value",     "significant", "status", "definition"};

static void put_text(struct buf *out, const char *text) {
    csv_put_cell(out, text == NULL ? "" : text, text == NULL ? 0 : strlen(text));
}

static void put_date(struct buf *out, int32_t date) {
    char text[DATE_TEXT_MAX];
    date_format(date, text);
    put_text(out, text);
}

static void put_bool(struct buf *out, bool value) { put_text(out, value ? "true" : "false"); }

static void put_count(struct buf *out, int64_t count) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, count);
    put_text(out, text);
}

/* NaN: an empty cell. Numbers as in JSON. */
static void put_number(struct buf *out, double value) {
    BUF_SCOPED text = {0};
    if (!isnan(value)) {
        json_put_decimal(&text, value);
    }
    put_text(out, buf_text(&text));
}

void figures_write_csv_header(struct buf *out) {
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        put_text(out, columns[i]);
    }
    csv_end_row(out);
}

static const char *status_of(const struct figure_view *view) {
    const struct target *target = target_of(&view->answer->targets, view->spec);
    return target == NULL
               ? NULL
               : target_status_name(target_status(view->spec, target, view->figure.value));
}

void figures_write_csv_row(struct buf *out, const struct figure_view *view, enum kpi_label by) {
    const struct figure *figure = &view->figure;
    put_text(out, view->period->key);
    put_date(out, view->period->from);
    put_date(out, view->period->to);
    put_bool(out, period_is_complete(view->period, view->answer->clock.today));
    put_bool(out, figure->provisional);
    put_text(out, kpi_label_name(by));
    put_text(out, view->group != NULL ? view->group->label : NULL);
    put_text(out, view->spec->name);
    put_number(out, figure->value);
    put_text(out, kpi_unit_name(view->spec->unit));
    put_count(out, figure->n);
    put_number(out, figure->numerator);
    put_number(out, figure->denominator);
    put_number(out, figure->interval.present ? figure->interval.low : NAN);
    put_number(out, figure->interval.present ? figure->interval.high : NAN);
    put_text(out, null_reason_name(figure->null_reason));
    put_number(out, view->previous != NULL ? view->before.value : NAN);
    put_number(out, view->change);
    put_number(out, view->p_value);
    if (isnan(view->p_value)) {
        put_text(out, NULL);
    } else {
        put_bool(out, view->p_value < FIGURE_SIGNIFICANCE);
    }
    put_text(out, status_of(view));
    put_text(out, view->spec->definition);
    csv_end_row(out);
}
