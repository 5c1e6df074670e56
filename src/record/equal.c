/* Comparing two records in normal form. */
#include "vinculo/record.h"

#include <string.h>

bool record_equal(const struct record *a, const struct record *b) {
    for (size_t i = 0; i < a->spec->field_count; i++) {
        const struct value *x = &a->values[i];
        const struct value *y = &b->values[i];
        if (x->present != y->present || (x->present && x->integer != y->integer)) {
            return false;
        }
        if (x->present && x->text != NULL &&
            (x->length != y->length || memcmp(x->text, y->text, x->length) != 0)) {
            return false;
        }
    }
    return true;
}
