/* Which sums of the time before a period are needed. */
#include "vinculo/totals.h"

#include <criterion/criterion.h>
#include <string.h>

static void set_all_of(enum totals_source source, struct sums *sums) {
    for (size_t i = 0; i < totals_column_count; i++) {
        void *place = (char *)sums + totals_columns[i].offset;
        if (totals_columns[i].source == source && totals_columns[i].is_sum)
            *(double *)place = 1000 + (double)i * (double)i;
        else if (totals_columns[i].source == source)
            *(int64_t *)place = 1000 + (int64_t)(i * i);
    }
}

/* What lies before counts where a source has balances, and nowhere else. */
Test(totals, only_balances_depend_on_what_lies_before) {
    const struct period march = {.from = 20148, .to = 20179}; /* of 2025 */
    const struct sums nothing = {0};
    struct totals empty = {0};
    totals_derive(&empty, &march, &nothing, &nothing, NULL);
    for (unsigned source = 0; source < SOURCE_COUNT; source++) {
        struct sums before = {0};
        struct totals totals = {0};
        set_all_of((enum totals_source)source, &before);
        totals_derive(&totals, &march, &before, &nothing, NULL);
        cr_expect((memcmp(&totals, &empty, sizeof totals) != 0) ==
                      totals_has_balances((enum totals_source)source),
                  "source %u", source);
    }
}
