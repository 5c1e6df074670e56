/*
 * What the tests of records share.
 */
#ifndef VINCULO_TEST_RECORD_H
#define VINCULO_TEST_RECORD_H

#include "vinculo/record.h"
#include "vinculo/timestamp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_SCOPED __attribute__((cleanup(release_json))) json_t
#define RECORD_SCOPED __attribute__((cleanup(record_clear))) struct record
#define PROBLEM_SCOPED __attribute__((cleanup(problem_clear))) struct problem

static inline void release_json(json_t **json) { json_decref(*json); }

static inline int64_t moment(const char *text) {
    int64_t us;
    cr_assert(timestamp_parse(text, strlen(text), &us), "%s is a moment", text);
    return us;
}

/* The present of all tests that do not name another one. */
static inline struct record_context context_of(enum record_source source) {
    return (struct record_context){
        .source = source, .now_us = moment("2026-09-14T12:00:00Z"), .currency = "BRL"};
}

static inline const struct kind_spec *kind_named(const char *name) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(record_kinds[i].name, name) == 0)
            return &record_kinds[i];
    }
    cr_assert_fail("no kind %s", name);
    return NULL;
}

/* The record as clients see it, parsed again. */
static inline json_t *shown(const struct record *record) {
    BUF_SCOPED text = {0};
    record_write_json(&text, record);
    cr_assert(buf_ok(&text));
    json_error_t error;
    json_t *json = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, &error);
    cr_assert(json != NULL, "%s: %s", error.text, text.data);
    return json;
}

static inline json_t *json_of(const char *text) {
    json_t *json = NULL;
    PROBLEM_SCOPED problem = {0};
    cr_assert(record_json_parse(text, strlen(text), &json, &problem) == ERR_OK, "%s: %s", text,
              problem.detail);
    return json;
}

/* Parses what must be a valid record. */
static inline void must_parse(const struct kind_spec *spec, const json_t *json,
                              struct record_context context, struct record *ret_record) {
    PROBLEM_SCOPED problem = {0};
    enum err err = record_parse(spec, json, &context, ret_record, &problem);
    for (size_t i = 0; i < problem.error_count; i++)
        fprintf(stderr, "%s: %s\n", problem.errors[i].at, problem.errors[i].detail);
    cr_assert(err == ERR_OK);
}

#endif
