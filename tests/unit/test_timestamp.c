/* Civil dates and moments, against published instants and a day-by-day walk of the calendar. */
#include "vinculo/timestamp.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

Test(date, agrees_with_a_walk_through_nine_centuries) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t expected = date_from_civil(1583, 1, 1); /* anchored below, where the walk meets 1970 */
    bool met_epoch = false;
    for (int year = 1583; year < 2500; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && leap ? 1 : 0);
            cr_assert(date_is_valid(year, month, length));
            cr_assert(!date_is_valid(year, month, length + 1), "%d-%d", year, month);
            for (int day = 1; day <= length; day++, expected++) {
                int y, m, d;
                cr_assert(date_from_civil(year, month, day) == expected);
                date_to_civil(expected, &y, &m, &d);
                cr_assert(y == year && m == month && d == day, "%d-%d-%d", year, month, day);
                if (year == 1970 && month == 1 && day == 1) {
                    cr_assert(expected == 0);
                    met_epoch = true;
                }
            }
        }
    }
    cr_assert(met_epoch);
}

Test(date, knows_the_leap_years_of_the_gregorian_reform) {
    cr_assert(!date_is_valid(1900, 2, 29));
    cr_assert(date_is_valid(2000, 2, 29));
    cr_assert(date_is_valid(2024, 2, 29));
    cr_assert(!date_is_valid(2026, 2, 29));
    cr_assert(!date_is_valid(2100, 2, 29));
    cr_assert(!date_is_valid(2026, 0, 1));
    cr_assert(!date_is_valid(2026, 13, 1));
    cr_assert(!date_is_valid(2026, 4, 31));
    cr_assert(!date_is_valid(2026, 4, 0));
}

Test(date, parses_only_iso_dates_in_range) {
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"1970-01-01", true},   {"1900-01-01", true},
        {"2199-12-31", true},   {"1899-12-31", false},
        {"2200-01-01", false},  {"2026-02-30", false},
        {"2026-2-03", false},   {"20260203", false},
        {"2026-02-03 ", false}, {" 2026-02-03", false},
        {"2026-02-3x", false},  {"", false},
        {"+026-02-03", false},  {"2026-02-03T00:00:00Z", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t date;
        cr_assert(date_parse(cases[i].text, strlen(cases[i].text), &date) == cases[i].valid, "%s",
                  cases[i].text);
        if (cases[i].valid) {
            char text[DATE_TEXT_MAX];
            cr_assert(date_format(date, text) == 10);
            cr_assert_str_eq(text, cases[i].text);
        }
    }
}

/* RFC 3339, section 5.8, and well-known Unix times. */
Test(timestamp, parses_published_instants) {
    static const struct {
        const char *text;
        int64_t us;
        const char *utc;
    } cases[] = {
        {"1985-04-12T23:20:50.52Z", INT64_C(482196050520000), "1985-04-12T23:20:50.52Z"},
        {"1996-12-19T16:39:57-08:00", INT64_C(851042397000000), "1996-12-20T00:39:57Z"},
        {"1937-01-01T12:00:27.87+00:20", INT64_C(-1041337172130000), "1937-01-01T11:40:27.87Z"},
        {"2001-09-09T01:46:40Z", INT64_C(1000000000000000), "2001-09-09T01:46:40Z"},
        {"2038-01-19T03:14:07Z", INT64_C(2147483647000000), "2038-01-19T03:14:07Z"},
        {"1901-12-13T20:45:52Z", INT64_C(-2147483648000000), "1901-12-13T20:45:52Z"},
        {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000000), "0001-01-01T00:00:00Z"},
        {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
        {"1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999999Z"},
        {"1970-01-01t00:00:00.0000019z", 1, "1970-01-01T00:00:00.000001Z"},
        {"1970-01-01T00:00:00.000000-00:00", 0, "1970-01-01T00:00:00Z"},
        {"1970-01-02T00:00:00.100+23:59", 60100000, "1970-01-01T00:01:00.1Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us = 0;
        char text[TIMESTAMP_TEXT_MAX];
        cr_assert(timestamp_parse(cases[i].text, strlen(cases[i].text), &us), "%s", cases[i].text);
        cr_assert(us == cases[i].us, "%s gave %" PRId64, cases[i].text, us);
        cr_assert(timestamp_format(us, text) == strlen(cases[i].utc));
        cr_assert_str_eq(text, cases[i].utc);
    }
}

Test(timestamp, refuses_everything_else) {
    static const char *const texts[] = {
        "",
        "2026-09-14",
        "2026-09-14T12:00:00",
        "2026-09-14T12:00Z",
        "2026-09-14 12:00:00Z",
        "2026-09-14T24:00:00Z",
        "2026-09-14T12:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-09-14T12:00:00.Z",
        "2026-09-14T12:00:00,5Z",
        "2026-09-14T12:00:00+0300",
        "2026-09-14T12:00:00+03",
        "2026-09-14T12:00:00+24:00",
        "2026-09-14T12:00:00+03:60",
        "2026-09-14T12:00:00Zx",
        "2026-09-14T12:00:00ZZ",
        "2026-02-29T12:00:00Z",
        "26-09-14T12:00:00Z",
        "12026-09-14T12:00:00Z",
        "-026-09-14T12:00:00Z",
        "2026-09-14T12:00:00 Z",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t us;
        cr_assert(!timestamp_parse(texts[i], strlen(texts[i]), &us), "%s", texts[i]);
    }
    int64_t us;
    cr_assert(!timestamp_parse("2026-09-14T12:00:00Z", 19, &us), "the length counts, not the NUL");
    cr_assert(!timestamp_parse("2026-09-14T12:00:00\0", 20, &us));
}

Test(timestamp, reads_what_postgresql_prints) {
    int64_t us;
    cr_assert(timestamp_parse_postgres("2001-09-09 01:46:40+00", &us));
    cr_assert(us == INT64_C(1000000000000000));
    cr_assert(timestamp_parse_postgres("1985-04-12 23:20:50.52+00", &us));
    cr_assert(us == INT64_C(482196050520000));
    cr_assert(!timestamp_parse_postgres("infinity", &us));
    cr_assert(!timestamp_parse_postgres("0044-03-15 12:00:00+00 BC", &us));
    cr_assert(!timestamp_parse_postgres("2001-09-09 01:46:40+01", &us));
}

Test(timestamp, tells_a_time_after_this_test_was_written) {
    cr_assert(timestamp_now() > INT64_C(1767225600000000));
}
