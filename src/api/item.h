/* One record as it was sent, checked and on its way to the writer. */
#ifndef VINCULO_API_ITEM_H
#define VINCULO_API_ITEM_H

#include "call.h"

/* Checks the JSON of one record and fills the item for the call's mode of conflict. With merge, a
 * record that is none by itself is good as long as its id is: there may be one to merge it into. */
MUST_CHECK enum err item_check(const struct call *call, json_t *json,
                               const struct record_context *context, struct write_item *ret_item,
                               struct problem *problem);

/* The id that the record names, or NULL where it has none that could be one. */
const char *item_named_id(const json_t *json);

#endif
