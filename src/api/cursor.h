/*
 * Cursors of lists: the place reached and the query that it belongs to, as one opaque text.
 *
 * A checksum that takes in workspace, route, and kind or KPI makes an altered, or another one's,
 * cursor a bad one. It is no secret: whoever forges a cursor gets what the same filters would have
 * given him, for everything in it is checked as a request's own parameters are.
 */
#ifndef VINCULO_API_CURSOR_H
#define VINCULO_API_CURSOR_H

#include "call.h"
#include "vinculo/record_list.h"

enum { PAGE_RECORDS_MAX = 1000 };

/* The last record of a page. */
struct cursor_place {
    int64_t time_us; /* the record's own, or of order=risk the moment looked at */
    int score;       /* of order=risk: its health */
    char id[4 * FIELD_ID_MAX + 1];
    /* Of the records behind a figure: */
    int part;      /* of the KPI's; id is empty where it has not begun */
    int32_t today; /* the day as of which the period was named */
};

/* The cursor of this place under the call's parameters. */
void cursor_write(struct buf *out, const struct call *call, const struct cursor_place *place,
                  size_t limit);
/* Brings call->parameters, the place and the limit back. ERR_BAD_CURSOR. */
MUST_CHECK enum err cursor_read(struct call *call, const char *cursor,
                                struct cursor_place *ret_place, size_t *ret_limit);
/* The same refusal for what shows later to be wrong in a cursor. */
enum err cursor_refuse(struct call *call);
/* True for the parameters that a cursor does not hold: cursor, limit, format. */
bool cursor_leaves_out(const char *parameter);

#endif
