/* What the statements of record_sql.h and life_check.sql are given, and what their refusals mean.
 */
#ifndef VINCULO_STORE_ROWS_H
#define VINCULO_STORE_ROWS_H

#include "record_sql.h"
#include "vinculo/buf.h"
#include "vinculo/db.h"
#include "vinculo/record.h"

/* Only cancellations and reactivations need their customer. */
bool rows_is_life_event(const struct kind_spec *spec);
/* Runs INSERT or UPDATE with rows of record_rows_begin. */
MUST_CHECK enum db_status rows_run(struct db *db, const struct kind_spec *spec,
                                   enum record_sql verb, const struct buf *rows,
                                   PGresult **ret_result);
/* In JSON, one row of READ or HASH: the record's id alone. */
void rows_add_key(struct buf *rows, const struct record *record, int workspace_id, size_t ord);
/* In JSON, one row of life_check for a life event. */
void rows_add_life_check(struct buf *rows, const struct record *record, int workspace_id,
                         size_t ord);
/* Adds the field error of a life event that life_check found faulty: its customer is unknown, or
 * started (PostgreSQL text) after the event. */
void rows_life_problem(const struct kind_spec *spec, bool unknown, const char *started_at,
                       struct problem *problem);

/* What a failed transaction means to the client: db_problem, with the refusals that the schema's
 * own rules can give (migrations/0002, 0005) in the words of the contract. */
enum err rows_refusal(const struct db *db, enum db_status status, struct problem *problem);

#endif
