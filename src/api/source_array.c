/*
 * A JSON array, parsed whole: nothing is taken before its last byte has proved it well-formed. The
 * parsed value can be eighty times as large as the text (of [{},{},…]), and a window may take
 * seconds to be stored; so it is only looked at, and the records are parsed again one by one.
 */
#include "handlers.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

struct array {
    struct source source; /* first: cast back */
    struct buf text;
    bool checked; /* it is well-formed, and has `left` records from the byte `at` on */
    size_t left;
    size_t at;
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

/* A value that is no array has no records; single objects are not taken here (stream.c). */
static enum err check_text(struct array *array) {
    struct problem *problem = &array->source.call->problem;
    json_t *items = NULL;
    enum err err = record_json_parse(buf_text(&array->text), array->text.length, &items, problem);
    if (err != ERR_OK) {
        return err;
    }
    size_t count = json_array_size(items);
    json_decref(items);
    if (count > MANY_ITEMS_MAX) {
        return problem_set(problem, ERR_TOO_LARGE,
                           "An array may have at most %d records, this one has %zu; send more as "
                           "NDJSON (application/x-ndjson), which has no limit.",
                           MANY_ITEMS_MAX, count);
    }
    array->checked = true;
    array->left = count;
    return ERR_OK;
}

/* The next record of a well-formed array: behind its bracket or a comma. NULL: memory has ended. */
static json_t *next_item(struct array *array) {
    json_error_t error;
    array->at += strspn(array->text.data + array->at, " \t\r\n") + 1;
    json_t *item = json_loadb(array->text.data + array->at, array->text.length - array->at,
                              JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &error);
    array->at += item != NULL ? (size_t)error.position : 0;
    array->left--;
    return item;
}

static bool end(struct source *source) {
    struct array *array = (struct array *)source;
    if (!array->checked && check_text(array) != ERR_OK) {
        fail(source, 0);
        return true;
    }
    while (array->left > 0 && !many_is_full(source->many)) {
        struct problem problem = {0};
        json_t *item = next_item(array);
        if (item == NULL) {
            problem_set(&source->call->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
            fail(source, 0);
            return true;
        }
        many_take(source->many, item, 0, &problem);
        json_decref(item);
    }
    return array->left == 0;
}

static void release(struct source *source) {
    struct array *array = (struct array *)source;
    buf_free(&array->text);
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
