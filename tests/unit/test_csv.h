/*
 * Feeding a text to a CSV reader in pieces.
 */
#ifndef VINCULO_TEST_CSV_H
#define VINCULO_TEST_CSV_H

#include "vinculo/csv.h"

#include "test_record.h"

struct csv_source {
    struct csv_reader *reader;
    const struct buf *text;
    size_t piece; /* bytes at most */
    size_t used;
};

/* The next row or refusal; CSV_MORE at the end. Each piece is a block of its own, so that reading
 * beyond it would be found. */
static inline enum csv_event csv_source_next(struct csv_source *source, struct problem *problem) {
    enum csv_event event = CSV_MORE;
    while (event == CSV_MORE && source->used < source->text->length) {
        size_t left = source->text->length - source->used, used;
        size_t length = left < source->piece ? left : source->piece;
        char *piece = malloc(length);
        cr_assert(piece != NULL);
        memcpy(piece, source->text->data + source->used, length);
        event = csv_reader_feed(source->reader, piece, length, &used, problem);
        free(piece);
        cr_assert(used <= length && (used == length || event != CSV_MORE));
        source->used += used;
    }
    return event == CSV_MORE ? csv_reader_end(source->reader, problem) : event;
}

#endif
