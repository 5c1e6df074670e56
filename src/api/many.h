/*
 * POST of many records: whatever form they come in, they end here. Records are checked as they
 * come, a window of them goes to the writer, and the request waits until it is committed.
 *
 *     many_new -> (many_take until many_is_full -> many_send: wait -> many_collect)… -> many_reply
 */
#ifndef VINCULO_API_MANY_H
#define VINCULO_API_MANY_H

#include "call.h"

enum { MANY_ITEMS_MAX = 1000 /* in an array, in an atomic request, in the results */ };

struct many;

/* NULL where memory has ended. The call must outlive it. */
struct many *many_new(struct call *call);
void many_free(struct many *many);

/* The window has no room: send it before the next record. */
bool many_is_full(const struct many *many);
/* One record: its JSON, borrowed; or NULL and in `problem`, which is taken over, why it could not
 * be read. line: where it stands in the text, 0 in an array. */
void many_take(struct many *many, json_t *json, uint64_t line, struct problem *problem);
/* Hands the window to the writer. True: the request waits; many_collect afterwards. False: there
 * was nothing to store, or no way to. */
bool many_send(struct many *many);
void many_collect(struct many *many);

/* The call's problem is set: nothing more is taken or stored. */
void many_fail(struct many *many);
bool many_has_failed(const struct many *many);

/* Counts and results; after a failure the problem with the counts of what is stored for certain. */
enum http_next many_reply(struct many *many);

#endif
