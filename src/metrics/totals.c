/* The additive totals' columns, and the release of what they own (see vinculo/totals.h). */
#include "vinculo/totals.h"

#include <stdlib.h>

const struct totals_column totals_columns[] = {
#define TOTALS_COLUMN(member) {#member, offsetof(struct totals, member)},
    TOTALS_COUNTS(TOTALS_COLUMN)
#undef TOTALS_COLUMN
};
const size_t totals_column_count = sizeof totals_columns / sizeof totals_columns[0];

static void sketch_free(struct sketch *sketch) {
    free(sketch->bucket);
    free(sketch->count);
}

void totals_clear(struct totals *totals) {
    sketch_free(&totals->response);
    sketch_free(&totals->resolution);
    *totals = (struct totals){0};
}
