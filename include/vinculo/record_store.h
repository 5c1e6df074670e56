/*
 * Single records in the database: reading one, and the short transactions of PUT, PATCH, DELETE.
 * (POST goes through the writer.) All run on a worker's thread.
 */
#ifndef VINCULO_RECORD_STORE_H
#define VINCULO_RECORD_STORE_H

#include "vinculo/db.h"
#include "vinculo/record.h"
#include "vinculo/writer.h"

#include <jansson.h>

/* Reads one record inside or outside a transaction. DB_STOP: there is none. */
MUST_CHECK enum db_status store_record_get(struct db *db, const struct kind_spec *spec,
                                           int workspace_id, const char *id,
                                           struct record *ret_record);

/* DB_STOP with the problem set where a life event's customer
 * is unknown or starts later; other kinds pass. */
MUST_CHECK enum db_status store_check_life(struct db *db, const struct record *record,
                                           int workspace_id, struct problem *problem);

/* GET: ERR_NOT_FOUND, ERR_UNAVAILABLE. */
MUST_CHECK enum err record_store_read(struct db *db, const struct kind_spec *spec, int workspace_id,
                                      const char *id, struct record *ret_record,
                                      struct problem *problem);

/* PUT: stores or replaces; *record becomes the stored one. CREATED, UPDATED or UNCHANGED. */
MUST_CHECK enum err record_store_put(struct db *db, int workspace_id, struct record *record,
                                     enum outcome *ret_outcome, struct problem *problem);

/* PATCH: merges into the stored record, checks the result like a POST, stores it. */
MUST_CHECK enum err record_store_patch(struct db *db, const struct kind_spec *spec,
                                       int workspace_id, const char *id, const json_t *patch,
                                       const struct record_context *context,
                                       struct record *ret_record, struct problem *problem);

/* DELETE: ERR_NOT_FOUND, ERR_HAS_DEPENDENTS. */
MUST_CHECK enum err record_store_delete(struct db *db, const struct kind_spec *spec,
                                        int workspace_id, const char *id, struct problem *problem);

#endif
