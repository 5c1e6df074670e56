/*
 * The forms in which many records come: bytes in, records to many_take. A source stops at a record
 * that fills the window, and goes on when it is fed again.
 */
#ifndef VINCULO_API_SOURCE_H
#define VINCULO_API_SOURCE_H

#include "many.h"

struct source {
    /* Takes bytes until the window is full or they are used up; returns how many. After a failure
     * (many_has_failed) it is not called again. */
    size_t (*feed)(struct source *source, const char *data, size_t length);
    /* The bytes have ended. False: the window is full and there are more records; call again. */
    bool (*end)(struct source *source);
    void (*free)(struct source *source);
    struct many *many;
    struct call *call;
};

/* NULL where memory has ended. Release with source->free. */
struct source *source_ndjson_new(struct call *call, struct many *many);
struct source *source_csv_new(struct call *call, struct many *many);
struct source *source_array_new(struct call *call, struct many *many);

/* application/json may hold a single object: known once a byte of it has come. */
enum { ARRAY_BYTES_MAX = 1024 * 1024 };
bool source_json_is_array(const char *text, size_t length);
/* The text of an array source; may be taken from it or given to it. */
struct buf *source_array_text(struct source *source);

#endif
