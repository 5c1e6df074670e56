/*
 * Error codes of the whole program, and the problem that carries their detail.
 *
 * Every fallible function returns `enum err`; ERR_OK is 0. The codes are the closed list that
 * clients see in problem+json (`code`); the HTTP status of each is known to api/problem.c alone.
 */
#ifndef VINCULO_ERR_H
#define VINCULO_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

enum err {
    ERR_OK = 0,
    ERR_MALFORMED_JSON,
    ERR_MALFORMED_CSV,
    ERR_INVALID_PARAMETER,
    ERR_UNKNOWN_PARAMETER,
    ERR_UNSUPPORTED_COMBINATION,
    ERR_BAD_CURSOR,
    ERR_UNAUTHORIZED,
    ERR_FORBIDDEN_SCOPE,
    ERR_ORIGIN_NOT_ALLOWED,
    ERR_NOT_FOUND,
    ERR_METHOD_NOT_ALLOWED,
    ERR_NOT_ACCEPTABLE,
    ERR_ID_CONFLICT,
    ERR_HAS_DEPENDENTS,
    ERR_TOO_LARGE,
    ERR_UNSUPPORTED_MEDIA_TYPE,
    ERR_INVALID_RECORD,
    ERR_RATE_LIMITED,
    ERR_UNAVAILABLE, /* also out of memory inside a request */
    ERR_QUEUE_FULL,
    ERR_SHUTTING_DOWN,
    ERR_COUNT
};

/* What is wrong with one field of a record (`errors[].code`). */
enum field_err {
    FIELD_REQUIRED,
    FIELD_UNKNOWN,
    FIELD_WRONG_TYPE,
    FIELD_OUT_OF_RANGE,
    FIELD_TOO_LONG,
    FIELD_NOT_ALLOWED_HERE,
    FIELD_IN_FUTURE,
    FIELD_BEFORE_START,
    FIELD_UNKNOWN_CUSTOMER,
    FIELD_WRONG_CURRENCY,
    FIELD_ID_MISMATCH,
    FIELD_ERR_COUNT
};

enum { PROBLEM_ERRORS_MAX = 64, PROBLEM_DETAIL_MAX = 400 };

/* One entry of `errors[]`: a JSON pointer into the record or the name of a query parameter. */
struct problem_error {
    char *at; /* owned */
    bool is_parameter;
    enum field_err code; /* meaningful for pointers only */
    char *detail;        /* owned; says what would be right */
};

/* Why something was refused. Zero-initialise; release with problem_clear. */
struct problem {
    enum err code;
    char detail[PROBLEM_DETAIL_MAX];
    struct problem_error *errors; /* owned */
    size_t error_count;
};

/* The code as clients see it, such as "malformed_json". */
const char *err_name(enum err code);
/* The field code as clients see it, such as "wrong_type". */
const char *field_err_name(enum field_err code);

/* Sets code and detail (cut at PROBLEM_DETAIL_MAX, on a code point) and returns `code`.
 * `problem` may be NULL. */
enum err problem_set(struct problem *problem, enum err code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Adds one field error (at most PROBLEM_ERRORS_MAX are kept, more are counted as dropped in
 * silence) and sets the code to ERR_INVALID_RECORD, which it returns. `problem` may be NULL. */
enum err problem_add_field(struct problem *problem, const char *pointer, enum field_err code,
                           const char *format, ...) PRINTF_LIKE(4, 5);

/* Adds one parameter error under `code` (ERR_INVALID_PARAMETER, …), which it returns; the detail
 * also becomes the problem's own when it has none yet. */
enum err problem_add_parameter(struct problem *problem, enum err code, const char *parameter,
                               const char *format, ...) PRINTF_LIKE(4, 5);

void problem_clear(struct problem *problem);

#endif
