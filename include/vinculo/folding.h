/*
 * Adding changes to the totals (totals_fold in migrations): a thread with a connection of its own
 * looks several times a second for workspaces that have changes which wait. Figures are right
 * without it, they only take longer to read; any number of instances may do it at once.
 */
#ifndef VINCULO_FOLDING_H
#define VINCULO_FOLDING_H

#include "vinculo/db.h"

struct folding;

/* Starts the thread; it connects by itself, and again after every loss. One workspace's turn, some
 * thousand changes, may take timeout_ms. */
MUST_CHECK enum err folding_start(const struct db_options *database, int timeout_ms,
                                  struct folding **ret_folding, struct problem *problem);
void folding_stop(struct folding *folding); /* NULL: nothing */

#endif
