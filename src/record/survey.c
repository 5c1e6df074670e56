/*
 * Rules between the fields of a survey: its scale, and whether it is an answer or an invitation.
 */
#include "internal.h"

#include <string.h>

enum { SCALE_CHOICES_MAX = 7 };

struct scale {
    const char *type;
    int64_t min, max;                       /* defaults */
    int64_t max_choices[SCALE_CHOICES_MAX]; /* 0-terminated where there are fewer */
    const char *allowed_min, *allowed_max;
    bool may_begin_at_0; /* with a scale_max of 10 */
};

static const struct scale scales[] = {
    {"nps", 0, 10, {10}, "0", "10", false},
    {"csat",
     1,
     5,
     {2, 3, 4, 5, 6, 7, 10},
     "1, or 0 with scale_max 10",
     "2, 3, 4, 5, 6, 7 or 10",
     true},
    {"ces", 1, 7, {5, 7}, "1", "5 or 7", false},
};

static bool is_type(const struct record *record, const char *type) {
    const struct value *value = &record->values[SURVEY_TYPE];
    return value->present && strcmp(value->text, type) == 0;
}

/* NULL for `open` and where the type is not known. */
static const struct scale *find_scale(const struct record *record) {
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        if (is_type(record, scales[i].type))
            return &scales[i];
    }
    return NULL;
}

static bool is_allowed_max(const struct scale *scale, int64_t max) {
    for (size_t i = 0; i < SCALE_CHOICES_MAX && scale->max_choices[i] != 0; i++) {
        if (scale->max_choices[i] == max)
            return true;
    }
    return false;
}

static void check_scale(struct record *record, const struct scale *scale, struct problem *problem) {
    const struct value *min = &record->values[SURVEY_SCALE_MIN];
    const struct value *max = &record->values[SURVEY_SCALE_MAX];
    const struct value *score = &record->values[SURVEY_SCORE];

    record_default_integer(record, SURVEY_SCALE_MAX, scale->max);
    if (max->present && !is_allowed_max(scale, max->integer))
        record_refuse(record, problem, SURVEY_SCALE_MAX, FIELD_OUT_OF_RANGE,
                      "the scale_max of %s is %s", scale->type, scale->allowed_max);

    record_default_integer(record, SURVEY_SCALE_MIN, scale->min);
    bool from_0 = scale->may_begin_at_0 && min->integer == 0 &&
                  (record_is_refused(record, SURVEY_SCALE_MAX) || max->integer == 10);
    if (min->present && min->integer != scale->min && !from_0)
        record_refuse(record, problem, SURVEY_SCALE_MIN, FIELD_OUT_OF_RANGE,
                      "the scale_min of %s is %s", scale->type, scale->allowed_min);

    if (score->present && min->present && max->present &&
        (score->integer < min->integer || score->integer > max->integer))
        record_refuse(record, problem, SURVEY_SCORE, FIELD_OUT_OF_RANGE,
                      "must be an integer from %d to %d, the scale of this %s", (int)min->integer,
                      (int)max->integer, scale->type);
}

static void forbid(struct record *record, struct problem *problem, size_t field) {
    if (record->values[field].present)
        record_refuse(record, problem, field, FIELD_NOT_ALLOWED_HERE,
                      "a survey of type %s has no %s", record->values[SURVEY_TYPE].text,
                      record->spec->fields[field].name);
}

static void check_type(struct record *record, struct problem *problem) {
    const struct scale *scale = find_scale(record);
    if (scale != NULL) {
        check_scale(record, scale, problem);
    } else if (is_type(record, "open")) {
        forbid(record, problem, SURVEY_SCORE);
        forbid(record, problem, SURVEY_SCALE_MIN);
        forbid(record, problem, SURVEY_SCALE_MAX);
    }

    if (is_type(record, "ces"))
        record_default_text(record, SURVEY_DIRECTION, "high_is_easy");
    else if (record->values[SURVEY_TYPE].present)
        forbid(record, problem, SURVEY_DIRECTION);
}

/* What must be there: an answer, or the moment at which one was asked for. */
static void check_answer(struct record *record, bool has_answer, struct problem *problem) {
    if (record_is_given(record, SURVEY_SENT_AT) || !record->values[SURVEY_TYPE].present)
        return;
    if (is_type(record, "open")) {
        if (!record_is_given(record, SURVEY_COMMENT))
            record_refuse(record, problem, SURVEY_COMMENT, FIELD_REQUIRED,
                          "an open survey needs a comment; an invitation to one needs sent_at");
    } else if (!has_answer) {
        record_refuse(record, problem, SURVEY_SCORE, FIELD_REQUIRED,
                      "an answer needs a score or a comment; an invitation needs sent_at");
    }
}

static void check_answered_at(struct record *record, const struct record_context *context,
                              bool has_answer, struct problem *problem) {
    const struct value *answered_at = &record->values[SURVEY_ANSWERED_AT];
    if (answered_at->present && context->source == RECORD_PUBLISHABLE) {
        record_refuse(record, problem, SURVEY_ANSWERED_AT, FIELD_NOT_ALLOWED_HERE,
                      "the server sets it where a publishable key is used");
    } else if (answered_at->present && !has_answer && record_is_given(record, SURVEY_SENT_AT)) {
        record_refuse(record, problem, SURVEY_ANSWERED_AT, FIELD_NOT_ALLOWED_HERE,
                      "an invitation without score and comment has not been answered");
    } else if (has_answer && !record_is_given(record, SURVEY_ANSWERED_AT)) {
        if (context->source == RECORD_BULK) {
            record_refuse(record, problem, SURVEY_ANSWERED_AT, FIELD_REQUIRED,
                          "an answer in a batch needs its moment, such as 2026-09-14T12:00:00Z");
            return;
        }
        record_set_server_time(record, SURVEY_ANSWERED_AT, context->now_us);
    }
}

void survey_check(struct record *record, const struct record_context *context,
                  struct problem *problem) {
    bool has_answer =
        record_is_given(record, SURVEY_SCORE) || record_is_given(record, SURVEY_COMMENT);
    check_type(record, problem);
    check_answer(record, has_answer, problem);
    check_answered_at(record, context, has_answer, problem);
    record_default_integer(record, SURVEY_SOLICITED, true);
}
