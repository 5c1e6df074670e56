/* What the KPI tests share: computing a figure by name and looking into it. */
#ifndef VINCULO_TEST_KPI_H
#define VINCULO_TEST_KPI_H

#include "vinculo/kpi.h"
#include "vinculo/timestamp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline int32_t day_of(const char *text) {
    int32_t day;
    cr_assert(date_parse(text, strlen(text), &day), "%s is a date", text);
    return day;
}

static inline const struct kpi_spec *kpi_named(const char *name) {
    const struct kpi_spec *spec = kpi_find(name, strlen(name));
    cr_assert_not_null(spec, "%s is in the catalogue", name);
    return spec;
}

static inline struct figure figure_on(const char *kpi, const struct totals *totals,
                                      const char *period_text, const char *today) {
    struct period period;
    cr_assert_eq(period_parse(period_text, day_of(today), &period, NULL), ERR_OK);
    static const struct kpi_settings settings = {.response_window_days = 30,
                                                 .gross_margin = 1,
                                                 .response_target_seconds = 14400,
                                                 .weights = {0.25, 0.25, 0.15, 0.15, 0.1, 0.1}};
    struct kpi_context context = {.period = &period, .today = day_of(today), .settings = &settings};
    struct figure figure;
    kpi_compute(kpi_named(kpi), totals, &context, false, &figure);
    return figure;
}

static inline struct figure figure_of(const char *kpi, const struct totals *totals) {
    return figure_on(kpi, totals, "2026-09", "2027-06-01");
}

static inline double part_of(const struct figure *figure, const char *name) {
    for (size_t i = 0; i < figure->part_count; i++)
        if (strcmp(figure->parts[i].name, name) == 0)
            return figure->parts[i].value;
    cr_assert_fail("there is no part %s", name);
    return NAN;
}

static inline void assert_parts(const struct figure *figure, size_t count,
                                const char *const *names) {
    cr_assert_eq(figure->part_count, count);
    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(figure->parts[i].name, names[i]);
}

static inline void assert_near(double found, double expected, double tolerance, const char *what) {
    cr_assert(fabs(found - expected) <= tolerance, "%s: %.9f, not %.9f", what, found, expected);
}

static inline void assert_null(const struct figure *figure, enum null_reason reason) {
    cr_assert_eq(figure->null_reason, reason, "null for %s", null_reason_name(figure->null_reason));
    cr_assert(isnan(figure->value));
    cr_assert_not(figure->interval.present);
}

static inline void assert_value(const struct figure *figure, double value, int64_t n) {
    cr_assert_eq(figure->null_reason, NULL_NONE);
    assert_near(figure->value, value, 5e-7, "value");
    cr_assert_eq(figure->n, n);
}

static inline void assert_interval(const struct figure *figure, double low, double high,
                                   const char *method) {
    cr_assert(figure->interval.present);
    assert_near(figure->interval.low, low, 5e-5, "low");
    assert_near(figure->interval.high, high, 5e-5, "high");
    cr_assert_str_eq(figure->interval.method, method);
}

#endif
