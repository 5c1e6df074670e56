/*
 * Whether a workspace has changed since it was read: every change of its records, settings or
 * targets raises its version in the same transaction (data_version in migrations). A thread with a
 * connection of its own asks for the versions that are watched, so that an answer which was made at
 * a version can be given again without asking the database.
 *
 * A version is known for 100 ms at most after it was read (the time after which another instance's
 * commit must show), and no longer than until this instance's next commit.
 */
#ifndef VINCULO_VERSIONS_H
#define VINCULO_VERSIONS_H

#include "vinculo/db.h"

#include <stdbool.h>
#include <stdint.h>

struct versions;

/* Starts the thread; it connects by itself, and again after every loss. */
MUST_CHECK enum err versions_start(const struct db_options *database,
                                   struct versions **ret_versions, struct problem *problem);
void versions_stop(struct versions *versions); /* NULL: nothing */

/* True where the workspace is known to be at that version still. From any thread. The workspace is
 * watched from then on, for a minute. */
bool versions_are_current(struct versions *versions, int workspace_id, int64_t version);

#endif
