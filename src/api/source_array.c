/* A JSON array, parsed whole: nothing is taken before its last byte has proved it well-formed. */
#include "handlers.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

struct array {
    struct source source; /* first: cast back */
    struct buf text;
    json_t *items; /* NULL: not parsed yet */
    size_t next;   /* item to take */
};

bool source_json_is_array(const char *text, size_t length) {
    size_t at = 0;
    while (at < length && strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0') {
        at++;
    }
    return at < length && text[at] == '[';
}

struct buf *source_array_text(struct source *source) {
    return &((struct array *)source)->text;
}

static size_t fail(struct source *source, size_t used) {
    many_fail(source->many);
    return used;
}

/* A single object has the limit of all single objects. */
static enum err check_size(struct source *source, const struct buf *text) {
    size_t object_max = (size_t)source->call->app->settings->body_max_bytes;
    struct problem *problem = &source->call->problem;
    if (!buf_ok(text)) {
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    if (!source_json_is_array(buf_text(text), text->length) && text->length > object_max) {
        return problem_set(problem, ERR_TOO_LARGE, "One record may have at most %zu bytes.",
                           object_max);
    }
    if (text->length > ARRAY_BYTES_MAX) {
        return problem_set(problem, ERR_TOO_LARGE,
                           "An array may have at most %d bytes; send more as NDJSON "
                           "(application/x-ndjson), which has no limit.",
                           ARRAY_BYTES_MAX);
    }
    return text->length > object_max ? stream_claim(source->call) : ERR_OK;
}

static size_t feed(struct source *source, const char *data, size_t length) {
    struct array *array = (struct array *)source;
    buf_add(&array->text, data, length);
    return check_size(source, &array->text) == ERR_OK ? length : fail(source, length);
}

static enum err parse(struct array *array) {
    struct problem *problem = &array->source.call->problem;
    enum err err =
        record_json_parse(buf_text(&array->text), array->text.length, &array->items, problem);
    buf_free(&array->text);
    if (err != ERR_OK) {
        array->items = NULL;
        return err;
    }
    if (json_array_size(array->items) > MANY_ITEMS_MAX) {
        return problem_set(problem, ERR_TOO_LARGE,
                           "An array may have at most %d records, this one has %zu; send more as "
                           "NDJSON (application/x-ndjson), which has no limit.",
                           MANY_ITEMS_MAX, json_array_size(array->items));
    }
    return ERR_OK;
}

static bool end(struct source *source) {
    struct array *array = (struct array *)source;
    if (array->items == NULL && parse(array) != ERR_OK) {
        fail(source, 0);
        return true;
    }
    size_t count = json_array_size(array->items);
    while (array->next < count && !many_is_full(source->many)) {
        struct problem problem = {0};
        many_take(source->many, json_array_get(array->items, array->next++), 0, &problem);
    }
    return array->next == count;
}

static void release(struct source *source) {
    struct array *array = (struct array *)source;
    buf_free(&array->text);
    json_decref(array->items);
    free(array);
}

struct source *source_array_new(struct call *call, struct many *many) {
    struct array *array = calloc(1, sizeof *array);
    if (array == NULL) {
        return NULL;
    }
    array->source =
        (struct source){.feed = feed, .end = end, .free = release, .many = many, .call = call};
    return &array->source;
}
