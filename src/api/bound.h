/* Parameters that say a moment. */
#ifndef VINCULO_API_BOUND_H
#define VINCULO_API_BOUND_H

#include "call.h"
#include "vinculo/record_list.h"

/* Reads a date or an instant; absent: untouched. ERR_INVALID_PARAMETER. */
MUST_CHECK enum err call_take_bound(struct call *call, const char *name,
                                    struct list_bound *ret_bound);

#endif
