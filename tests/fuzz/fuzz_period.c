/*
 * Periods: today, a granularity, then a notation; or two dates, one a line, as from and to. And
 * moments, which are written in the same place.
 */
#include "fuzz.h"

#include "vinculo/period.h"

#include <stdio.h>

enum { YEAR_MIN = 1900, YEAR_MAX = 2199, DAYS_OF_SERIES_MAX = 366 };

static int year_of(int32_t day) {
    int year, month, day_of_month;
    date_to_civil(day, &year, &month, &day_of_month);
    return year;
}

static int month_of(int32_t day) {
    int year, month, day_of_month;
    date_to_civil(day, &year, &month, &day_of_month);
    return month;
}

static bool is_equal(const struct period *a, const struct period *b) {
    return strcmp(a->key, b->key) == 0 && a->granularity == b->granularity && a->from == b->from &&
           a->to == b->to && a->span_months == b->span_months;
}

/* A calendar period holds its days and nothing else, and its key stands for it. */
static void expect_calendar(const struct period *period, int32_t today) {
    struct period other;
    period_containing(period->granularity, period->from, &other);
    assert(is_equal(period, &other));
    period_containing(period->granularity, period->to - 1, &other);
    assert(is_equal(period, &other));
    period_containing(period->granularity, period->to, &other);
    assert(other.from == period->to);
    enum err err = period_parse(period->key, today, &other, NULL);
    int year = year_of(period->from + (period->granularity == GRANULARITY_WEEK ? 3 : 0));
    assert((err == ERR_OK) == (year >= YEAR_MIN && year <= YEAR_MAX));
    assert(err != ERR_OK || is_equal(period, &other));
    assert(period->span_months == 0);
    assert(!period_is_trailing_year(period));
    assert(period_is_whole_months(period) || period->granularity == GRANULARITY_DAY ||
           period->granularity == GRANULARITY_WEEK);
}

static void expect_range(const struct period *period) {
    char from[DATE_TEXT_MAX], to[DATE_TEXT_MAX], key[PERIOD_KEY_MAX];
    date_format(period->from, from);
    date_format(period->to, to);
    snprintf(key, sizeof key, "%.10s..%.10s", from, to);
    assert(strcmp(period->key, key) == 0);
}

static void expect_previous(const struct period *period) {
    struct period previous;
    period_previous(period, &previous);
    assert(previous.granularity == period->granularity);
    assert(previous.from < previous.to && previous.to == period->from);
    assert(previous.span_months == period->span_months);
    if (period->granularity == GRANULARITY_RANGE && period->span_months == 0)
        assert(previous.to - previous.from == period->to - period->from);
}

static void expect_year_ago(const struct period *period) {
    struct period before;
    int32_t days = period->to - period->from;
    if (!period_year_ago(period, &before)) {
        /* W53 without a match; the day before 29 February. */
        bool week_53 = period->granularity == GRANULARITY_WEEK && strstr(period->key, "-W53");
        assert(week_53 || (period->granularity == GRANULARITY_RANGE && days == 1));
        return;
    }
    assert(before.granularity == period->granularity && before.from < before.to);
    int32_t back = period->from - before.from;
    if (period->granularity == GRANULARITY_WEEK)
        assert(back == 52 * 7 || back == 53 * 7);
    else
        assert(back == 365 || back == 366);
    if (period->granularity != GRANULARITY_WEEK) {
        assert(year_of(before.from) == year_of(period->from) - 1);
        assert(month_of(before.from) == month_of(period->from));
    }
    if (period->granularity == GRANULARITY_RANGE) {
        assert(abs(before.to - before.from - days) <= 1);
        assert(month_of(before.to) == month_of(period->to));
    }
}

/* Every period that meets the range, in order, without gaps. */
static void expect_series(const struct period *span, enum granularity granularity) {
    struct period *periods = NULL;
    size_t count = 0;
    PROBLEM_SCOPED problem = {0};
    enum err err = period_series(granularity, span->from, span->to, &periods, &count, &problem);
    int32_t days = span->to - span->from;
    if (err != ERR_OK) {
        expect_refusal(&problem, ERR_INVALID_PARAMETER);
        assert(periods == NULL && days > PERIOD_SERIES_MAX);
        assert(days / DAYS_OF_SERIES_MAX <= PERIOD_SERIES_MAX);
        return;
    }
    assert(count >= 1 && count <= PERIOD_SERIES_MAX);
    assert(periods[0].from <= span->from && periods[0].to > span->from);
    assert(periods[count - 1].from < span->to && periods[count - 1].to >= span->to);
    for (size_t i = 0; i < count; i++) {
        assert(periods[i].granularity == granularity && periods[i].from < periods[i].to);
        assert(i == 0 || periods[i].from == periods[i - 1].to);
    }
    assert(granularity != GRANULARITY_DAY || count == (size_t)days);
    free(periods);
}

static void expect_period(const struct period *period, int32_t today,
                          enum granularity granularity) {
    assert(period->from < period->to);
    assert(strlen(period->key) < PERIOD_KEY_MAX);
    assert(period_months(period) > 0);
    assert(period_is_complete(period, period->to) && !period_is_complete(period, period->to - 1));
    if (period->granularity == GRANULARITY_RANGE)
        expect_range(period);
    else
        expect_calendar(period, today);
    expect_previous(period);
    expect_year_ago(period);
    expect_series(period, granularity);
}

/* this_… holds today, last_… ends where it begins, last_N ends with the last complete unit. */
static void expect_name(const char *text, const struct period *period, int32_t today) {
    if (strcmp(text, "today") == 0 || strncmp(text, "this_", 5) == 0)
        assert(period->from <= today && today < period->to);
    if (strncmp(text, "last_", 5) == 0)
        assert(period->to <= today);
    if (strcmp(text, "last_90_days") == 0)
        assert(period->to == today && period->from == today - 90);
    if (strcmp(text, "last_12_months") == 0) {
        struct period trailing;
        period_trailing_year(today, &trailing);
        assert(is_equal(period, &trailing) && period_is_trailing_year(period));
        assert(year_of(period->from) == year_of(period->to) - 1 && period->span_months == 12);
    }
}

static void try_notation(const char *text, int32_t today, enum granularity granularity) {
    struct period period;
    PROBLEM_SCOPED problem = {0};
    enum err err = period_parse(text, today, &period, &problem);
    if (err != ERR_OK) {
        expect_refusal(&problem, ERR_INVALID_PARAMETER);
        return;
    }
    expect_period(&period, today, granularity);
    expect_name(text, &period, today);
    if (text[0] >= '0' && text[0] <= '9')
        assert(strcmp(text, period.key) == 0);
}

static void try_range(const char *from, const char *to, int32_t today,
                      enum granularity granularity) {
    struct period period;
    PROBLEM_SCOPED problem = {0};
    enum err err = period_parse_range(from, to, &period, &problem);
    int32_t first = 0, end = 0;
    bool dates = date_parse(from, strlen(from), &first) && date_parse(to, strlen(to), &end);
    assert((err == ERR_OK) == (dates && first < end));
    if (err != ERR_OK) {
        expect_refusal(&problem, ERR_INVALID_PARAMETER);
        return;
    }
    assert(period.from == first && period.to == end);
    assert(strncmp(period.key, from, 10) == 0 && strcmp(period.key + 12, to) == 0);
    expect_period(&period, today, granularity);
}

/* What is written for a moment, is read as that moment. */
static void try_moment(const char *text) {
    int64_t moment, again;
    if (!timestamp_parse(text, strlen(text), &moment) || moment < TIMESTAMP_FIRST_US ||
        moment > TIMESTAMP_LAST_US)
        return;
    char shown[TIMESTAMP_TEXT_MAX + 2];
    size_t length = timestamp_format(moment, shown);
    bool good = strlen(shown) == length && timestamp_parse(shown, length, &again);
    assert(good && again == moment);
    shown[strlen("2026-09-14")] = ' ';
    memcpy(shown + length - 1, "+00", sizeof "+00");
    good = timestamp_parse_postgres(shown, &again);
    assert(good && again == moment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = input_of(data, size);
    int32_t today = 36524; /* 2070-01-01, and before or after it */
    for (int32_t scale = 256; scale > 0; scale /= 256)
        today += scale * ((int32_t)take_choice(&input, 256) - 64);
    enum granularity granularity = (enum granularity)take_choice(&input, GRANULARITY_RANGE);
    TEXT_SCOPED *first = take_text(&input, '\n');
    bool is_pair = input.left > 0;
    TEXT_SCOPED *second = take_text(&input, '\n');
    try_notation(first, today, granularity);
    try_moment(first);
    if (is_pair)
        try_range(first, second, today, granularity);
    return 0;
}
