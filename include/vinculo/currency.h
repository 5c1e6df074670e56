/* Currencies of ISO 4217. */
#ifndef VINCULO_CURRENCY_H
#define VINCULO_CURRENCY_H

/* Decimals of its minor unit: 2 for BRL (centavos), 0 for JPY, 3 for KWD; 2 for unknown codes. */
int currency_minor_digits(const char *code);

#endif
