/* For bench/run only (VINCULO_BENCH_NODB): a store that keeps nothing and says "created" at once,
 * so that what remains is HTTP, checks, queue and hand-off. Takes the place of src/store/batch.c.
 */
#include "batch.h"
#include "vinculo/timestamp.h"

void batch_write(struct db *db, struct write_job *jobs, struct batch_owner *owner) {
    (void)db;
    size_t count = 0;
    int64_t now_us = timestamp_now();
    for (struct write_job *job = jobs; job != NULL; job = job->next) {
        for (size_t i = 0; i < job->count; i++) {
            struct record *record = &job->items[i].record;
            record->stored = true;
            record->created_us = record->updated_us = now_us;
            job->items[i].outcome = OUTCOME_CREATED;
            count++;
        }
    }
    owner->ended(owner->context, jobs, count);
}

void batch_settle(struct db *db, struct batch_owner *owner) {
    (void)db;
    (void)owner;
}
