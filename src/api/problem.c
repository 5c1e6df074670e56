/* Problems as clients see them: the only file that knows HTTP statuses of error codes. */
#include "call.h"

#include "vinculo/json.h"

static const struct {
    unsigned status;
    const char *title;
} answers[ERR_COUNT] = {
    [ERR_OK] = {200, "OK"},
    [ERR_MALFORMED_JSON] = {400, "The body is not valid JSON"},
    [ERR_MALFORMED_CSV] = {400, "The body is not valid CSV"},
    [ERR_INVALID_PARAMETER] = {400, "A parameter has a value that is not allowed"},
    [ERR_UNKNOWN_PARAMETER] = {400, "There is no such parameter"},
    [ERR_UNSUPPORTED_COMBINATION] = {400, "These parameters do not go together"},
    [ERR_BAD_CURSOR] = {400, "The cursor is not one of ours"},
    [ERR_UNAUTHORIZED] = {401, "A valid key is needed"},
    [ERR_FORBIDDEN_SCOPE] = {403, "The key's scope does not allow this"},
    [ERR_ORIGIN_NOT_ALLOWED] = {403, "The key may not be used from this origin"},
    [ERR_NOT_FOUND] = {404, "Not found"},
    [ERR_METHOD_NOT_ALLOWED] = {405, "The method is not allowed here"},
    [ERR_NOT_ACCEPTABLE] = {406, "None of the accepted types is available"},
    [ERR_ID_CONFLICT] = {409, "The id is taken by other content"},
    [ERR_HAS_DEPENDENTS] = {409, "Other records depend on this one"},
    [ERR_TOO_LARGE] = {413, "The body is too large"},
    [ERR_UNSUPPORTED_MEDIA_TYPE] = {415, "The body's type is not supported"},
    [ERR_INVALID_RECORD] = {422, "The record is not valid"},
    [ERR_RATE_LIMITED] = {429, "Too many requests"},
    [ERR_UNAVAILABLE] = {503, "Not available at present"},
    [ERR_QUEUE_FULL] = {503, "Too much is waiting"},
    [ERR_SHUTTING_DOWN] = {503, "Shutting down"},
};

unsigned problem_status(enum err code) { return answers[code].status; }

void problem_write(struct buf *out, const struct problem *problem, const char *request_id) {
    json_begin_object(out);
    json_key(out, "type");
    buf_printf(out, "\"urn:vinculo:problem:%s\"", err_name(problem->code));
    json_key(out, "title");
    json_put_text(out, answers[problem->code].title);
    json_key(out, "status");
    json_put_int(out, answers[problem->code].status);
    json_key(out, "detail");
    json_put_text(out, problem->detail[0] != '\0' ? problem->detail : answers[problem->code].title);
    json_key(out, "code");
    json_put_text(out, err_name(problem->code));
    if (request_id != NULL) {
        json_key(out, "request_id");
        json_put_text(out, request_id);
    }
    json_key(out, "errors");
    json_begin_array(out);
    for (size_t i = 0; i < problem->error_count; i++) {
        const struct problem_error *error = &problem->errors[i];
        json_begin_object(out);
        json_key(out, error->is_parameter ? "parameter" : "pointer");
        json_put_text(out, error->at);
        json_key(out, "code");
        json_put_text(out,
                      error->is_parameter ? err_name(problem->code) : field_err_name(error->code));
        json_key(out, "detail");
        json_put_text(out, error->detail);
        json_end_object(out);
    }
    json_end_array(out);
    json_end_object(out);
}
