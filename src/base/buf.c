/* The growable byte buffer. Capacity doubles, so that building a text costs its length. */
#include "vinculo/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 256 };

/* Room for `more` bytes and the NUL. */
static bool reserve(struct buf *buf, size_t more) {
    if (buf->failed)
        return false;
    if (more < buf->capacity - buf->length)
        return true;
    if (more >= SIZE_MAX / 2 - buf->length) {
        buf->failed = true;
        return false;
    }
    size_t capacity = buf->capacity == 0 ? CAPACITY_FIRST : buf->capacity;
    while (capacity - buf->length <= more)
        capacity *= 2;
    char *data = realloc(buf->data, capacity);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void buf_add(struct buf *buf, const void *data, size_t length) {
    if (!reserve(buf, length))
        return;
    if (length > 0)
        memcpy(buf->data + buf->length, data, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void buf_add_str(struct buf *buf, const char *text) { buf_add(buf, text, strlen(text)); }

void buf_add_char(struct buf *buf, char c) { buf_add(buf, &c, 1); }

/* Into the room that there is, which mostly does. */
void buf_printf(struct buf *buf, const char *format, ...) {
    if (!reserve(buf, 0))
        return;
    size_t room = buf->capacity - buf->length;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(buf->data + buf->length, room, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buf->failed = true;
        return;
    }
    if ((size_t)length >= room) {
        if (!reserve(buf, (size_t)length))
            return;
        va_start(arguments, format);
        vsnprintf(buf->data + buf->length, (size_t)length + 1, format, arguments);
        va_end(arguments);
    }
    buf->length += (size_t)length;
}

void buf_reset(struct buf *buf) {
    buf->length = 0;
    buf->failed = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void buf_free(struct buf *buf) {
    if (buf == NULL)
        return;
    free(buf->data);
    *buf = (struct buf){0};
}

bool buf_ok(const struct buf *buf) { return !buf->failed; }

const char *buf_text(const struct buf *buf) { return buf->data == NULL ? "" : buf->data; }
