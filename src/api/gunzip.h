/* gzip (RFC 1952) to text, part by part, in constant memory; several members follow each other. */
#ifndef VINCULO_API_GUNZIP_H
#define VINCULO_API_GUNZIP_H

#include "vinculo/err.h"

#include <stddef.h>

struct gunzip;

/* NULL where memory has ended. */
struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *gunzip);

/* The text that is ready. */
const char *gunzip_text(const struct gunzip *gunzip, size_t *ret_length);
void gunzip_drop(struct gunzip *gunzip, size_t length);
/* Makes more once all text was dropped: no text afterwards means that all of the data is used and
 * nothing is left inside. False: the data is damaged. */
MUST_CHECK bool gunzip_fill(struct gunzip *gunzip, const char *data, size_t length,
                            size_t *ret_used);
/* The data may end here: after the last byte of a member. */
bool gunzip_is_complete(const struct gunzip *gunzip);

#endif
