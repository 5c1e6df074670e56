/* Cutting days at the boundaries of periods (see vinculo/timeline.h). */
#include "vinculo/timeline.h"

#include <assert.h>
#include <stdlib.h>

/* a and b, the previous a, the start of the last month. */
enum { BOUNDS_PER_PERIOD = 4, SLICES_PER_STRETCH = 3 };

static int32_t month_floor(int32_t day) {
    struct period month;
    period_containing(GRANULARITY_MONTH, day, &month);
    return month.from;
}

static int32_t month_ceiling(int32_t day) {
    struct period month;
    period_containing(GRANULARITY_MONTH, day, &month);
    return month.from == day ? day : month.to;
}

static int compare_days(const void *first, const void *second) {
    int32_t a = *(const int32_t *)first, b = *(const int32_t *)second;
    return (a > b) - (a < b);
}

static void add_slice(struct timeline *timeline, size_t stretch, char grain, int32_t from,
                      int32_t to) {
    if (from < to)
        timeline->slices[timeline->slice_count++] =
            (struct timeline_slice){stretch, grain, from, to};
}

static void add_stretch(struct timeline *timeline, size_t stretch) {
    int32_t to = timeline->bounds[stretch], last = month_floor(to);
    if (stretch == 0) {
        add_slice(timeline, stretch, 'm', TIMELINE_BEGINNING, last);
        add_slice(timeline, stretch, 'd', last, to);
        return;
    }
    int32_t from = timeline->bounds[stretch - 1], first = month_ceiling(from);
    if (first >= last) {
        add_slice(timeline, stretch, 'd', from, to);
        return;
    }
    add_slice(timeline, stretch, 'd', from, first);
    add_slice(timeline, stretch, 'm', first, last);
    add_slice(timeline, stretch, 'd', last, to);
}

static void add_bounds(struct timeline *timeline, const struct period *period) {
    struct period previous;
    int32_t *bounds = timeline->bounds + timeline->bound_count;
    period_previous(period, &previous);
    bounds[0] = previous.from;
    bounds[1] = period->from;
    bounds[2] = period->to;
    bounds[3] = period_is_trailing_year(period) ? month_floor(period->to - 1) : period->to;
    timeline->bound_count += BOUNDS_PER_PERIOD;
}

static void sort_bounds(struct timeline *timeline) {
    size_t kept = 0;
    qsort(timeline->bounds, timeline->bound_count, sizeof *timeline->bounds, compare_days);
    for (size_t i = 0; i < timeline->bound_count; i++) {
        if (kept == 0 || timeline->bounds[kept - 1] != timeline->bounds[i])
            timeline->bounds[kept++] = timeline->bounds[i];
    }
    timeline->bound_count = kept;
}

enum err timeline_make(const struct period *periods, size_t count, struct timeline *ret_timeline,
                       struct problem *problem) {
    size_t most = count * BOUNDS_PER_PERIOD;
    struct timeline timeline = {.bounds = calloc(most, sizeof *timeline.bounds),
                                .slices =
                                    calloc(most * SLICES_PER_STRETCH, sizeof *timeline.slices)};
    if (timeline.bounds == NULL || timeline.slices == NULL) {
        timeline_clear(&timeline);
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    for (size_t i = 0; i < count; i++)
        add_bounds(&timeline, &periods[i]);
    sort_bounds(&timeline);
    for (size_t i = 0; i < timeline.bound_count; i++)
        add_stretch(&timeline, i);
    *ret_timeline = timeline;
    return ERR_OK;
}

void timeline_clear(struct timeline *timeline) {
    free(timeline->bounds);
    free(timeline->slices);
    *timeline = (struct timeline){0};
}

static size_t find_bound(const struct timeline *timeline, int32_t day) {
    const int32_t *found = bsearch(&day, timeline->bounds, timeline->bound_count,
                                   sizeof *timeline->bounds, compare_days);
    assert(found != NULL);
    return (size_t)(found - timeline->bounds);
}

void timeline_find(const struct timeline *timeline, int32_t from, int32_t to, size_t *ret_first,
                   size_t *ret_end) {
    *ret_first = from == TIMELINE_BEGINNING ? 0 : find_bound(timeline, from) + 1;
    *ret_end = find_bound(timeline, to) + 1;
}
