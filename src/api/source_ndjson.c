/* One JSON object a line; blank lines are passed over. */
#include "source.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES_MAX = 64 * 1024 };

struct ndjson {
    struct source source; /* first: cast back */
    struct buf line;      /* the one being read */
    bool overlong;        /* its bytes are being skipped */
    uint64_t number;      /* of the last complete line, from 1 */
};

static bool is_blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r') {
            return false;
        }
    }
    return true;
}

static void take_line(struct ndjson *ndjson, const char *text, size_t length) {
    struct problem problem = {0};
    json_t *json = NULL;
    if (ndjson->overlong) {
        problem_set(&problem, ERR_TOO_LARGE, "A line may have at most %d bytes.", LINE_BYTES_MAX);
    } else if (record_json_parse(text, length, &json, &problem) != ERR_OK) {
        json = NULL;
    }
    many_take(ndjson->source.many, json, ndjson->number, &problem);
    json_decref(json);
}

static void end_line(struct ndjson *ndjson) {
    const struct buf *line = &ndjson->line;
    ndjson->number++;
    if (ndjson->overlong || !is_blank(buf_text(line), line->length)) {
        take_line(ndjson, buf_text(line), line->length);
    }
    buf_reset(&ndjson->line);
    ndjson->overlong = false;
}

static void add_to_line(struct ndjson *ndjson, const char *data, size_t length) {
    if (ndjson->overlong || ndjson->line.length + length > LINE_BYTES_MAX) {
        ndjson->overlong = true;
        buf_reset(&ndjson->line);
        return;
    }
    buf_add(&ndjson->line, data, length);
    if (!buf_ok(&ndjson->line)) {
        problem_set(&ndjson->source.call->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
        many_fail(ndjson->source.many);
    }
}

static size_t feed(struct source *source, const char *data, size_t length) {
    struct ndjson *ndjson = (struct ndjson *)source;
    size_t used = 0;
    while (used < length && !many_is_full(source->many) && !many_has_failed(source->many)) {
        const char *newline = memchr(data + used, '\n', length - used);
        size_t part = newline != NULL ? (size_t)(newline - (data + used)) : length - used;
        add_to_line(ndjson, data + used, part);
        used += part + (newline != NULL);
        if (newline != NULL && !many_has_failed(source->many)) {
            end_line(ndjson);
        }
    }
    return used;
}

/* The last line may lack its newline. */
static bool end(struct source *source) {
    struct ndjson *ndjson = (struct ndjson *)source;
    if (many_is_full(source->many)) {
        return false;
    }
    if (ndjson->line.length > 0 || ndjson->overlong) {
        end_line(ndjson);
    }
    return true;
}

static void release(struct source *source) {
    struct ndjson *ndjson = (struct ndjson *)source;
    buf_free(&ndjson->line);
    free(ndjson);
}

struct source *source_ndjson_new(struct call *call, struct many *many) {
    struct ndjson *ndjson = calloc(1, sizeof *ndjson);
    if (ndjson == NULL) {
        return NULL;
    }
    ndjson->source =
        (struct source){.feed = feed, .end = end, .free = release, .many = many, .call = call};
    return &ndjson->source;
}
