/* Parameters of statements, and what life_check's answer means. */
#include "rows.h"

#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <stdio.h>
#include <string.h>

bool rows_is_life_event(const struct kind_spec *spec) {
    return spec->kind == KIND_CANCELLATION || spec->kind == KIND_REACTIVATION;
}

static void add_place(struct buf *rows, int workspace_id, size_t ord) {
    json_key(rows, "ord");
    json_put_int(rows, (int64_t)ord);
    json_key(rows, "workspace_id");
    json_put_int(rows, workspace_id);
}

enum db_status rows_run(struct db *db, const struct kind_spec *spec, enum record_sql verb,
                        const struct buf *rows, PGresult **ret_result) {
    char statement[64];
    record_sql_name(spec, verb, statement, sizeof statement);
    return db_run_rows(db, statement, rows, ret_result);
}

void rows_add_key(struct buf *rows, const struct record *record, int workspace_id, size_t ord) {
    json_begin_object(rows);
    add_place(rows, workspace_id, ord);
    json_key(rows, "id");
    json_put_text(rows, record_id(record));
    json_end_object(rows);
}

void rows_add_life_check(struct buf *rows, const struct record *record, int workspace_id,
                         size_t ord) {
    const struct kind_spec *spec = record->spec;
    const struct value *customer = &record->values[record_field_index(spec, "customer_id")];
    const struct value *at = &record->values[record_field_index(spec, spec->time_field)];
    char moment[TIMESTAMP_TEXT_MAX];
    timestamp_format(at->integer, moment);
    json_begin_object(rows);
    add_place(rows, workspace_id, ord);
    json_key(rows, "customer_id");
    json_put_string(rows, customer->text, customer->length);
    json_key(rows, "at");
    json_put_text(rows, moment);
    json_end_object(rows);
}

void rows_life_problem(const struct kind_spec *spec, bool unknown, const char *started_at,
                       struct problem *problem) {
    if (unknown) {
        problem_add_field(problem, "/customer_id", FIELD_UNKNOWN_CUSTOMER,
                          "There is no such customer; post the customer first.");
        return;
    }
    char pointer[64];
    char start[TIMESTAMP_TEXT_MAX] = "";
    int64_t start_us;
    if (timestamp_parse_postgres(started_at, &start_us)) {
        timestamp_format(start_us, start);
    }
    snprintf(pointer, sizeof pointer, "/%s", spec->time_field);
    problem_add_field(problem, pointer, FIELD_BEFORE_START,
                      "The customer started at %s; the event cannot be before that.", start);
}

enum err rows_refusal(const struct db *db, enum db_status status, struct problem *problem) {
    if (status == DB_REFUSED && strcmp(db_sqlstate(db), "23503") == 0) {
        return problem_set(problem, ERR_HAS_DEPENDENTS,
                           "The customer has cancellations or reactivations; delete these first.");
    }
    if (status == DB_REFUSED && strcmp(db_sqlstate(db), "VC001") == 0) {
        return problem_add_field(problem, "/started_at", FIELD_BEFORE_START,
                                 "A cancellation or reactivation of this customer lies before.");
    }
    if (status == DB_REFUSED && strcmp(db_sqlstate(db), "VC003") == 0) {
        return problem_add_field(problem, "/currency", FIELD_WRONG_CURRENCY,
                                 "must be the workspace's, which has just been changed.");
    }
    return db_problem(db, status, problem);
}
