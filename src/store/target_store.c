/* Targets: rows of a small table, read whole. */
#include "vinculo/target_store.h"

#include "vinculo/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTEGER_TEXT_MAX = 16, DOUBLE_TEXT_MAX = 32 };

/* One call on its way. */
struct targeting {
    int workspace_id;
    const struct kpi_spec *spec;
    struct target *target;
    struct target_set *set;
    bool created;
};

enum db_status target_store_take(const PGresult *rows, struct target_set *ret_set) {
    struct target_set set = {0};
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *kpi = PQgetvalue(rows, row, 0);
        const struct kpi_spec *spec = kpi_find(kpi, strlen(kpi));
        if (spec == NULL) /* of another version of the program */
            continue;
        struct target *target = &set.targets[spec - kpi_catalogue];
        set.present[spec - kpi_catalogue] = true;
        target->healthy = strtod(PQgetvalue(rows, row, 1), NULL);
        target->warning = strtod(PQgetvalue(rows, row, 2), NULL);
        if (!timestamp_parse_postgres(PQgetvalue(rows, row, 3), &target->updated_us))
            return DB_LOST;
    }
    *ret_set = set;
    return DB_OK;
}

static enum db_status list_body(struct db *db, void *context) {
    struct targeting *targeting = context;
    char workspace[INTEGER_TEXT_MAX];
    snprintf(workspace, sizeof workspace, "%d", targeting->workspace_id);
    DB_RESULT *rows = NULL;
    enum db_status status = db_run(db, "target_list", 1, (const char *const[]){workspace}, &rows);
    return status == DB_OK ? target_store_take(rows, targeting->set) : status;
}

enum db_status target_store_list(struct db *db, int workspace_id, struct target_set *ret_set) {
    struct targeting targeting = {.workspace_id = workspace_id, .set = ret_set};
    return db_transaction(db, DB_SNAPSHOT, list_body, &targeting);
}

static enum db_status put_body(struct db *db, void *context) {
    struct targeting *targeting = context;
    struct target *target = targeting->target;
    char workspace[INTEGER_TEXT_MAX], healthy[DOUBLE_TEXT_MAX], warning[DOUBLE_TEXT_MAX];
    snprintf(workspace, sizeof workspace, "%d", targeting->workspace_id);
    snprintf(healthy, sizeof healthy, "%.17g", target->healthy);
    snprintf(warning, sizeof warning, "%.17g", target->warning);
    const char *values[] = {workspace, targeting->spec->name, healthy, warning};
    DB_RESULT *row = NULL;
    enum db_status status = db_run(db, "target_put", 4, values, &row);
    if (status != DB_OK)
        return status;
    targeting->created = db_is_true(row, 0, 1);
    return timestamp_parse_postgres(PQgetvalue(row, 0, 0), &target->updated_us) ? DB_OK : DB_LOST;
}

enum db_status target_store_put(struct db *db, int workspace_id, const struct kpi_spec *spec,
                                struct target *target, bool *ret_created) {
    struct targeting targeting = {.workspace_id = workspace_id, .spec = spec, .target = target};
    enum db_status status = db_transaction(db, DB_WRITE, put_body, &targeting);
    *ret_created = targeting.created;
    return status;
}

static enum db_status delete_body(struct db *db, void *context) {
    const struct targeting *targeting = context;
    char workspace[INTEGER_TEXT_MAX];
    snprintf(workspace, sizeof workspace, "%d", targeting->workspace_id);
    const char *values[] = {workspace, targeting->spec->name};
    DB_RESULT *row = NULL;
    enum db_status status = db_run(db, "target_delete", 2, values, &row);
    return status == DB_OK && PQntuples(row) == 0 ? DB_STOP : status;
}

enum db_status target_store_delete(struct db *db, int workspace_id, const struct kpi_spec *spec) {
    struct targeting targeting = {.workspace_id = workspace_id, .spec = spec};
    return db_transaction(db, DB_WRITE, delete_body, &targeting);
}
