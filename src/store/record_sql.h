/* The statements of a record kind, written from its spec. */
#ifndef VINCULO_STORE_RECORD_SQL_H
#define VINCULO_STORE_RECORD_SQL_H

#include "vinculo/buf.h"
#include "vinculo/record.h"

/*
 * INSERT: $1 array of <kind>_row (record_rows_begin), ids unique within it. Stores those whose id
 * is free, in the order of workspaces and ids (by bytes); of each in this order workspace_id, id,
 * created_at.
 *
 * HASH: $1 JSON array of {ord, workspace_id, id}: per record that is there ord, content_hash.
 *
 * GET: $1 workspace, $2 id: the fields in spec order, created_at, updated_at; no row: none.
 *
 * UPDATE: $1 as of INSERT: per record that is there ord, created_at, updated_at.
 *
 * READ: $1 as of HASH: per record that is there ord and GET's columns.
 *
 * DELETE: $1 workspace, $2 id: one row where a record was deleted.
 *
 * All rely on the primary key (workspace_id, id).
 */
enum record_sql {
    RECORD_SQL_INSERT,
    RECORD_SQL_HASH,
    RECORD_SQL_GET,
    RECORD_SQL_UPDATE,
    RECORD_SQL_READ,
    RECORD_SQL_DELETE,
    RECORD_SQL_COUNT
};

/* The type of the rows of INSERT and UPDATE, a format of the kind's name. */
#define RECORD_SQL_ROW_TYPE "%s_row"

/* The name it is prepared under, such as "survey_insert". */
void record_sql_name(const struct kind_spec *spec, enum record_sql verb, char *ret_name,
                     size_t size);
void record_sql_write(struct buf *out, const struct kind_spec *spec, enum record_sql verb);

#endif
