/*
 * Many records of a kind, newest first, those of one time in the order of their ids. Read on by one
 * short statement after another, each from where the last one ended, so that no snapshot lives
 * longer than a moment and nothing is held in between. On a worker's thread.
 *
 * What is stored meanwhile is seen where it lies ahead of the place reached. No record comes twice
 * unless its own time is changed meanwhile.
 */
#ifndef VINCULO_RECORD_LIST_H
#define VINCULO_RECORD_LIST_H

#include "vinculo/db.h"
#include "vinculo/record.h"

enum { LIST_ROWS_MAX = 250 /* of one statement: bounds the memory of its answer */ };

/* An end of the time range: a day of the workspace's calendar, which stands for its first instant,
 * or an instant. */
struct list_bound {
    bool present;
    bool is_date;
    int64_t at; /* days, or µs, since 1970 */
};

/* Surveys with a comment (GET /v1/feedback): what else they can be asked for, and have. */
struct comment_filter {
    const char *topic, *agent; /* of the interaction that the survey is about; NULL: any */
    const char *score_class;   /* NULL: any */
    const char *search;        /* NULL: any words */
    /* Filled in by feedback_store_begin, which a list of comments needs before it is read. */
    const char *language; /* static */
    char *query;          /* owned: comment_filter_clear */
    bool common;          /* looked through for: many have the words, or the language has changed */
    /* Of the record that `take` is offered: "positive", "neutral", "negative", "unscored". */
    const char *offered_class;
};

/* Zero-initialise, fill in the upper half; owns nothing. */
struct record_list {
    const struct kind_spec *spec;
    int workspace_id;
    struct list_bound from, to;            /* half-open */
    const char *values[RECORD_FIELDS_MAX]; /* by field: what it must be, or NULL. segment and
                                              channel also take the label that a record follows */
    struct comment_filter *comments;       /* of surveys: those with a comment alone; NULL: all */
    /* The place reached: all records down to this one are done. */
    bool begun;
    int64_t time_us;
    char id[4 * FIELD_ID_MAX + 1];
    bool time_done; /* as are all others of its time */
    bool ended;     /* there are no more */
};

/* A field that can be asked for: customer_id, type, status, labels. */
bool record_list_takes(const struct field_spec *field);

/* True for a class of a comment's score. */
bool comment_class_is_valid(const char *text);
void comment_filter_clear(struct comment_filter *filter);

/* Reads on by one statement of at most `rows` records (≤ LIST_ROWS_MAX), and offers them in order
 * until `take` declines one by false, which then is the next to come. There may be none in spite of
 * more to come, as a statement looks at a limited number of records only. ERR_UNAVAILABLE. */
MUST_CHECK enum err record_list_next(struct db *db, struct record_list *list, size_t rows,
                                     bool (*take)(void *context, const struct record *record),
                                     void *context, struct problem *problem);

#endif
