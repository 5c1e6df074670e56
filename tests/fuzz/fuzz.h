/*
 * What the fuzz targets share. Each takes bytes and asserts what the contract says of any of them;
 * a failed assertion is a finding, as is a sanitizer's report.
 *
 * The first bytes of an input choose among a few things each; digits are their own value, so that
 * kept inputs can be read and written by hand: `1` means the kind 1, a survey.
 */
#ifndef VINCULO_FUZZ_H
#define VINCULO_FUZZ_H

#include "vinculo/json.h"
#include "vinculo/record.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define JSON_SCOPED __attribute__((cleanup(release_json))) json_t
#define RECORD_SCOPED __attribute__((cleanup(record_clear))) struct record
#define PROBLEM_SCOPED __attribute__((cleanup(problem_clear))) struct problem
#define TEXT_SCOPED __attribute__((cleanup(release_text))) char

/* The present of all targets: 2026-09-14T12:00:00Z. */
#define NOW_US INT64_C(1789387200000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void release_json(json_t **json) { json_decref(*json); }
static inline void release_text(char **text) { free(*text); }

/* An input, taken from the front. */
struct input {
    const char *at;
    size_t left;
};

static inline struct input input_of(const uint8_t *data, size_t size) {
    return (struct input){(const char *)data, size};
}

/* A number below `count`, which is at most 256. */
static inline size_t take_choice(struct input *input, size_t count) {
    if (input->left == 0)
        return 0;
    input->left--;
    return (unsigned char)(*input->at++ - '0') % count;
}

/* The bytes up to `end` or all, as a text in a block of its own size; a NUL ends it early for those
 * who look for one. */
static inline char *take_text(struct input *input, char end) {
    const char *found = input->left > 0 ? memchr(input->at, end, input->left) : NULL;
    size_t length = found != NULL ? (size_t)(found - input->at) : input->left;
    char *text = malloc(length + 1);
    assert(text != NULL);
    if (length > 0)
        memcpy(text, input->at, length);
    text[length] = '\0';
    size_t used = length + (found != NULL);
    input->at += used;
    input->left -= used;
    return text;
}

static inline char *take_rest(struct input *input) {
    char *text = malloc(input->left + 1);
    assert(text != NULL);
    memcpy(text, input->at, input->left);
    text[input->left] = '\0';
    return text;
}

static inline bool is_utf8(const char *text) {
    JSON_SCOPED *string = json_string(text);
    return string != NULL;
}

/* A refusal has its code, and says why in text that can be shown. */
static inline void expect_refusal(const struct problem *problem, enum err code) {
    assert(code != ERR_OK && problem->code == code);
    assert(code != ERR_UNAVAILABLE); /* memory does not end here */
    assert(problem->error_count <= PROBLEM_ERRORS_MAX);
    assert(problem->error_count > 0 || problem->detail[0] != '\0');
    assert(is_utf8(problem->detail));
    for (size_t i = 0; i < problem->error_count; i++) {
        assert(is_utf8(problem->errors[i].at));
        assert(problem->errors[i].detail[0] != '\0' && is_utf8(problem->errors[i].detail));
    }
}

/* JSON text of our own writing. */
static inline json_t *json_of_text(const struct buf *text) {
    assert(buf_ok(text));
    json_t *json = json_loadb(buf_text(text), text->length, JSON_REJECT_DUPLICATES, NULL);
    assert(json != NULL);
    return json;
}

static inline json_t *shown(const struct record *record) {
    BUF_SCOPED text = {0};
    record_write_json(&text, record);
    return json_of_text(&text);
}

static inline bool same_hash(const struct record *a, const struct record *b) {
    return memcmp(a->hash, b->hash, RECORD_HASH_BYTES) == 0;
}

static inline struct record_context context_of(enum record_source source) {
    return (struct record_context){.source = source, .now_us = NOW_US, .currency = "BRL"};
}

static inline void must_parse(const struct kind_spec *spec, const json_t *json,
                              struct record *ret_record) {
    struct record_context context = context_of(RECORD_BULK);
    PROBLEM_SCOPED problem = {0};
    enum err err = record_parse(spec, json, &context, ret_record, &problem);
    assert(err == ERR_OK);
}

#endif
