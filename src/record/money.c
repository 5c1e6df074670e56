/*
 * Rules of amounts: payments and costs are in the workspace's currency.
 */
#include "internal.h"

#include <assert.h>
#include <string.h>

static void check_currency(struct record *record, const struct record_context *context,
                           size_t field, struct problem *problem) {
    assert(context->currency != NULL);
    const struct value *currency = &record->values[field];
    if (currency->present && strcmp(currency->text, context->currency) != 0)
        record_refuse(record, problem, field, FIELD_WRONG_CURRENCY,
                      "must be left out or be %s, the workspace's currency", context->currency);
    record_default_text(record, field, context->currency);
}

void payment_check(struct record *record, const struct record_context *context,
                   struct problem *problem) {
    check_currency(record, context, PAYMENT_CURRENCY, problem);
}

void cost_check(struct record *record, const struct record_context *context,
                struct problem *problem) {
    check_currency(record, context, COST_CURRENCY, problem);
}
