/* The names of the error codes, as clients see them. */
#include "vinculo/err.h"

#include <assert.h>

static const char *const err_names[ERR_COUNT] = {
    [ERR_OK] = "ok",
    [ERR_MALFORMED_JSON] = "malformed_json",
    [ERR_MALFORMED_CSV] = "malformed_csv",
    [ERR_INVALID_PARAMETER] = "invalid_parameter",
    [ERR_UNKNOWN_PARAMETER] = "unknown_parameter",
    [ERR_UNSUPPORTED_COMBINATION] = "unsupported_combination",
    [ERR_BAD_CURSOR] = "bad_cursor",
    [ERR_UNAUTHORIZED] = "unauthorized",
    [ERR_FORBIDDEN_SCOPE] = "forbidden_scope",
    [ERR_ORIGIN_NOT_ALLOWED] = "origin_not_allowed",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_METHOD_NOT_ALLOWED] = "method_not_allowed",
    [ERR_NOT_ACCEPTABLE] = "not_acceptable",
    [ERR_ID_CONFLICT] = "id_conflict",
    [ERR_HAS_DEPENDENTS] = "has_dependents",
    [ERR_TOO_LARGE] = "too_large",
    [ERR_UNSUPPORTED_MEDIA_TYPE] = "unsupported_media_type",
    [ERR_INVALID_RECORD] = "invalid_record",
    [ERR_RATE_LIMITED] = "rate_limited",
    [ERR_UNAVAILABLE] = "unavailable",
    [ERR_QUEUE_FULL] = "queue_full",
    [ERR_SHUTTING_DOWN] = "shutting_down",
};

static const char *const field_err_names[FIELD_ERR_COUNT] = {
    [FIELD_REQUIRED] = "required",
    [FIELD_UNKNOWN] = "unknown_field",
    [FIELD_WRONG_TYPE] = "wrong_type",
    [FIELD_OUT_OF_RANGE] = "out_of_range",
    [FIELD_TOO_LONG] = "too_long",
    [FIELD_NOT_ALLOWED_HERE] = "not_allowed_here",
    [FIELD_IN_FUTURE] = "in_future",
    [FIELD_BEFORE_START] = "before_start",
    [FIELD_UNKNOWN_CUSTOMER] = "unknown_customer",
    [FIELD_WRONG_CURRENCY] = "wrong_currency",
    [FIELD_ID_MISMATCH] = "id_mismatch",
};

const char *err_name(enum err code) {
    assert((unsigned)code < ERR_COUNT);
    return err_names[code];
}

const char *field_err_name(enum field_err code) {
    assert((unsigned)code < FIELD_ERR_COUNT);
    return field_err_names[code];
}
