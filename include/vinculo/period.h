/*
 * Periods of the civil calendar: parsing their notations, neighbours, series. Pure; days are
 * counted from 1970-01-01, and which instants they span is PostgreSQL's business.
 */
#ifndef VINCULO_PERIOD_H
#define VINCULO_PERIOD_H

#include "vinculo/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum granularity {
    GRANULARITY_DAY,
    GRANULARITY_WEEK, /* ISO 8601 */
    GRANULARITY_MONTH,
    GRANULARITY_QUARTER,
    GRANULARITY_YEAR,
    GRANULARITY_RANGE
};

enum { PERIOD_KEY_MAX = 32, PERIOD_SERIES_MAX = 1500 };

struct period {
    char key[PERIOD_KEY_MAX]; /* "2026-Q3"; a range "2026-01-15..2026-04-01" (to exclusive) */
    enum granularity granularity;
    int32_t from, to; /* half-open */
    int span_months;  /* of last_12_months: 12, its length and step back; else 0 */
};

const char *granularity_name(enum granularity granularity);                  /* "day" … "range" */
bool granularity_parse(const char *text, enum granularity *ret_granularity); /* not "range" */

/* 2026, 2026-Q3, 2026-09, 2026-W39, 2026-09-14, or a name (today this_week last_week …
 * last_90_days; last_12_months and last_90_days are ranges of complete units).
 * ERR_INVALID_PARAMETER (parameter `period`) names what is allowed. Years 1900–2199. */
MUST_CHECK enum err period_parse(const char *text, int32_t today, struct period *ret_period,
                                 struct problem *problem);
/* from=, to= as dates, to exclusive; a range. NULL stands for a parameter that is absent, which is
 * refused: the two go together. */
MUST_CHECK enum err period_parse_range(const char *from, const char *to, struct period *ret_period,
                                       struct problem *problem);
/* The period of a granularity that contains a day. */
void period_containing(enum granularity granularity, int32_t day, struct period *ret_period);
/* The one before: of a calendar period its neighbour; of a range the same number of days before;
 * of last_12_months and last_90_days (ranges, too) the same number of months or days. */
void period_previous(const struct period *period, struct period *ret_period);
/* A year earlier; false where there is none (W53 without a match, or a range of the one day before
 * 29 February, which would be empty). 29 February → 28th; of a range both dates. */
bool period_year_ago(const struct period *period, struct period *ret_period);
/* Every period of the granularity (not a range) that meets [from, to), from < to, in order.
 * ERR_INVALID_PARAMETER (parameter `granularity`) beyond PERIOD_SERIES_MAX, ERR_UNAVAILABLE without
 * memory. The caller frees *ret_periods. */
MUST_CHECK enum err period_series(enum granularity granularity, int32_t from, int32_t to,
                                  struct period **ret_periods, size_t *ret_count,
                                  struct problem *problem);
/* Length in months for annualising: 1, 3, 12 for month, quarter, year, else days/30.436875. */
double period_months(const struct period *period);
bool period_is_complete(const struct period *period, int32_t today);
/* Made of whole months: month, quarter, year, or a range that begins and ends with a month. */
bool period_is_whole_months(const struct period *period);
/* A range such as last_12_months, wherever it ends. */
bool period_is_trailing_year(const struct period *period);
/* last_12_months as of a day. */
void period_trailing_year(int32_t today, struct period *ret_period);

#endif
