/*
 * One customer as the business knows him or her at a moment, and what the health of many is worked
 * out from. Records dated before the moment count, and no others. On a worker's thread.
 */
#ifndef VINCULO_RELATIONSHIP_STORE_H
#define VINCULO_RELATIONSHIP_STORE_H

#include "vinculo/buf.h"
#include "vinculo/db.h"
#include "vinculo/health.h"
#include "vinculo/record.h"
#include "vinculo/record_list.h"

enum { TIMELINE_MAX = 100 };

/* Release with relationship_clear. */
struct relationship {
    int64_t at_us;
    struct record customer;
    struct health_signals signals;
    struct buf figures;  /* a JSON object */
    struct buf timeline; /* a JSON array of at most TIMELINE_MAX events, newest first */
    bool timeline_more;  /* there are older ones */
};

/* All from one snapshot. `at` absent: now, and then a cancellation that lies ahead is known as
 * scheduled. ERR_NOT_FOUND; ERR_INVALID_PARAMETER where the moment lies ahead; ERR_UNAVAILABLE. */
MUST_CHECK enum err relationship_read(struct db *db, int workspace_id, const char *id,
                                      const struct list_bound *at, struct relationship *ret,
                                      struct problem *problem);
void relationship_clear(struct relationship *relationship);

/* The moment that `at` stands for. Errors as above. */
MUST_CHECK enum err relationship_moment(struct db *db, int workspace_id,
                                        const struct list_bound *at, int64_t *ret_us,
                                        struct problem *problem);

enum { SIGNALS_MAX = 1000 /* customers of one statement */ };

/* The signals of `count` customers by id; of one that there is not: changes 0. scheduled: whether
 * cancellations after the moment are known. ERR_UNAVAILABLE. */
MUST_CHECK enum err relationship_signals(struct db *db, int workspace_id, const char *const *ids,
                                         size_t count, int64_t at_us, bool scheduled,
                                         struct health_signals *ret_signals,
                                         struct problem *problem);

#endif
