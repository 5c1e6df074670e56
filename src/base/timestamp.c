/*
 * Moments and dates of the proleptic Gregorian calendar.
 *
 * Days are counted in years that begin in March, so that the leap day is the last of its year and
 * month lengths follow one straight line; eras of 400 years (146,097 days) repeat exactly.
 */
#include "vinculo/timestamp.h"

#include <string.h>
#include <time.h>

enum {
    DAYS_PER_ERA = 146097,
    DAYS_FROM_ERA_TO_EPOCH = 719468, /* 0000-03-01 to 1970-01-01 */
    SECONDS_PER_DAY = 86400,
};

static int64_t floor_divide(int64_t value, int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

int64_t timestamp_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MICROSECONDS_PER_SECOND + now.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MICROSECONDS_PER_SECOND + now.tv_nsec / 1000;
}

int32_t date_from_civil(int year, int month, int day) {
    int64_t march_year = (int64_t)year - (month <= 2 ? 1 : 0);
    int march_month = (month + 9) % 12; /* March is 0 */
    int64_t era = floor_divide(march_year, 400);
    int64_t year_of_era = march_year - era * 400;
    int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int32_t)(era * DAYS_PER_ERA + day_of_era - DAYS_FROM_ERA_TO_EPOCH);
}

void date_to_civil(int32_t date, int *ret_year, int *ret_month, int *ret_day) {
    int64_t days = (int64_t)date + DAYS_FROM_ERA_TO_EPOCH;
    int64_t era = floor_divide(days, DAYS_PER_ERA);
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    /* The last day of a 4, 100 and 400 year cycle is the leap day of its last year. */
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *ret_month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    *ret_year = (int)(era * 400 + year_of_era + (march_month >= 10 ? 1 : 0));
}

bool date_is_valid(int year, int month, int day) {
    if (month < 1 || month > 12 || day < 1)
        return false;
    int32_t first = date_from_civil(year, month, 1);
    int32_t next =
        month == 12 ? date_from_civil(year + 1, 1, 1) : date_from_civil(year, month + 1, 1);
    return day <= next - first;
}

/* A text that is consumed from the left. */
struct cursor {
    const char *at;
    const char *end;
};

static bool take_digits(struct cursor *cursor, int count, int *ret_value) {
    int value = 0;
    if (cursor->end - cursor->at < count)
        return false;
    for (int i = 0; i < count; i++) {
        char c = cursor->at[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    cursor->at += count;
    *ret_value = value;
    return true;
}

static bool take_one_of(struct cursor *cursor, const char *choices) {
    if (cursor->at == cursor->end || *cursor->at == '\0' || strchr(choices, *cursor->at) == NULL)
        return false;
    cursor->at++;
    return true;
}

static bool take_date(struct cursor *cursor, int *ret_year, int32_t *ret_date) {
    int year, month, day;
    if (!take_digits(cursor, 4, &year) || !take_one_of(cursor, "-") ||
        !take_digits(cursor, 2, &month) || !take_one_of(cursor, "-") ||
        !take_digits(cursor, 2, &day) || !date_is_valid(year, month, day))
        return false;
    *ret_year = year;
    *ret_date = date_from_civil(year, month, day);
    return true;
}

/* .25 as 250000; true with 0 where there is no fraction. */
static bool take_fraction(struct cursor *cursor, int64_t *ret_us) {
    *ret_us = 0;
    if (!take_one_of(cursor, "."))
        return true;
    int64_t worth = MICROSECONDS_PER_SECOND / 10;
    int digit;
    if (!take_digits(cursor, 1, &digit))
        return false;
    do {
        *ret_us += digit * worth;
        worth /= 10;
    } while (take_digits(cursor, 1, &digit));
    return true;
}

/* Date, separator and time of day, without the offset. */
static bool take_date_time(struct cursor *cursor, const char *separators, int64_t *ret_us) {
    int year, hour, minute, second;
    int32_t date;
    int64_t fraction_us;
    if (!take_date(cursor, &year, &date) || !take_one_of(cursor, separators) ||
        !take_digits(cursor, 2, &hour) || !take_one_of(cursor, ":") ||
        !take_digits(cursor, 2, &minute) || !take_one_of(cursor, ":") ||
        !take_digits(cursor, 2, &second) || !take_fraction(cursor, &fraction_us))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t seconds = (int64_t)date * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    *ret_us = seconds * MICROSECONDS_PER_SECOND + fraction_us;
    return true;
}

static bool take_offset(struct cursor *cursor, int64_t *ret_us) {
    *ret_us = 0;
    if (take_one_of(cursor, "Zz"))
        return true;
    bool minus = cursor->at < cursor->end && *cursor->at == '-';
    int hours, minutes;
    if (!take_one_of(cursor, "+-") || !take_digits(cursor, 2, &hours) ||
        !take_one_of(cursor, ":") || !take_digits(cursor, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    int64_t seconds = hours * 3600 + minutes * 60;
    *ret_us = (minus ? -seconds : seconds) * MICROSECONDS_PER_SECOND;
    return true;
}

bool timestamp_parse(const char *text, size_t length, int64_t *ret_us) {
    struct cursor cursor = {text, text + length};
    int64_t local_us, offset_us;
    /* RFC 3339, 5.6: T and Z may be lower case. */
    if (!take_date_time(&cursor, "Tt", &local_us) || !take_offset(&cursor, &offset_us) ||
        cursor.at != cursor.end)
        return false;
    *ret_us = local_us - offset_us;
    return true;
}

bool timestamp_parse_postgres(const char *text, int64_t *ret_us) {
    struct cursor cursor = {text, text + strlen(text)};
    int64_t us;
    if (!take_date_time(&cursor, " ", &us) || strcmp(cursor.at, "+00") != 0)
        return false;
    *ret_us = us;
    return true;
}

/* By hand: printf, over the moments of each record, was a fifth of the writer's time. */
static char *put_digits(char *at, int value, int count) {
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

static char *put_date(char *at, int32_t date) {
    int year, month, day;
    date_to_civil(date, &year, &month, &day);
    at = put_digits(at, year, 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    return put_digits(at, day, 2);
}

size_t timestamp_format(int64_t us, char ret_text[TIMESTAMP_TEXT_MAX]) {
    int64_t seconds = floor_divide(us, MICROSECONDS_PER_SECOND);
    int fraction_us = (int)(us - seconds * MICROSECONDS_PER_SECOND);
    int64_t days = floor_divide(seconds, SECONDS_PER_DAY);
    int second_of_day = (int)(seconds - days * SECONDS_PER_DAY);
    char *at = put_date(ret_text, (int32_t)days);
    *at++ = 'T';
    at = put_digits(at, second_of_day / 3600, 2);
    *at++ = ':';
    at = put_digits(at, second_of_day / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, second_of_day % 60, 2);
    if (fraction_us != 0) {
        *at++ = '.';
        at = put_digits(at, fraction_us, 6);
        while (at[-1] == '0')
            at--;
    }
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - ret_text);
}

bool date_parse(const char *text, size_t length, int32_t *ret_date) {
    struct cursor cursor = {text, text + length};
    int year;
    int32_t date;
    if (!take_date(&cursor, &year, &date) || cursor.at != cursor.end || year < 1900 || year > 2199)
        return false;
    *ret_date = date;
    return true;
}

size_t date_format(int32_t date, char ret_text[DATE_TEXT_MAX]) {
    char *end = put_date(ret_text, date);
    *end = '\0';
    return (size_t)(end - ret_text);
}
