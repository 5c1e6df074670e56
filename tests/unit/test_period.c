/* Periods: notations, names, ISO weeks, neighbours and series. */
#include "vinculo/period.h"
#include "vinculo/timestamp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t day_of(const char *text) {
    int32_t day;
    cr_assert(date_parse(text, strlen(text), &day), "%s is a date", text);
    return day;
}

static struct period parsed(const char *text, const char *today) {
    struct problem problem = {0};
    struct period period;
    cr_assert_eq(period_parse(text, day_of(today), &period, &problem), ERR_OK, "%s: %s", text,
                 problem.detail);
    return period;
}

static struct period range(const char *from, const char *to) {
    struct period period;
    cr_assert_eq(period_parse_range(from, to, &period, NULL), ERR_OK);
    return period;
}

static void assert_period(const struct period *period, const char *key, const char *from,
                          const char *to) {
    char first[DATE_TEXT_MAX], end[DATE_TEXT_MAX];
    date_format(period->from, first);
    date_format(period->to, end);
    cr_assert_str_eq(period->key, key);
    cr_assert_str_eq(first, from, "%s begins %s, not %s", key, first, from);
    cr_assert_str_eq(end, to, "%s ends %s, not %s", key, end, to);
}

Test(period, reads_every_notation) {
    static const struct {
        const char *text, *from, *to;
        enum granularity granularity;
    } cases[] = {
        {"2026", "2026-01-01", "2027-01-01", GRANULARITY_YEAR},
        {"1900", "1900-01-01", "1901-01-01", GRANULARITY_YEAR},
        {"2026-Q1", "2026-01-01", "2026-04-01", GRANULARITY_QUARTER},
        {"2026-Q2", "2026-04-01", "2026-07-01", GRANULARITY_QUARTER},
        {"2026-Q3", "2026-07-01", "2026-10-01", GRANULARITY_QUARTER},
        {"2026-Q4", "2026-10-01", "2027-01-01", GRANULARITY_QUARTER},
        {"2026-09", "2026-09-01", "2026-10-01", GRANULARITY_MONTH},
        {"2026-12", "2026-12-01", "2027-01-01", GRANULARITY_MONTH},
        {"2024-02", "2024-02-01", "2024-03-01", GRANULARITY_MONTH},
        {"1900-02", "1900-02-01", "1900-03-01", GRANULARITY_MONTH},
        {"2026-W39", "2026-09-21", "2026-09-28", GRANULARITY_WEEK},
        {"2026-W53", "2026-12-28", "2027-01-04", GRANULARITY_WEEK},
        {"2026-09-14", "2026-09-14", "2026-09-15", GRANULARITY_DAY},
        {"2024-02-29", "2024-02-29", "2024-03-01", GRANULARITY_DAY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct period period = parsed(cases[i].text, "2026-10-05");
        assert_period(&period, cases[i].text, cases[i].from, cases[i].to);
        cr_assert_eq(period.granularity, cases[i].granularity);
    }
}

Test(period, resolves_names_on_a_day_of_each_kind) {
    static const struct {
        const char *today, *name, *key, *from, *to;
    } cases[] = {
        /* A Monday in the first month of a quarter. */
        {"2026-10-05", "today", "2026-10-05", "2026-10-05", "2026-10-06"},
        {"2026-10-05", "this_week", "2026-W41", "2026-10-05", "2026-10-12"},
        {"2026-10-05", "last_week", "2026-W40", "2026-09-28", "2026-10-05"},
        {"2026-10-05", "this_month", "2026-10", "2026-10-01", "2026-11-01"},
        {"2026-10-05", "last_month", "2026-09", "2026-09-01", "2026-10-01"},
        {"2026-10-05", "this_quarter", "2026-Q4", "2026-10-01", "2027-01-01"},
        {"2026-10-05", "last_quarter", "2026-Q3", "2026-07-01", "2026-10-01"},
        {"2026-10-05", "this_year", "2026", "2026-01-01", "2027-01-01"},
        {"2026-10-05", "last_year", "2025", "2025-01-01", "2026-01-01"},
        {"2026-10-05", "last_12_months", "2025-10-01..2026-10-01", "2025-10-01", "2026-10-01"},
        {"2026-10-05", "last_90_days", "2026-07-07..2026-10-05", "2026-07-07", "2026-10-05"},
        /* A New Year's Day that belongs to the last week of the old year. */
        {"2027-01-01", "this_week", "2026-W53", "2026-12-28", "2027-01-04"},
        {"2027-01-01", "last_week", "2026-W52", "2026-12-21", "2026-12-28"},
        {"2027-01-01", "last_month", "2026-12", "2026-12-01", "2027-01-01"},
        {"2027-01-01", "last_quarter", "2026-Q4", "2026-10-01", "2027-01-01"},
        {"2027-01-01", "last_year", "2026", "2026-01-01", "2027-01-01"},
        {"2027-01-01", "last_12_months", "2026-01-01..2027-01-01", "2026-01-01", "2027-01-01"},
        /* The last day of a leap February: its month is not complete yet. */
        {"2024-02-29", "last_month", "2024-01", "2024-01-01", "2024-02-01"},
        {"2024-02-29", "last_12_months", "2023-02-01..2024-02-01", "2023-02-01", "2024-02-01"},
        {"2024-02-29", "last_90_days", "2023-12-01..2024-02-29", "2023-12-01", "2024-02-29"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct period period = parsed(cases[i].name, cases[i].today);
        assert_period(&period, cases[i].key, cases[i].from, cases[i].to);
    }
    cr_assert_eq(parsed("last_12_months", "2026-10-05").granularity, GRANULARITY_RANGE);
    cr_assert_eq(parsed("last_90_days", "2026-10-05").granularity, GRANULARITY_RANGE);
}

Test(period, refuses_the_rest_and_says_what_is_allowed) {
    static const char *const texts[] = {
        "",           "2026-13",     "2026-00",    "2026-W54",   "2026-W00",       "2025-W53",
        "2026-02-30", "2025-02-29",  "1900-02-29", "2026-Q0",    "2026-Q5",        "2026-q3",
        "2026-w39",   " 2026",       "2026 ",      "2026-09 ",   "2026- 9",        "2026-9",
        "2026-W9",    "2026-W+9",    "2026-Q+",    "+026",       "-026",           "1899",
        "2200",       "1899-12-31",  "2200-W01",   "20260914",   "2026-09-14T00",  "2026/09",
        "2026-09-1",  "2026-09-014", "２０２６",   "Last_month", "last_month ",    "yesterday",
        "2026-",      "202",         "2026-W39-1", "0x7e",       "last_13_months", "2026-Q33",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct problem problem = {0};
        struct period period = {.key = "untouched"};
        cr_assert_eq(period_parse(texts[i], day_of("2026-10-05"), &period, &problem),
                     ERR_INVALID_PARAMETER, "'%s' is refused", texts[i]);
        cr_assert_str_eq(period.key, "untouched");
        cr_assert_eq(problem.code, ERR_INVALID_PARAMETER);
        cr_assert_eq(problem.error_count, (size_t)1);
        cr_assert_str_eq(problem.errors[0].at, "period");
        cr_assert(problem.errors[0].is_parameter);
        static const char *const allowed[] = {
            "2026-Q3",      "2026-09",        "2026-W39",   "2026-09-14",   "1900",
            "2199",         "today",          "this_week",  "last_week",    "this_month",
            "last_month",   "this_quarter",   "last_year",  "last_quarter", "this_year",
            "last_90_days", "last_12_months", "from and to"};
        for (size_t j = 0; j < sizeof allowed / sizeof allowed[0]; j++)
            cr_assert(strstr(problem.detail, allowed[j]), "%s names %s", problem.detail,
                      allowed[j]);
        problem_clear(&problem);
    }
}

Test(period, reads_ranges) {
    struct period quarter = range("2026-01-15", "2026-04-01");
    assert_period(&quarter, "2026-01-15..2026-04-01", "2026-01-15", "2026-04-01");
    cr_assert_eq(quarter.granularity, GRANULARITY_RANGE);

    static const struct {
        const char *from, *to, *parameter;
    } refused[] = {
        {"2026-01-15", "2026-01-15", "to"},
        {"2026-01-15", "2026-01-14", "to"},
        {"2026-02-30", "2026-03-01", "from"},
        {"2026-02-01", "2026-02-29", "to"},
        {NULL, "2026-03-01", "from"},
        {"2026-02-01", NULL, "to"},
        {"2026-02-01", "", "to"},
        {"1899-12-31", "1900-02-01", "from"},
        {"2026-02", "2026-03-01", "from"},
        {"2026-02-01 ", "2026-03-01", "from"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct problem problem = {0};
        struct period period;
        cr_assert_eq(period_parse_range(refused[i].from, refused[i].to, &period, &problem),
                     ERR_INVALID_PARAMETER, "case %zu", i);
        cr_assert_eq(problem.error_count, (size_t)1);
        cr_assert_str_eq(problem.errors[0].at, refused[i].parameter);
        cr_assert_str_not_empty(problem.detail);
        problem_clear(&problem);
    }
}

/* The examples that the encyclopaedias' articles on ISO week dates list, and the edges of 2026. */
Test(period, iso_8601_weeks_by_published_examples) {
    static const struct {
        const char *day, *week;
        int32_t weekday; /* 1 Monday … 7 Sunday */
    } cases[] = {
        {"2005-01-01", "2004-W53", 6}, {"2005-01-02", "2004-W53", 7}, {"2005-12-31", "2005-W52", 6},
        {"2006-01-01", "2005-W52", 7}, {"2006-01-02", "2006-W01", 1}, {"2006-12-31", "2006-W52", 7},
        {"2007-01-01", "2007-W01", 1}, {"2007-12-30", "2007-W52", 7}, {"2007-12-31", "2008-W01", 1},
        {"2008-01-01", "2008-W01", 2}, {"2008-12-28", "2008-W52", 7}, {"2008-12-29", "2009-W01", 1},
        {"2009-01-01", "2009-W01", 4}, {"2009-12-31", "2009-W53", 4}, {"2010-01-01", "2009-W53", 5},
        {"2010-01-03", "2009-W53", 7}, {"2010-01-04", "2010-W01", 1}, {"1970-01-01", "1970-W01", 4},
        {"1969-12-28", "1969-W52", 7}, {"1900-01-01", "1900-W01", 1}, {"2026-12-31", "2026-W53", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct period week;
        int32_t day = day_of(cases[i].day);
        period_containing(GRANULARITY_WEEK, day, &week);
        cr_assert_str_eq(week.key, cases[i].week, "%s lies in %s, not %s", cases[i].day,
                         cases[i].week, week.key);
        cr_assert_eq(day - week.from + 1, cases[i].weekday, "weekday of %s", cases[i].day);
        cr_assert_eq(week.to - week.from, 7);
    }
}

/* ISO 8601: a year has 53 weeks exactly where it begins or ends on a Thursday. */
Test(period, years_that_begin_or_end_on_a_thursday_have_53_weeks) {
    int long_years = 0;
    for (int year = 1900; year < 2200; year++) {
        char text[16];
        struct period week;
        snprintf(text, sizeof text, "%04d-W53", year);
        bool is_long = period_parse(text, 0, &week, NULL) == ERR_OK;
        bool begins = date_from_civil(year, 1, 1) % 7 == 0; /* day 0 was a Thursday */
        bool ends = date_from_civil(year, 12, 31) % 7 == 0;
        cr_assert_eq(is_long, begins || ends, "%d", year);
        long_years += is_long && year < 2000;
    }
    cr_assert_eq(long_years, 18, "Python's date.isocalendar counts 18 in the 20th century");
}

Test(period, periods_hold_their_days_and_parse_back) {
    for (int32_t day = day_of("1999-11-01"); day < day_of("2005-03-01"); day++) {
        for (unsigned g = GRANULARITY_DAY; g < GRANULARITY_RANGE; g++) {
            struct period period, again;
            period_containing((enum granularity)g, day, &period);
            cr_assert(period.from <= day && day < period.to);
            cr_assert_eq(period_parse(period.key, 0, &again, NULL), ERR_OK);
            cr_assert(again.from == period.from && again.to == period.to &&
                      again.granularity == period.granularity);
        }
    }
}

Test(period, previous) {
    static const char *const cases[][2] = {
        {"2026", "2025"},         {"2026-Q1", "2025-Q4"},       {"2026-Q3", "2026-Q2"},
        {"2026-01", "2025-12"},   {"2024-03", "2024-02"},       {"2027-W01", "2026-W53"},
        {"2026-W01", "2025-W52"}, {"2024-03-01", "2024-02-29"}, {"1970-01-01", "1969-12-31"},
    };
    struct period before;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct period period = parsed(cases[i][0], "2026-10-05");
        period_previous(&period, &before);
        cr_assert_str_eq(before.key, cases[i][1]);
        cr_assert_eq(before.granularity, period.granularity);
        cr_assert_eq(before.to, period.from);
    }

    struct period days = range("2026-02-01", "2026-04-01"); /* 59 days, not two months */
    period_previous(&days, &before);
    assert_period(&before, "2025-12-04..2026-02-01", "2025-12-04", "2026-02-01");

    struct period year = parsed("last_12_months", "2024-03-05");
    period_previous(&year, &before);
    assert_period(&before, "2022-03-01..2023-03-01", "2022-03-01", "2023-03-01");
    period_previous(&before, &before); /* in place, and still by months */
    assert_period(&before, "2021-03-01..2022-03-01", "2021-03-01", "2022-03-01");

    struct period ninety = parsed("last_90_days", "2026-10-05");
    period_previous(&ninety, &before);
    assert_period(&before, "2026-04-08..2026-07-07", "2026-04-08", "2026-07-07");
}

Test(period, year_ago) {
    static const char *const cases[][2] = {
        {"2026", "2025"},
        {"2026-Q3", "2025-Q3"},
        {"2026-01", "2025-01"},
        {"2024-02", "2023-02"},
        {"2026-W39", "2025-W39"},
        {"2027-W01", "2026-W01"},
        {"2026-W01", "2025-W01"},
        {"2024-02-29", "2023-02-28"},
        {"2025-02-28", "2024-02-28"},
        {"2026-12-31", "2025-12-31"},
    };
    struct period before;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct period period = parsed(cases[i][0], "2026-10-05");
        cr_assert(period_year_ago(&period, &before));
        cr_assert_str_eq(before.key, cases[i][1]);
    }
    struct period week = parsed("2026-W53", "2026-10-05");
    cr_assert_not(period_year_ago(&week, &before), "2025 ends with week 52");

    struct period leap = range("2024-02-29", "2024-03-31");
    cr_assert(period_year_ago(&leap, &before));
    assert_period(&before, "2023-02-28..2023-03-31", "2023-02-28", "2023-03-31");
    struct period until_leap = range("2024-02-01", "2024-02-29");
    cr_assert(period_year_ago(&until_leap, &before));
    assert_period(&before, "2023-02-01..2023-02-28", "2023-02-01", "2023-02-28");
    struct period nothing = range("2024-02-28", "2024-02-29");
    cr_assert_not(period_year_ago(&nothing, &before));

    struct period year = parsed("last_12_months", "2026-10-05");
    cr_assert(period_year_ago(&year, &before));
    assert_period(&before, "2024-10-01..2025-10-01", "2024-10-01", "2025-10-01");
}

Test(period, series_widens_to_every_period_it_meets) {
    struct period *periods;
    size_t count;
    cr_assert_eq(period_series(GRANULARITY_MONTH, day_of("2025-11-30"), day_of("2026-02-02"),
                               &periods, &count, NULL),
                 ERR_OK);
    static const char *const months[] = {"2025-11", "2025-12", "2026-01", "2026-02"};
    cr_assert_eq(count, sizeof months / sizeof months[0]);
    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(periods[i].key, months[i]);
    free(periods);

    /* `to` is exclusive: its own period is not met. */
    cr_assert_eq(period_series(GRANULARITY_QUARTER, day_of("2026-01-01"), day_of("2027-01-01"),
                               &periods, &count, NULL),
                 ERR_OK);
    cr_assert_eq(count, (size_t)4);
    cr_assert_str_eq(periods[3].key, "2026-Q4");
    free(periods);

    cr_assert_eq(period_series(GRANULARITY_WEEK, day_of("2026-01-01"), day_of("2027-01-01"),
                               &periods, &count, NULL),
                 ERR_OK);
    cr_assert_eq(count, (size_t)53);
    cr_assert_str_eq(periods[0].key, "2026-W01");
    cr_assert_str_eq(periods[52].key, "2026-W53");
    free(periods);
}

Test(period, series_ends_at_1500) {
    struct problem problem = {0};
    struct period *periods = NULL;
    size_t count = 0;
    int32_t from = day_of("2020-01-01");
    cr_assert_eq(period_series(GRANULARITY_DAY, from, from + 1500, &periods, &count, &problem),
                 ERR_OK);
    cr_assert_eq(count, (size_t)PERIOD_SERIES_MAX);
    for (size_t i = 0; i + 1 < count; i++)
        cr_assert_eq(periods[i].to, periods[i + 1].from);
    free(periods);
    cr_assert_eq(period_series(GRANULARITY_DAY, from, from + 1501, &periods, &count, &problem),
                 ERR_INVALID_PARAMETER);
    cr_assert(strstr(problem.detail, "1500"));
    cr_assert_str_eq(problem.errors[0].at, "granularity");
    problem_clear(&problem);
}

Test(period, months_and_completeness) {
    struct period month = parsed("2026-02", "2026-10-05"),
                  quarter = parsed("2026-Q1", "2026-10-05"), year = parsed("2024", "2026-10-05"),
                  week = parsed("2026-W39", "2026-10-05"), days = range("2023-01-01", "2027-01-01");
    cr_assert_eq(period_months(&month), 1.0);
    cr_assert_eq(period_months(&quarter), 3.0);
    cr_assert_eq(period_months(&year), 12.0);
    cr_assert_float_eq(period_months(&week), 7 / 30.436875, 1e-12);
    cr_assert_float_eq(period_months(&days), 1461 / 30.436875, 1e-12);

    cr_assert_not(period_is_complete(&month, day_of("2026-02-28")));
    cr_assert(period_is_complete(&month, day_of("2026-03-01")));
}

Test(period, granularity_names) {
    for (unsigned g = GRANULARITY_DAY; g < GRANULARITY_RANGE; g++) {
        enum granularity found;
        cr_assert(granularity_parse(granularity_name((enum granularity)g), &found));
        cr_assert_eq(found, (enum granularity)g);
    }
    enum granularity found;
    cr_assert_str_eq(granularity_name(GRANULARITY_RANGE), "range");
    cr_assert_not(granularity_parse("range", &found));
    cr_assert_not(granularity_parse("Month", &found));
    cr_assert_not(granularity_parse("", &found));
}
