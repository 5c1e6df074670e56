/* The additive totals' columns and sums (see vinculo/totals.h). */
#include "vinculo/totals.h"

#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROW(column, from, sum)                                                                     \
    {.name = #column, .source = (from), .offset = offsetof(struct sums, column), .is_sum = (sum)},
#define SURVEYS_COUNT(column) ROW(column, SOURCE_SURVEYS, false)
#define SURVEYS_SUM(column) ROW(column, SOURCE_SURVEYS, true)
#define INTERACTIONS_COUNT(column) ROW(column, SOURCE_INTERACTIONS, false)
#define INTERACTIONS_SUM(column) ROW(column, SOURCE_INTERACTIONS, true)
#define LIFE_COUNT(column) ROW(column, SOURCE_LIFE, false)
#define LIFE_SUM(column) ROW(column, SOURCE_LIFE, true)
#define PAYMENTS_COUNT(column) ROW(column, SOURCE_PAYMENTS, false)
#define PAYMENTS_SUM(column) ROW(column, SOURCE_PAYMENTS, true)
#define CUSTOMER_REVENUE_COUNT(column) ROW(column, SOURCE_CUSTOMER_REVENUE, false)
#define CUSTOMER_REVENUE_SUM(column) ROW(column, SOURCE_CUSTOMER_REVENUE, true)
#define COSTS_COUNT(column) ROW(column, SOURCE_COSTS, false)
#define COSTS_SUM(column) ROW(column, SOURCE_COSTS, true)

const struct totals_column totals_columns[] = {
    // clang-format off
    TOTALS_SURVEYS(SURVEYS_COUNT, SURVEYS_SUM)
    TOTALS_INTERACTIONS(INTERACTIONS_COUNT, INTERACTIONS_SUM)
    TOTALS_LIFE(LIFE_COUNT, LIFE_SUM)
    TOTALS_PAYMENTS(PAYMENTS_COUNT, PAYMENTS_SUM)
    TOTALS_CUSTOMER_REVENUE(CUSTOMER_REVENUE_COUNT, CUSTOMER_REVENUE_SUM)
    TOTALS_COSTS(COSTS_COUNT, COSTS_SUM)
    // clang-format on
};
const size_t totals_column_count = sizeof totals_columns / sizeof totals_columns[0];

/* A totals begins with the members of a sums. */
#define SAME_PLACE(column)                                                                         \
    static_assert(offsetof(struct sums, column) == offsetof(struct totals, column), #column);
TOTALS_COLUMNS(SAME_PLACE, SAME_PLACE)

bool totals_has_balances(enum totals_source source) {
    return source == SOURCE_INTERACTIONS || source == SOURCE_LIFE;
}

void sketch_clear(struct sketch *sketch) {
    free(sketch->bucket);
    free(sketch->count);
    *sketch = (struct sketch){0};
}

static void merge(const struct sketch *first, const struct sketch *second, struct sketch *into) {
    size_t i = 0, j = 0;
    while (i < first->size || j < second->size) {
        bool take_first =
            j == second->size || (i < first->size && first->bucket[i] <= second->bucket[j]);
        bool take_second =
            i == first->size || (j < second->size && second->bucket[j] <= first->bucket[i]);
        into->bucket[into->size] = take_first ? first->bucket[i] : second->bucket[j];
        into->count[into->size] =
            (take_first ? first->count[i] : 0) + (take_second ? second->count[j] : 0);
        into->size++;
        i += take_first;
        j += take_second;
    }
}

bool sketch_add(struct sketch *into, const struct sketch *from) {
    if (from->size > 0) {
        struct sketch merged = {.sum_us = into->sum_us};
        merged.bucket = calloc(into->size + from->size, sizeof *merged.bucket);
        merged.count = calloc(into->size + from->size, sizeof *merged.count);
        if (merged.bucket == NULL || merged.count == NULL) {
            sketch_clear(&merged);
            return false;
        }
        merge(into, from, &merged);
        sketch_clear(into);
        *into = merged;
    }
    into->sum_us += from->sum_us;
    return true;
}

void totals_clear(struct totals *totals) {
    sketch_clear(&totals->response);
    sketch_clear(&totals->resolution);
    sketch_clear(&totals->follow_up);
    *totals = (struct totals){0};
}

static void add_columns(void *into, const struct sums *from) {
    for (size_t i = 0; i < totals_column_count; i++) {
        size_t offset = totals_columns[i].offset;
        if (totals_columns[i].is_sum)
            *(double *)(void *)((char *)into + offset) +=
                *(const double *)(const void *)((const char *)from + offset);
        else
            *(int64_t *)(void *)((char *)into + offset) +=
                *(const int64_t *)(const void *)((const char *)from + offset);
    }
}

void sums_add(struct sums *into, const struct sums *from) { add_columns(into, from); }

void totals_add_sums(struct totals *into, const struct sums *from) { add_columns(into, from); }

#define TAKE_LOSSES(from, length)                                                                  \
    do {                                                                                           \
        totals->lost = (from)->lost_##length;                                                      \
        totals->lost_new = (from)->lost_new_##length;                                              \
        totals->lost_voluntary = (from)->lost_voluntary_##length;                                  \
        totals->lost_involuntary = (from)->lost_involuntary_##length;                              \
    } while (0)

static void derive_losses(struct totals *totals, const struct period *period,
                          const struct sums *last_month) {
    if (period->granularity == GRANULARITY_MONTH)
        TAKE_LOSSES(totals, month);
    else if (period->granularity == GRANULARITY_QUARTER)
        TAKE_LOSSES(totals, quarter);
    else if (period->granularity == GRANULARITY_YEAR)
        TAKE_LOSSES(totals, year);
    else if (last_month != NULL)
        TAKE_LOSSES(last_month, trailing);
}

static int32_t month_number(int32_t day) {
    int year, month, day_of_month;
    date_to_civil(day, &year, &month, &day_of_month);
    return (year - 1900) * 12 + month;
}

void totals_add_buyers(struct totals *totals, const struct period *period, int32_t month,
                       const struct sketch *pairs) {
    enum { MONTHS = 4096 };
    struct period period_before;
    period_previous(period, &period_before);
    int32_t before = month_number(period_before.from);
    int32_t from = month_number(period->from);
    int32_t to = month_number(period->to);
    for (size_t i = 0; i < pairs->size; i++) {
        int32_t previous = pairs->bucket[i] / MONTHS;
        int32_t second = pairs->bucket[i] % MONTHS;
        int64_t n = pairs->count[i];
        if (month >= period->from && previous < from) {
            totals->buyers += n;
            totals->repeat_buyers += previous > 0 || second < to ? n : 0;
            totals->returning_buyers += n;
        } else if (month < period->from && previous < before) {
            totals->previous_buyers += n;
            totals->returning_buyers += n;
        }
        if (previous < before) {
            totals->returning_buyers -= n; /* of both together */
        }
    }
}

void totals_derive(struct totals *totals, const struct period *period, const struct sums *before,
                   const struct sums *previous, const struct sums *last_month) {
    totals->open_at_end = before->opened - before->resolved - before->closed_unresolved +
                          totals->opened - totals->resolved - totals->closed_unresolved;
    totals->response_waiting = before->service_opened - before->service_attended +
                               totals->service_opened - totals->service_attended;
    totals->resolution_waiting = before->service_opened - before->service_ended +
                                 totals->service_opened - totals->service_ended;
    totals->at_start = before->acquired + before->reactivated - before->cancelled;
    totals->at_end = totals->at_start + totals->acquired + totals->reactivated - totals->cancelled;
    totals->customers_before = before->acquired + totals->acquired > 0;
    totals->previous_payments = previous->payments;
    totals->previous_revenue = previous->gross - previous->refunds;
    derive_losses(totals, period, last_month);
}
