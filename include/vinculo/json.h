/*
 * Writing JSON into a buf. jansson parses; numbers and field order of what goes out are ours
 * (jansson prints 0.1 as 0.10000000000000001).
 *
 * Values are written in sequence; commas are placed by looking at the last byte, so
 * json_key/json_value calls simply follow each other.
 */
#ifndef VINCULO_JSON_H
#define VINCULO_JSON_H

#include "vinculo/buf.h"

#include <jansson.h>
#include <stdint.h>

void json_begin_object(struct buf *out);
void json_end_object(struct buf *out);
/* Takes back json_end_object: further members may follow. */
void json_reopen_object(struct buf *out);
void json_begin_array(struct buf *out);
void json_end_array(struct buf *out);
void json_key(struct buf *out, const char *key);
/* A string; invalid UTF-8 must not come here (records and paths are checked before). */
void json_put_string(struct buf *out, const char *text, size_t length);
void json_put_text(struct buf *out, const char *text); /* NUL-terminated; NULL writes null */
void json_put_int(struct buf *out, int64_t value);
void json_put_bool(struct buf *out, bool value);
void json_put_null(struct buf *out);
/* At most 6 decimals, trailing zeros and "-0" cut; NaN and infinities write null. */
void json_put_decimal(struct buf *out, double value);
/* Any parsed value: member order kept, reals in their shortest form that reads back equal. */
void json_put_value(struct buf *out, const json_t *value);
/* Text that is JSON already (a stored metadata object). */
void json_put_raw(struct buf *out, const char *json, size_t length);

#endif
