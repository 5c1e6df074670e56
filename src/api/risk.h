/*
 * GET /v1/customers?order=risk: active customers by health, the least healthy first, those of one
 * health in the order of their ids.
 *
 * Nothing is kept for it: health changes as time passes. So each page looks at all customers that
 * the filters leave, a thousand at a time, and keeps the best candidates for the page. The cost
 * grows with their number and their records of the last year (docs/decisions.md has the figures).
 */
#ifndef VINCULO_API_RISK_H
#define VINCULO_API_RISK_H

#include "call.h"
#include "cursor.h"
#include "vinculo/relationship_store.h"

/* Writes the page after a place (NULL: the first). customers: the filters, at its beginning.
 * ERR_INVALID_PARAMETER, ERR_UNSUPPORTED_COMBINATION (too many customers), ERR_UNAVAILABLE.
 * On a worker's thread. */
MUST_CHECK enum err risk_page(struct call *call, struct db *db, struct record_list *customers,
                              const struct list_bound *at, const struct cursor_place *after,
                              size_t limit);

/* Members "health" and "reasons" of an open object; NULL where the customer is not active. */
void risk_write_health(struct buf *out, const struct health *health);

#endif
