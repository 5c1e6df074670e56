/*
 * Moments and civil dates, without time zones (zones are PostgreSQL's).
 * A moment is int64 microseconds since 1970-01-01T00:00:00Z; a day is int32 days since 1970-01-01.
 */
#ifndef VINCULO_TIMESTAMP_H
#define VINCULO_TIMESTAMP_H

#include "vinculo/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMESTAMP_TEXT_MAX = 32, DATE_TEXT_MAX = 16 };
#define MICROSECONDS_PER_SECOND INT64_C(1000000)
/* Years 1 to 9999, which PostgreSQL and timestamp_format agree on. */
#define TIMESTAMP_FIRST_US INT64_C(-62135596800000000)
#define TIMESTAMP_LAST_US INT64_C(253402300799999999)

int64_t timestamp_now(void);
/* µs of a clock that is never set: for durations and deadlines. */
int64_t clock_monotonic_us(void);
/* Strict RFC 3339 with offset (Z or ±hh:mm), at most 6 decimals kept, further ones cut; leap
 * second 60 refused. False where the text is not one. */
bool timestamp_parse(const char *text, size_t length, int64_t *ret_us);
/* PostgreSQL's ISO output with TimeZone=UTC: 2026-09-14 12:00:00[.ffffff]+00 */
bool timestamp_parse_postgres(const char *text, int64_t *ret_us);
/* 2026-09-14T12:00:00Z, 2026-09-14T12:00:00.25Z; returns the length. Years 0–9999, as in
 * date_format. */
size_t timestamp_format(int64_t us, char ret_text[TIMESTAMP_TEXT_MAX]);

int32_t date_from_civil(int year, int month, int day);
void date_to_civil(int32_t date, int *ret_year, int *ret_month, int *ret_day);
bool date_is_valid(int year, int month, int day);
/* YYYY-MM-DD, years 1900–2199. */
bool date_parse(const char *text, size_t length, int32_t *ret_date);
size_t date_format(int32_t date, char ret_text[DATE_TEXT_MAX]);

#endif
