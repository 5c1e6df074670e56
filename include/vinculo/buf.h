/*
 * A growable byte buffer. Running out of memory is sticky: further additions do nothing and
 * buf_ok() says false, so that a writer checks once, at the end.
 */
#ifndef VINCULO_BUF_H
#define VINCULO_BUF_H

#include "vinculo/err.h"

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* always NUL-terminated once something was added; NULL before */
    size_t length;
    size_t capacity;
    bool failed;
};

void buf_add(struct buf *buf, const void *data, size_t length);
void buf_add_str(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_reset(struct buf *buf); /* empties, keeps the memory, forgets a failure */
void buf_free(struct buf *buf);  /* releases; the buffer may be used again */
bool buf_ok(const struct buf *buf);
/* The text so far; "" where nothing was added. */
const char *buf_text(const struct buf *buf);

#define BUF_SCOPED __attribute__((cleanup(buf_free))) struct buf

#endif
