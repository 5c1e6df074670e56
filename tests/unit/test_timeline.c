/* Cutting days at the boundaries of periods: by hand, and that every day is in exactly one slice.
 */
#include "vinculo/timeline.h"
#include "vinculo/timestamp.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static int32_t day_of(const char *text) {
    int32_t day;
    cr_assert(date_parse(text, strlen(text), &day));
    return day;
}

static struct period period_named(const char *text) {
    struct period period;
    cr_assert_eq(period_parse(text, day_of("2026-11-25"), &period, NULL), ERR_OK);
    return period;
}

static struct timeline timeline_of(const struct period *periods, size_t count) {
    struct timeline timeline;
    cr_assert_eq(timeline_make(periods, count, &timeline, NULL), ERR_OK);
    return timeline;
}

/* September against August: cut at the starts of July's end, August, September and October. */
Test(timeline, a_month_and_the_one_before) {
    struct period periods[] = {period_named("2026-09"), period_named("2026-08")};
    struct timeline timeline = timeline_of(periods, 2);
    static const char *const bounds[] = {"2026-07-01", "2026-08-01", "2026-09-01", "2026-10-01"};
    cr_assert_eq(timeline.bound_count, 4);
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(timeline.bounds[i], day_of(bounds[i]));
    cr_assert_eq(timeline.slice_count, 4); /* each of whole months */
    for (size_t i = 0; i < 4; i++)
        cr_assert(timeline.slices[i].grain == 'm' && timeline.slices[i].stretch == i);
    cr_assert_eq(timeline.slices[0].from, TIMELINE_BEGINNING);
    size_t first, end;
    timeline_find(&timeline, day_of("2026-09-01"), day_of("2026-10-01"), &first, &end);
    cr_assert(first == 3 && end == 4);
    timeline_find(&timeline, TIMELINE_BEGINNING, day_of("2026-08-01"), &first, &end);
    cr_assert(first == 0 && end == 2);
    timeline_clear(&timeline);
}

/* The last month of twelve whole ones is a stretch of its own. */
Test(timeline, the_trailing_year_has_its_last_month) {
    struct period period = period_named("last_12_months");
    cr_assert(period_is_trailing_year(&period) && period_is_whole_months(&period));
    struct timeline timeline = timeline_of(&period, 1);
    size_t first, end;
    timeline_find(&timeline, day_of("2026-10-01"), day_of("2026-11-01"), &first, &end);
    cr_assert_eq(end, first + 1);
    timeline_clear(&timeline);
    struct period range;
    cr_assert_eq(period_parse_range("2026-01-15", "2027-01-15", &range, NULL), ERR_OK);
    cr_assert_not(period_is_trailing_year(&range));
}

/* Days that a period's stretches hold, each slice's grain in its place. */
static int32_t days_within(const struct timeline *timeline, int32_t from, int32_t to) {
    size_t first, end;
    int32_t days = 0, reached = from;
    timeline_find(timeline, from, to, &first, &end);
    for (size_t i = 0; i < timeline->slice_count; i++) {
        const struct timeline_slice *slice = &timeline->slices[i];
        if (slice->stretch < first || slice->stretch >= end)
            continue;
        cr_assert_eq(slice->from, reached); /* in order, without gap or overlap */
        reached = slice->to;
        days += slice->to - slice->from;
        struct period month;
        period_containing(GRANULARITY_MONTH, slice->from, &month);
        cr_assert(slice->grain == 'd' || month.from == slice->from);
        period_containing(GRANULARITY_MONTH, slice->to, &month);
        cr_assert(slice->grain == 'd' || month.from == slice->to);
    }
    cr_assert_eq(reached, to);
    return days;
}

Test(timeline, every_day_is_in_one_slice) {
    enum { MOST = 6 };
    srandom(2026);
    for (int round = 0; round < 2000; round++) {
        struct period periods[MOST];
        size_t count = (size_t)(random() % MOST) + 1;
        for (size_t i = 0; i < count; i++) {
            int32_t from = day_of("2020-01-01") + (int32_t)(random() % 2000);
            char first[DATE_TEXT_MAX], last[DATE_TEXT_MAX];
            date_format(from, first);
            date_format(from + 1 + (int32_t)(random() % 900), last);
            if (random() % 2 == 0)
                cr_assert_eq(period_parse_range(first, last, &periods[i], NULL), ERR_OK);
            else
                period_containing((enum granularity)(random() % GRANULARITY_RANGE), from,
                                  &periods[i]);
        }
        struct timeline timeline = timeline_of(periods, count);
        for (size_t i = 0; i < count; i++) {
            struct period previous;
            period_previous(&periods[i], &previous);
            cr_assert_eq(days_within(&timeline, periods[i].from, periods[i].to),
                         periods[i].to - periods[i].from);
            cr_assert_eq(days_within(&timeline, previous.from, periods[i].from),
                         periods[i].from - previous.from);
        }
        timeline_clear(&timeline);
    }
}
