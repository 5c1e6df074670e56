/* Origins that a key may be used from: their syntax, and the comparison with an Origin header. */
#ifndef VINCULO_STORE_ORIGIN_H
#define VINCULO_STORE_ORIGIN_H

#include <stdbool.h>

/* Bytes of the longest valid origin with its NUL: scheme, "*.", host, port. */
enum { ORIGIN_TEXT_MAX = 272 };

/* `allowed` has passed origin_is_valid; `origin` is what a client sent. */
bool origin_matches(const char *allowed, const char *origin);

#endif
