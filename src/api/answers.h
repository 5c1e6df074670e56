/*
 * Answers made of figures: their ETag, and keeping their bodies while nothing has changed.
 *
 * Such an answer depends on the workspace's data and settings (one version number stands for both,
 * vinculo/versions.h), on the request's path, query and format, and on the workspace's date.
 */
#ifndef VINCULO_API_ANSWERS_H
#define VINCULO_API_ANSWERS_H

#include "call.h"
#include "vinculo/kpi_store.h"

struct answers;

/* NULL where memory is short. */
struct answers *answers_new(void);
void answers_free(struct answers *answers);

/* On the loop's thread, format chosen: replies with a kept body that is still true, or 304, where
 * there is one; else false. */
bool answers_find(struct call *call);

/* After the body of a 200 was written from what was read at that clock: adds the headers, turns the
 * reply into a 304 where the client has that body already, and keeps it. */
void answers_keep(struct call *call, const struct kpi_clock *clock);

#endif
