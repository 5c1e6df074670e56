/* What headers and query say of a body: form, charset, compression, and how its records are stored.
 */
#include "handlers.h"

#include "routes.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define JSON_TYPE "application/json"
#define NDJSON_TYPE "application/x-ndjson"
#define CSV_TYPE "text/csv"
#define PATCH_TYPE "application/merge-patch+json"

/* Does the Content-Type header name this media type (parameters aside)? */
static bool type_is(const char *header, const char *type) {
    size_t length = strcspn(header, "; \t");
    return length == strlen(type) && strncasecmp(header, type, length) == 0;
}

/* The header's charset; UTF-8 where it names none. False where it is not one of ours. */
static bool find_charset(const char *header, enum csv_charset *ret_charset) {
    *ret_charset = CSV_UTF_8;
    const char *charset = strcasestr(header, "charset=");
    if (charset == NULL) {
        return true;
    }
    charset += strlen("charset=");
    charset += *charset == '"';
    return csv_charset_find(charset, strcspn(charset, "\"; \t"), ret_charset);
}

static enum err wrong_type(struct call *call, const char *type) {
    if (type != NULL && type_is(type, "application/x-www-form-urlencoded")) {
        return problem_set(&call->problem, ERR_UNSUPPORTED_MEDIA_TYPE,
                           "This is curl's default form type; use --json '{…}' (or -H "
                           "'Content-Type: " JSON_TYPE "').");
    }
    switch (call->method->body) {
    case BODY_RECORDS:
        return problem_set(
            &call->problem, ERR_UNSUPPORTED_MEDIA_TYPE,
            "Content-Type must be " JSON_TYPE " (one record or an array), " NDJSON_TYPE
            " (one record a line) or " CSV_TYPE "; in UTF-8, " CSV_TYPE " also in windows-1252.");
    case BODY_PATCH:
        return problem_set(&call->problem, ERR_UNSUPPORTED_MEDIA_TYPE,
                           "Content-Type must be " PATCH_TYPE " or " JSON_TYPE ", in UTF-8.");
    case BODY_RECORD:
    case BODY_NONE:
        break;
    }
    return problem_set(&call->problem, ERR_UNSUPPORTED_MEDIA_TYPE,
                       "Content-Type must be " JSON_TYPE ", in UTF-8.");
}

static enum err check_encoding(struct call *call) {
    const char *encoding = http_request_header(call->request, "Content-Encoding");
    bool many = call->method->body == BODY_RECORDS && call->grant.scope != SCOPE_PUBLISHABLE;
    if (encoding == NULL || strcasecmp(encoding, "identity") == 0) {
        return ERR_OK;
    }
    call->gzip = many && (strcasecmp(encoding, "gzip") == 0 || strcasecmp(encoding, "x-gzip") == 0);
    return call->gzip ? ERR_OK
                      : problem_set(&call->problem, ERR_UNSUPPORTED_MEDIA_TYPE,
                                    many ? "Content-Encoding must be gzip or identity."
                                         : "Content-Encoding must be identity: send the body "
                                           "uncompressed.");
}

static bool find_form(const struct call *call, const char *type, enum form *ret_form) {
    bool records = call->method->body == BODY_RECORDS;
    *ret_form = FORM_JSON;
    if (records && type_is(type, NDJSON_TYPE)) {
        *ret_form = FORM_NDJSON;
    } else if (records && type_is(type, CSV_TYPE)) {
        *ret_form = FORM_CSV;
    } else {
        return type_is(type, JSON_TYPE) ||
               (call->method->body == BODY_PATCH && type_is(type, PATCH_TYPE));
    }
    return true;
}

/* JSON that may be an array is no single object for its size alone. */
static enum err check_length(struct call *call, bool *ret_stream) {
    const char *header = http_request_header(call->request, "Content-Length");
    unsigned long long length = header != NULL ? strtoull(header, NULL, 10) : 0;
    bool known = header != NULL && !call->gzip;
    if (known && length > ARRAY_BYTES_MAX) {
        return problem_set(&call->problem, ERR_TOO_LARGE,
                           "An array may have at most %d bytes, one record %lld; send more as "
                           "NDJSON (" NDJSON_TYPE "), which has no limit.",
                           ARRAY_BYTES_MAX, (long long)call->app->settings->body_max_bytes);
    }
    *ret_stream = !known || length > (unsigned long long)call->app->settings->body_max_bytes;
    return ERR_OK;
}

enum err body_check_type(struct call *call, bool *ret_stream) {
    const char *type = http_request_header(call->request, "Content-Type");
    bool publishable = call->grant.scope == SCOPE_PUBLISHABLE;
    if (call->method->body == BODY_NONE) {
        return ERR_OK;
    }
    if (check_encoding(call) != ERR_OK) {
        return call->problem.code;
    }
    if (type == NULL || !find_form(call, type, &call->form) ||
        !find_charset(type, &call->charset) ||
        (call->form != FORM_CSV && call->charset != CSV_UTF_8)) {
        return wrong_type(call, type);
    }
    if (call->form != FORM_JSON) {
        *ret_stream = true;
        return publishable ? problem_set(&call->problem, ERR_FORBIDDEN_SCOPE,
                                         "A publishable key may post one survey at a time, "
                                         "as " JSON_TYPE ".")
                           : ERR_OK;
    }
    return call->method->body == BODY_RECORDS && !publishable ? check_length(call, ret_stream)
                                                              : ERR_OK;
}

static enum err take_on_conflict(struct call *call, const char *text) {
    if (call->grant.scope == SCOPE_PUBLISHABLE) {
        return problem_set(&call->problem, ERR_FORBIDDEN_SCOPE,
                           "A publishable key may not change surveys.");
    }
    if (strcmp(text, "replace") == 0) {
        call->on_conflict = ON_CONFLICT_REPLACE;
    } else if (strcmp(text, "merge") == 0) {
        call->on_conflict = ON_CONFLICT_MERGE;
    } else {
        return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "on_conflict",
                                     "Allowed: replace, merge.");
    }
    return ERR_OK;
}

enum err body_check_parameters(struct call *call) {
    if (call->method->body != BODY_RECORDS) {
        return ERR_OK;
    }
    const char *conflict = call_parameter(call, "on_conflict");
    const char *atomic = call_parameter(call, "atomic");
    if (conflict != NULL && take_on_conflict(call, conflict) != ERR_OK) {
        return call->problem.code;
    }
    call->atomic = atomic != NULL && strcmp(atomic, "true") == 0;
    return atomic == NULL || call->atomic || strcmp(atomic, "false") == 0
               ? ERR_OK
               : problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "atomic",
                                       "Allowed: true, false.");
}
