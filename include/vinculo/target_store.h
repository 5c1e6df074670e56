/*
 * A workspace's targets in the database. Runs on a worker's thread.
 */
#ifndef VINCULO_TARGET_STORE_H
#define VINCULO_TARGET_STORE_H

#include "vinculo/db.h"
#include "vinculo/target.h"

/* Reads the rows of the statement "target_list"; DB_LOST where they are not such rows. */
MUST_CHECK enum db_status target_store_take(const PGresult *rows, struct target_set *ret_set);
/* All targets of a workspace. */
MUST_CHECK enum db_status target_store_list(struct db *db, int workspace_id,
                                            struct target_set *ret_set);
/* Sets a KPI's target, a new one or instead of the one that is there; fills in its updated_us. */
MUST_CHECK enum db_status target_store_put(struct db *db, int workspace_id,
                                           const struct kpi_spec *spec, struct target *target,
                                           bool *ret_created);
/* DB_STOP: there is none. */
MUST_CHECK enum db_status target_store_delete(struct db *db, int workspace_id,
                                              const struct kpi_spec *spec);

#endif
