/* Periods of the civil calendar (see vinculo/period.h). */
#include "vinculo/period.h"

#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { YEAR_MIN = 1900, YEAR_MAX = 2199, WEEK_DAYS = 7, YEAR_MONTHS = 12, QUARTER_MONTHS = 3 };

/* Mean length of a month of the Gregorian calendar: 365.2425 / 12. */
static const double MONTH_DAYS = 30.436875;

static const char *const granularity_names[] = {
    [GRANULARITY_DAY] = "day",         [GRANULARITY_WEEK] = "week", [GRANULARITY_MONTH] = "month",
    [GRANULARITY_QUARTER] = "quarter", [GRANULARITY_YEAR] = "year", [GRANULARITY_RANGE] = "range",
};

/* Months of a calendar period that is made of whole months, else 0. */
static const int granularity_months[] = {
    [GRANULARITY_MONTH] = 1,
    [GRANULARITY_QUARTER] = QUARTER_MONTHS,
    [GRANULARITY_YEAR] = YEAR_MONTHS,
    [GRANULARITY_RANGE] = 0,
};

static const struct period_name {
    const char *name;
    enum granularity unit;
    int back;      /* how many units before the one with today */
    bool is_range; /* from then until the present unit, which is left out */
} period_names[] = {
    {"today", GRANULARITY_DAY, 0, false},
    {"this_week", GRANULARITY_WEEK, 0, false},
    {"last_week", GRANULARITY_WEEK, 1, false},
    {"this_month", GRANULARITY_MONTH, 0, false},
    {"last_month", GRANULARITY_MONTH, 1, false},
    {"this_quarter", GRANULARITY_QUARTER, 0, false},
    {"last_quarter", GRANULARITY_QUARTER, 1, false},
    {"this_year", GRANULARITY_YEAR, 0, false},
    {"last_year", GRANULARITY_YEAR, 1, false},
    {"last_12_months", GRANULARITY_MONTH, 12, true},
    {"last_90_days", GRANULARITY_DAY, 90, true},
};

const char *granularity_name(enum granularity granularity) {
    return granularity_names[granularity];
}

bool granularity_parse(const char *text, enum granularity *ret_granularity) {
    for (unsigned i = GRANULARITY_DAY; i < GRANULARITY_RANGE; i++) {
        if (strcmp(text, granularity_names[i]) == 0) {
            *ret_granularity = (enum granularity)i;
            return true;
        }
    }
    return false;
}

/* Months since the year 0, so that neighbours differ by one across years. */
static int month_index(int32_t day) {
    int year, month, day_of_month;
    date_to_civil(day, &year, &month, &day_of_month);
    return year * YEAR_MONTHS + month - 1;
}

static int32_t month_start(int index) {
    return date_from_civil(index / YEAR_MONTHS, index % YEAR_MONTHS + 1, 1);
}

static int32_t week_start(int32_t day) {
    int32_t since_monday = (day + 3) % WEEK_DAYS; /* 1970-01-01 was a Thursday */
    return day - (since_monday < 0 ? since_monday + WEEK_DAYS : since_monday);
}

/* ISO 8601: a week belongs to the year that has its Thursday. */
static void week_of_day(int32_t day, int *ret_year, int *ret_week) {
    int32_t thursday = week_start(day) + 3;
    int month, day_of_month;
    date_to_civil(thursday, ret_year, &month, &day_of_month);
    *ret_week = (thursday - date_from_civil(*ret_year, 1, 1)) / WEEK_DAYS + 1;
}

/* False where the year has no such week. */
static bool week_of_year(int year, int week, struct period *ret_period) {
    int32_t in_first_week = date_from_civil(year, 1, 4);
    int32_t day = in_first_week + WEEK_DAYS * (week - 1);
    int found_year, found_week;
    week_of_day(day, &found_year, &found_week);
    if (found_year != year || found_week != week)
        return false;
    period_containing(GRANULARITY_WEEK, day, ret_period);
    return true;
}

static void set_range(int32_t from, int32_t to, int span_months, struct period *ret_period) {
    char first[DATE_TEXT_MAX], end[DATE_TEXT_MAX];
    date_format(from, first);
    date_format(to, end);
    *ret_period = (struct period){
        .granularity = GRANULARITY_RANGE, .from = from, .to = to, .span_months = span_months};
    snprintf(ret_period->key, sizeof ret_period->key, "%.10s..%.10s", first, end);
}

static void set_months(enum granularity granularity, int32_t day, struct period *ret_period) {
    int months = granularity_months[granularity];
    assert(months > 0);
    int index = month_index(day);
    index -= index % months;
    int year = index / YEAR_MONTHS, month = index % YEAR_MONTHS + 1;

    ret_period->from = month_start(index);
    ret_period->to = month_start(index + months);
    char *key = ret_period->key;
    if (granularity == GRANULARITY_YEAR)
        snprintf(key, PERIOD_KEY_MAX, "%04d", year);
    else if (granularity == GRANULARITY_QUARTER)
        snprintf(key, PERIOD_KEY_MAX, "%04d-Q%d", year, month / QUARTER_MONTHS + 1);
    else
        snprintf(key, PERIOD_KEY_MAX, "%04d-%02d", year, month);
}

void period_containing(enum granularity granularity, int32_t day, struct period *ret_period) {
    assert(granularity != GRANULARITY_RANGE);
    *ret_period = (struct period){.granularity = granularity};
    if (granularity == GRANULARITY_DAY) {
        char text[DATE_TEXT_MAX];
        date_format(day, text);
        snprintf(ret_period->key, PERIOD_KEY_MAX, "%s", text);
        ret_period->from = day;
        ret_period->to = day + 1;
    } else if (granularity == GRANULARITY_WEEK) {
        int year, week;
        week_of_day(day, &year, &week);
        snprintf(ret_period->key, PERIOD_KEY_MAX, "%04d-W%02d", year, week);
        ret_period->from = week_start(day);
        ret_period->to = ret_period->from + WEEK_DAYS;
    } else {
        set_months(granularity, day, ret_period);
    }
}

static bool read_digits(const char *text, size_t length, int *ret_number) {
    int number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (text[i] - '0');
    }
    *ret_number = number;
    return true;
}

/* 2026, 2026-Q3, 2026-09, 2026-W39, 2026-09-14. */
static bool parse_calendar(const char *text, struct period *ret_period) {
    enum {
        YEAR_LENGTH = 4,
        QUARTER_LENGTH = 7,
        MONTH_LENGTH = 7,
        WEEK_LENGTH = 8,
        DAY_LENGTH = 10
    };
    size_t length = strlen(text);
    int year, number;
    if (length < YEAR_LENGTH || !read_digits(text, YEAR_LENGTH, &year) || year < YEAR_MIN ||
        year > YEAR_MAX)
        return false;
    if (length == YEAR_LENGTH) {
        period_containing(GRANULARITY_YEAR, date_from_civil(year, 1, 1), ret_period);
        return true;
    }
    if (text[YEAR_LENGTH] != '-')
        return false;
    const char *rest = text + YEAR_LENGTH + 1;
    if (length == QUARTER_LENGTH && rest[0] == 'Q') {
        if (!read_digits(rest + 1, 1, &number) || number < 1 || number > 4)
            return false;
        period_containing(GRANULARITY_QUARTER,
                          date_from_civil(year, QUARTER_MONTHS * (number - 1) + 1, 1), ret_period);
        return true;
    }
    if (length == MONTH_LENGTH) {
        if (!read_digits(rest, 2, &number) || number < 1 || number > YEAR_MONTHS)
            return false;
        period_containing(GRANULARITY_MONTH, date_from_civil(year, number, 1), ret_period);
        return true;
    }
    if (length == WEEK_LENGTH && rest[0] == 'W')
        return read_digits(rest + 1, 2, &number) && week_of_year(year, number, ret_period);
    int32_t day;
    if (length != DAY_LENGTH || !date_parse(text, length, &day))
        return false;
    period_containing(GRANULARITY_DAY, day, ret_period);
    return true;
}

static void resolve_name(const struct period_name *name, int32_t today, struct period *ret_period) {
    struct period present;
    period_containing(name->unit, today, &present);
    struct period first = present;
    for (int i = 0; i < name->back; i++)
        period_containing(name->unit, first.from - 1, &first);
    if (name->is_range) {
        int months = name->back * (name->unit == GRANULARITY_MONTH);
        set_range(first.from, present.from, months, ret_period);
    } else {
        *ret_period = first;
    }
}

enum err period_parse(const char *text, int32_t today, struct period *ret_period,
                      struct problem *problem) {
    for (size_t i = 0; i < sizeof period_names / sizeof period_names[0]; i++) {
        if (strcmp(text, period_names[i].name) == 0) {
            resolve_name(&period_names[i], today, ret_period);
            return ERR_OK;
        }
    }
    if (parse_calendar(text, ret_period))
        return ERR_OK;
    return problem_add_parameter(
        problem, ERR_INVALID_PARAMETER, "period",
        "must be an existing year (2026), quarter (2026-Q3), month (2026-09), ISO week (2026-W39) "
        "or day (2026-09-14) of the years %d to %d, or one of today, this_week, last_week, "
        "this_month, last_month, this_quarter, last_quarter, this_year, last_year, last_12_months, "
        "last_90_days; other ranges are given by from and to",
        YEAR_MIN, YEAR_MAX);
}

static enum err parse_end(const char *text, const char *parameter, int32_t *ret_date,
                          struct problem *problem) {
    if (!text) {
        return problem_add_parameter(problem, ERR_INVALID_PARAMETER, parameter,
                                     "is missing: a range needs both from and to");
    }
    if (!date_parse(text, strlen(text), ret_date)) {
        return problem_add_parameter(problem, ERR_INVALID_PARAMETER, parameter,
                                     "must be an existing date such as 2026-09-14, of the years "
                                     "%d to %d",
                                     YEAR_MIN, YEAR_MAX);
    }
    return ERR_OK;
}

enum err period_parse_range(const char *from, const char *to, struct period *ret_period,
                            struct problem *problem) {
    int32_t first = 0, end = 0;
    enum err from_err = parse_end(from, "from", &first, problem);
    enum err to_err = parse_end(to, "to", &end, problem);
    if (from_err || to_err)
        return from_err ? from_err : to_err;
    if (end <= first) {
        return problem_add_parameter(problem, ERR_INVALID_PARAMETER, "to",
                                     "must be a later date than from: it is the first day that "
                                     "does not belong to the range");
    }
    set_range(first, end, 0, ret_period);
    return ERR_OK;
}

void period_previous(const struct period *period, struct period *ret_period) {
    if (period->granularity != GRANULARITY_RANGE) {
        period_containing(period->granularity, period->from - 1, ret_period);
        return;
    }
    int span_months = period->span_months;
    int32_t from = span_months ? month_start(month_index(period->from) - span_months)
                               : period->from - (period->to - period->from);
    set_range(from, period->from, span_months, ret_period);
}

static int32_t day_year_ago(int32_t day) {
    int year, month, day_of_month;
    date_to_civil(day, &year, &month, &day_of_month);
    if (month == 2 && day_of_month == 29)
        day_of_month = 28; /* the year before a leap year is none */
    return date_from_civil(year - 1, month, day_of_month);
}

bool period_year_ago(const struct period *period, struct period *ret_period) {
    if (period->granularity == GRANULARITY_WEEK) {
        int year, week;
        week_of_day(period->from, &year, &week);
        return week_of_year(year - 1, week, ret_period);
    }
    int32_t from = day_year_ago(period->from);
    if (period->granularity != GRANULARITY_RANGE) {
        period_containing(period->granularity, from, ret_period);
        return true;
    }
    int32_t to = day_year_ago(period->to);
    if (from == to)
        return false;
    set_range(from, to, period->span_months, ret_period);
    return true;
}

enum err period_series(enum granularity granularity, int32_t from, int32_t to,
                       struct period **ret_periods, size_t *ret_count, struct problem *problem) {
    assert(from < to);
    struct period next;
    size_t count = 0;
    for (int32_t day = from; day < to; day = next.to) {
        period_containing(granularity, day, &next);
        if (++count > PERIOD_SERIES_MAX) {
            return problem_add_parameter(problem, ERR_INVALID_PARAMETER, "granularity",
                                         "the series would have more than %d periods: ask for a "
                                         "shorter range or a coarser granularity",
                                         PERIOD_SERIES_MAX);
        }
    }
    struct period *periods = calloc(count, sizeof *periods);
    if (!periods)
        return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
    int32_t day = from;
    for (size_t i = 0; i < count; i++) {
        period_containing(granularity, day, &periods[i]);
        day = periods[i].to;
    }
    *ret_periods = periods;
    *ret_count = count;
    return ERR_OK;
}

double period_months(const struct period *period) {
    int months = granularity_months[period->granularity];
    return months ? months : (period->to - period->from) / MONTH_DAYS;
}

bool period_is_complete(const struct period *period, int32_t today) { return period->to <= today; }

static bool is_month_start(int32_t day) { return month_start(month_index(day)) == day; }

bool period_is_whole_months(const struct period *period) {
    return is_month_start(period->from) && is_month_start(period->to);
}

bool period_is_trailing_year(const struct period *period) {
    return period->granularity == GRANULARITY_RANGE && period_is_whole_months(period) &&
           month_index(period->to) - month_index(period->from) == YEAR_MONTHS;
}

void period_trailing_year(int32_t today, struct period *ret_period) {
    int end = month_index(today);
    set_range(month_start(end - YEAR_MONTHS), month_start(end), YEAR_MONTHS, ret_period);
}
