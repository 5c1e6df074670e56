/* Filling a figure (see figure.h). */
#include "figure.h"

#include "vinculo/stats.h"

#include <assert.h>
#include <math.h>

void figure_start(struct figure *ret_figure, int64_t n, enum null_reason reason) {
    *ret_figure = (struct figure){
        .value = NAN,
        .n = n,
        .numerator = NAN,
        .denominator = NAN,
        .null_reason = reason,
    };
}

void figure_add_part(struct figure *figure, const char *name, double value) {
    assert(figure->part_count < FIGURE_PARTS_MAX);
    figure->parts[figure->part_count++] = (struct figure_part){name, value};
}

void figure_add_count(struct figure *figure, const char *name, int64_t count) {
    figure_add_part(figure, name, (double)count);
}

void figure_set_interval(struct figure *figure, double low, double high, const char *method) {
    figure->interval = (struct figure_interval){
        .present = true,
        .low = fmin(low, figure->value),
        .high = fmax(high, figure->value),
        .method = method,
    };
}

void figure_withdraw(struct figure *figure, enum null_reason reason) {
    struct figure left;
    figure_start(&left, 0, reason);
    for (size_t i = 0; i < figure->part_count; i++)
        figure_add_part(&left, figure->parts[i].name, NAN);
    *figure = left;
}

void figure_start_proportion(struct figure *ret_figure, int64_t x, int64_t n,
                             enum null_reason reason) {
    figure_start(ret_figure, n, reason);
    ret_figure->numerator = (double)x;
    ret_figure->denominator = (double)n;
    if (reason == NULL_NONE) {
        double low, high;
        stats_wilson(x, n, &low, &high);
        ret_figure->value = 100 * (double)x / (double)n;
        figure_set_interval(ret_figure, 100 * low, 100 * high, "wilson");
    }
}

void figure_start_count(struct figure *ret_figure, int64_t count, bool any_before) {
    figure_start(ret_figure, count, any_before ? NULL_NONE : NULL_NO_DATA);
    if (any_before)
        ret_figure->value = (double)count;
}

double figure_mean(double sum, int64_t n) { return n > 0 ? sum / (double)n : NAN; }

double figure_proportions_p_value(int64_t x1, int64_t n1, int64_t x2, int64_t n2) {
    enum { SMALLEST_SAMPLE = 5 };
    if (n1 < SMALLEST_SAMPLE || n2 < SMALLEST_SAMPLE)
        return NAN;
    return stats_proportions_p_value(x1, n1, x2, n2);
}
