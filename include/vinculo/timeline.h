/*
 * The days of an answer cut at every boundary of its periods, so that each total is read once: the
 * stretches between neighbouring boundaries, and of what rows of the totals tables they are made
 * (whole months, and the days around them). Pure.
 */
#ifndef VINCULO_TIMELINE_H
#define VINCULO_TIMELINE_H

#include "vinculo/err.h"
#include "vinculo/period.h"

#include <stddef.h>
#include <stdint.h>

/* No boundary: all days before the first one. */
#define TIMELINE_BEGINNING INT32_MIN

/* Rows of one grain with from ≤ start < to. */
struct timeline_slice {
    size_t stretch;
    char grain; /* 'm' months, 'd' days */
    int32_t from, to;
};

struct timeline {
    int32_t *bounds; /* ascending, without repetition */
    size_t bound_count;
    struct timeline_slice *slices; /* of stretch i = [bounds[i − 1], bounds[i]), the first from the
                                    * beginning; there are bound_count stretches */
    size_t slice_count;
};

/* Of the periods, their previous equal ones, and the last month of those that are twelve whole
 * months. ERR_UNAVAILABLE without memory. Freed by timeline_clear. */
MUST_CHECK enum err timeline_make(const struct period *periods, size_t count,
                                  struct timeline *ret_timeline, struct problem *problem);
void timeline_clear(struct timeline *timeline);

/* The stretches that make up [from, to), both boundaries or the beginning: from *ret_first up to,
 * not including, *ret_end. */
void timeline_find(const struct timeline *timeline, int32_t from, int32_t to, size_t *ret_first,
                   size_t *ret_end);

#endif
