/* Rows of CSV under a header line. A wrong header is refused before any row is taken. */
#include "source.h"

#include "vinculo/csv.h"

#include <stdlib.h>

struct csv {
    struct source source; /* first: cast back */
    struct csv_reader *reader;
};

static void take_row(struct csv *csv) {
    struct problem problem = {0};
    json_t *json = NULL;
    if (csv_reader_row(csv->reader, &json, &problem) != ERR_OK) {
        json = NULL;
    }
    many_take(csv->source.many, json, csv_reader_line(csv->reader), &problem);
    json_decref(json);
}

static void take_event(struct csv *csv, enum csv_event event) {
    if (event == CSV_ROW) {
        take_row(csv);
    } else if (event == CSV_REFUSED) {
        many_fail(csv->source.many);
    }
}

static size_t feed(struct source *source, const char *data, size_t length) {
    struct csv *csv = (struct csv *)source;
    size_t used = 0;
    while (used < length && !many_is_full(source->many) && !many_has_failed(source->many)) {
        size_t part = 0;
        take_event(csv, csv_reader_feed(csv->reader, data + used, length - used, &part,
                                        &source->call->problem));
        used += part;
    }
    return used;
}

static bool end(struct source *source) {
    struct csv *csv = (struct csv *)source;
    enum csv_event event = CSV_ROW;
    while (event == CSV_ROW && !many_has_failed(source->many)) {
        if (many_is_full(source->many)) {
            return false;
        }
        event = csv_reader_end(csv->reader, &source->call->problem);
        take_event(csv, event);
    }
    return true;
}

static void release(struct source *source) {
    struct csv *csv = (struct csv *)source;
    csv_reader_free(csv->reader);
    free(csv);
}

struct source *source_csv_new(struct call *call, struct many *many) {
    struct csv *csv = calloc(1, sizeof *csv);
    if (csv == NULL) {
        return NULL;
    }
    csv->source =
        (struct source){.feed = feed, .end = end, .free = release, .many = many, .call = call};
    csv->reader = csv_reader_new(call->kind, call->charset);
    if (csv->reader == NULL) {
        free(csv);
        return NULL;
    }
    return &csv->source;
}
