/* Minor units of currencies: ISO 4217, list one, of those that do not have two decimals. */
#include "vinculo/currency.h"

#include <string.h>

static const struct {
    const char *codes;
    int digits;
} exceptions[] = {
    {"BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0},
    {"BHD IQD JOD KWD LYD OMR TND", 3},
    {"CLF UYW", 4},
};

int currency_minor_digits(const char *code) {
    enum { USUAL = 2, CODE_LENGTH = 3 };
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        if (strlen(code) == CODE_LENGTH && strstr(exceptions[i].codes, code) != NULL)
            return exceptions[i].digits;
    }
    return USUAL;
}
