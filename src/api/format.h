/* The formats an answer can have: chosen by `format=`, else by the Accept header. */
#ifndef VINCULO_API_FORMAT_H
#define VINCULO_API_FORMAT_H

#include "call.h"

/* "application/json", …; the answer's Content-Type. */
const char *format_type(enum format format);

/* Of those offered (bits 1 << format). ERR_INVALID_PARAMETER for a format= that is none of them,
 * ERR_NOT_ACCEPTABLE for an Accept header that takes none; sets call->problem. On the loop's
 * thread. */
MUST_CHECK enum err format_choose(struct call *call, unsigned offered, enum format *ret_format);

#endif
