/*
 * Many records: form, bytes per piece, records per window, whether gzipped, then the body. This
 * file stands in for many.c: however body and windows are cut, the same records come: of NDJSON
 * those of its lines, of an array its items.
 */
#include "api/gunzip.h"
#include "api/handlers.h"
#include "api/source.h"
#include "fuzz.h"
#include "vinculo/settings.h"

#include <zlib.h>

enum { ALL = 1 << 30, LINE_BYTES_MAX = 64 * 1024, WINDOW_BITS = 9, GZIP = 16 };

struct many {
    struct call *call;
    size_t window_max, window;
    struct buf trace; /* a line per record */
    bool failed;
};

bool many_is_full(const struct many *many) { return many->window == many->window_max; }
bool many_has_failed(const struct many *many) { return many->failed; }

void many_fail(struct many *many) {
    expect_refusal(&many->call->problem, many->call->problem.code);
    many->failed = true;
}

static void trace_record(struct buf *trace, const json_t *json, uint64_t line,
                         const struct problem *problem) {
    buf_printf(trace, "%llu %s ", (unsigned long long)line, problem->detail);
    if (json != NULL)
        json_put_value(trace, json);
    buf_add_char(trace, '\n');
}

void many_take(struct many *many, json_t *json, uint64_t line, struct problem *problem) {
    assert(!many->failed && !many_is_full(many));
    if (json == NULL)
        expect_refusal(problem, problem->code);
    many->window++;
    trace_record(&many->trace, json, line, problem);
    problem_clear(problem);
}

enum err stream_claim(struct call *call) {
    call->claimed_stream = true;
    return ERR_OK;
}

static size_t feed_part(struct source *source, const char *data, size_t length) {
    size_t used = 0;
    while (used < length && !source->many->failed) {
        char *part = malloc(length - used); /* so that reading beyond it is found */
        assert(part != NULL);
        memcpy(part, data + used, length - used);
        size_t taken = source->feed(source, part, length - used);
        free(part);
        assert(taken <= length - used);
        assert(taken == length - used || many_is_full(source->many) || source->many->failed);
        used += taken;
        if (many_is_full(source->many))
            source->many->window = 0;
    }
    return used;
}

/* Compressed bytes; false where they are damaged or end too early. */
static bool feed_gzip(struct source *source, const struct buf *body, size_t piece) {
    struct gunzip *gunzip = gunzip_new();
    bool good = gunzip != NULL;
    for (size_t at = 0; at < body->length && good && !source->many->failed;) {
        size_t left = body->length - at, used = 0, ready = 0;
        good = gunzip_fill(gunzip, body->data + at, left < piece ? left : piece, &used);
        const char *text = gunzip_text(gunzip, &ready);
        assert(!good || used > 0 || ready > 0);
        (void)feed_part(source, text, ready);
        gunzip_drop(gunzip, ready);
        at += used;
    }
    for (size_t ready = 1; good && ready > 0 && !source->many->failed;) {
        size_t used;
        good = gunzip_fill(gunzip, "", 0, &used);
        const char *text = gunzip_text(gunzip, &ready);
        (void)feed_part(source, text, ready);
        gunzip_drop(gunzip, ready);
    }
    good = good && (gunzip_is_complete(gunzip) || source->many->failed);
    gunzip_free(gunzip);
    return good;
}

static void feed_plain(struct source *source, const struct buf *body, size_t piece) {
    for (size_t at = 0; at < body->length && !source->many->failed;) {
        size_t left = body->length - at;
        at += feed_part(source, body->data + at, left < piece ? left : piece);
    }
}

struct run {
    enum form form;
    size_t piece, window_max;
    bool gzip;
};

static struct source *new_source(struct call *call, struct many *many) {
    switch (call->form) {
    case FORM_NDJSON:
        return source_ndjson_new(call, many);
    case FORM_CSV:
        return source_csv_new(call, many);
    case FORM_JSON:
        break;
    }
    return source_array_new(call, many);
}

/* What comes of a body, a line per record, then the refusal of the whole. False: damaged gzip. */
static bool run_body(struct run run, const struct buf *body, struct buf *ret_trace) {
    struct settings settings = {.body_max_bytes = ARRAY_BYTES_MAX};
    struct app app = {.settings = &settings};
    struct call call = {.app = &app, .form = run.form, .kind = &record_kinds[KIND_SURVEY]};
    struct many many = {.call = &call, .window_max = run.window_max};
    struct source *source = new_source(&call, &many);
    bool good = true;
    assert(source != NULL);
    if (run.gzip)
        good = feed_gzip(source, body, run.piece);
    else
        feed_plain(source, body, run.piece);
    while (good && !many.failed && !source->end(source)) {
        assert(many_is_full(&many));
        many.window = 0;
    }
    source->free(source);
    buf_printf(&many.trace, "%s %s", err_name(call.problem.code), call.problem.detail);
    problem_clear(&call.problem);
    assert(buf_ok(&many.trace));
    *ret_trace = many.trace;
    return good;
}

/* NDJSON by its own definition: a value a line, blank ones passed over. */
static void expect_lines(const struct buf *body, const char *found) {
    BUF_SCOPED expected = {0};
    uint64_t number = 0;
    for (size_t at = 0; at < body->length;) {
        const char *line = body->data + at;
        const char *newline = memchr(line, '\n', body->length - at);
        size_t length = newline != NULL ? (size_t)(newline - line) : body->length - at;
        at += length + (newline != NULL);
        number++;
        size_t blank = 0;
        while (blank < length && memchr(" \t\r", line[blank], 3) != NULL)
            blank++;
        if (blank == length)
            continue;
        PROBLEM_SCOPED problem = {0};
        JSON_SCOPED *json = NULL;
        if (length > LINE_BYTES_MAX)
            (void)problem_set(&problem, ERR_TOO_LARGE, "A line may have at most %d bytes.",
                              LINE_BYTES_MAX);
        else if (record_json_parse(line, length, &json, &problem) != ERR_OK)
            json = NULL;
        trace_record(&expected, json, number, &problem);
    }
    buf_printf(&expected, "%s ", err_name(ERR_OK));
    assert(strcmp(expected.data, found) == 0);
}

/* An array by its own definition: its items where it is well-formed, else none. */
static void expect_items(const struct buf *body, const char *found) {
    BUF_SCOPED expected = {0};
    PROBLEM_SCOPED problem = {0};
    JSON_SCOPED *items = NULL;
    enum err err = record_json_parse(buf_text(body), body->length, &items, &problem);
    if (err != ERR_OK)
        items = NULL;
    for (size_t i = 0; i < json_array_size(items); i++) {
        PROBLEM_SCOPED none = {0};
        trace_record(&expected, json_array_get(items, i), 0, &none);
    }
    buf_printf(&expected, "%s %s", err_name(err), problem.detail);
    assert(strcmp(expected.data, found) == 0);
}

/* As one member, with the least memory: most of an input's time would go into clearing it. */
static void compress_text(const char *text, size_t length, struct buf *ret_gzip) {
    z_stream z = {0};
    int result = deflateInit2(&z, 1, Z_DEFLATED, WINDOW_BITS + GZIP, 1, Z_DEFAULT_STRATEGY);
    assert(result == Z_OK);
    size_t bound = deflateBound(&z, length);
    char *out = malloc(bound);
    assert(out != NULL);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)length;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)bound;
    result = deflate(&z, Z_FINISH);
    assert(result == Z_STREAM_END);
    buf_add(ret_gzip, out, bound - z.avail_out);
    free(out);
    deflateEnd(&z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = input_of(data, size);
    struct run run = {.form = (enum form)take_choice(&input, FORM_CSV + 1)};
    run.piece = 1 + take_choice(&input, 64);
    run.window_max = 1 + take_choice(&input, 8);
    run.gzip = take_choice(&input, 2) == 1;
    BUF_SCOPED body = {0};
    buf_add(&body, input.at, input.left);
    if (run.gzip) { /* any bytes, said to be gzip */
        BUF_SCOPED trace = {0};
        (void)run_body(run, &body, &trace);
        return 0;
    }
    BUF_SCOPED whole = {0};
    BUF_SCOPED pieces = {0};
    BUF_SCOPED unzipped = {0};
    BUF_SCOPED gzip = {0};
    struct run at_once = {.form = run.form, .piece = SIZE_MAX, .window_max = ALL};
    (void)run_body(at_once, &body, &whole);
    (void)run_body(run, &body, &pieces);
    assert(strcmp(whole.data, pieces.data) == 0);
    run.gzip = true;
    size_t half = body.length / 2; /* members may follow each other */
    compress_text(buf_text(&body), half, &gzip);
    compress_text(buf_text(&body) + half, body.length - half, &gzip);
    bool good = run_body(run, &gzip, &unzipped);
    assert(good && strcmp(whole.data, unzipped.data) == 0);
    if (run.form == FORM_NDJSON)
        expect_lines(&body, whole.data);
    if (run.form == FORM_JSON && source_json_is_array(buf_text(&body), body.length))
        expect_items(&body, whole.data);
    return 0;
}
