/*
 * The schema's versions: the migrations embedded in this program against those that the database
 * has had, kept in the table schema_migration. Forward only; each migration is one transaction.
 * The connection must have been opened with `prepare` false.
 */
#ifndef VINCULO_MIGRATE_H
#define VINCULO_MIGRATE_H

#include "vinculo/db.h"

/* The version that this program needs: that of its last migration. */
int migrate_version(void);

/* Applies what is missing, in order; waits while another instance does. `applied` (may be NULL)
 * is told the file name of each migration after its commit. ERR_UNAVAILABLE where the database is
 * away, newer than this program, or has had other migrations; nothing is changed then. */
MUST_CHECK enum err migrate_run(struct db *db, void (*applied)(const char *name, void *context),
                                void *context, struct problem *problem);

/* ERR_OK where the database has exactly this program's migrations, else ERR_UNAVAILABLE with a
 * sentence that says what to do. */
MUST_CHECK enum err migrate_check(struct db *db, struct problem *problem);

#endif
