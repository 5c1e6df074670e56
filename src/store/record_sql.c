/* SQL of the record kinds, generated so that a new kind needs a migration and a spec only. */
#include "record_sql.h"

#include <stdio.h>

static const char *const verbs[RECORD_SQL_COUNT] = {"insert", "hash", "get",
                                                    "update", "read", "delete"};

void record_sql_name(const struct kind_spec *spec, enum record_sql verb, char *ret_name,
                     size_t size) {
    snprintf(ret_name, size, "%s_%s", spec->name, verbs[verb]);
}

/* "<prefix>id, <prefix>started_at, …" */
static void write_fields(struct buf *out, const struct kind_spec *spec, const char *prefix) {
    for (size_t i = 0; i < spec->field_count; i++) {
        buf_printf(out, "%s%s%s", i == 0 ? "" : ", ", prefix, spec->fields[i].name);
    }
}

static void write_insert(struct buf *out, const struct kind_spec *spec) {
    buf_printf(out, "INSERT INTO %s (workspace_id, content_hash, ", spec->name);
    write_fields(out, spec, "");
    if (spec->searched_field != NULL) {
        buf_printf(out, ", %s_language", spec->searched_field);
    }
    buf_add_str(out, ") SELECT x.workspace_id, x.content_hash, ");
    write_fields(out, spec, "x.");
    if (spec->searched_field != NULL) {
        /* Its triggers would look it up as well, but one call per record. */
        buf_printf(out,
                   ", CASE WHEN x.%s IS NOT NULL THEN (SELECT w.language FROM workspace w"
                   " WHERE w.id = x.workspace_id) END",
                   spec->searched_field);
    }
    buf_printf(out,
               " FROM unnest($1::" RECORD_SQL_ROW_TYPE "[]) x ORDER BY x.workspace_id, x.id"
               " ON CONFLICT (workspace_id, id) DO NOTHING RETURNING workspace_id, id, created_at",
               spec->name);
}

static void write_hash(struct buf *out, const struct kind_spec *spec) {
    buf_printf(out,
               "SELECT x.ord, t.content_hash FROM json_to_recordset($1::json)"
               " AS x(ord integer, workspace_id integer, id text COLLATE \"C\")"
               /* OFFSET 0: by key, whatever the planner thinks of a table that may be empty. */
               " CROSS JOIN LATERAL (SELECT t.content_hash FROM %s t"
               " WHERE t.workspace_id = x.workspace_id AND t.id = x.id OFFSET 0) t",
               spec->name);
}

static void write_get(struct buf *out, const struct kind_spec *spec) {
    buf_add_str(out, "SELECT ");
    write_fields(out, spec, "");
    buf_printf(out, ", created_at, updated_at FROM %s WHERE workspace_id = $1 AND id = $2",
               spec->name);
}

static void write_update(struct buf *out, const struct kind_spec *spec) {
    buf_printf(out, "UPDATE %s t SET updated_at = now(), content_hash = x.content_hash",
               spec->name);
    for (size_t i = 1; i < spec->field_count; i++) {
        buf_printf(out, ", %s = x.%s", spec->fields[i].name, spec->fields[i].name);
    }
    buf_printf(out,
               " FROM unnest($1::" RECORD_SQL_ROW_TYPE "[]) x"
               /* By key, as above; what was found is joined by its place. */
               " CROSS JOIN LATERAL (SELECT s.ctid AS place FROM %s s"
               " WHERE s.workspace_id = x.workspace_id AND s.id = x.id OFFSET 0) s"
               " WHERE t.ctid = s.place RETURNING x.ord, t.created_at, t.updated_at",
               spec->name, spec->name);
}

static void write_read(struct buf *out, const struct kind_spec *spec) {
    buf_add_str(out, "SELECT x.ord, ");
    write_fields(out, spec, "t.");
    buf_printf(out,
               ", t.created_at, t.updated_at FROM json_to_recordset($1::json)"
               " AS x(ord integer, workspace_id integer, id text COLLATE \"C\")"
               " CROSS JOIN LATERAL (SELECT * FROM %s t"
               " WHERE t.workspace_id = x.workspace_id AND t.id = x.id OFFSET 0) t",
               spec->name);
}

void record_sql_write(struct buf *out, const struct kind_spec *spec, enum record_sql verb) {
    switch (verb) {
    case RECORD_SQL_INSERT:
        write_insert(out, spec);
        break;
    case RECORD_SQL_HASH:
        write_hash(out, spec);
        break;
    case RECORD_SQL_GET:
        write_get(out, spec);
        break;
    case RECORD_SQL_UPDATE:
        write_update(out, spec);
        break;
    case RECORD_SQL_READ:
        write_read(out, spec);
        break;
    case RECORD_SQL_DELETE:
        buf_printf(out, "DELETE FROM %s WHERE workspace_id = $1 AND id = $2 RETURNING 1",
                   spec->name);
        break;
    case RECORD_SQL_COUNT:
        break;
    }
}
