/* Which rows of the totals tables an answer reads: the cut and, by label, the groups. */
#ifndef VINCULO_STORE_KPI_GROUPS_H
#define VINCULO_STORE_KPI_GROUPS_H

#include "vinculo/buf.h"
#include "vinculo/kpi_store.h"

struct kpi_groups {
    struct kpi_group *groups;
    size_t count;
    size_t labelled; /* of these, not counting the one for all others */
    struct buf keys; /* json array {ord, label, second_label}; many with the ord of the group that
                      * stands for all others */
    int cut;
    bool complete; /* false: memory ran out */
};

/* The groups that have had anything before `to`, the largest in [from, to) first. */
MUST_CHECK enum db_status kpi_groups_read(struct db *db, const struct kpi_query *query,
                                          int32_t from, int32_t to, struct kpi_groups *ret_groups);

#endif
