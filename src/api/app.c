/* From HTTP callbacks to handlers: route → method → key → scope → headers → body → handler. */
#include "app.h"

#include "handlers.h"
#include "routes.h"
#include "vinculo/log.h"
#include "vinculo/metrics_registry.h"
#include "vinculo/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define JSON_TYPE "application/json"
#define NDJSON_TYPE "application/x-ndjson"

static void take_request_id(struct call *call) {
    const char *given = http_request_header(call->request, "X-Request-Id");
    size_t length = given != NULL ? strlen(given) : 0;
    bool good = length > 0 && length <= REQUEST_ID_MAX;
    for (size_t i = 0; good && i < length; i++) {
        good = given[i] > ' ' && given[i] < 0x7f && given[i] != '"' && given[i] != '\\';
    }
    if (good) {
        memcpy(call->request_id, given, length + 1);
    } else {
        record_make_id(call->request_id);
    }
}

static enum http_next preflight(struct call *call) {
    BUF_SCOPED allow = {0};
    route_write_allow(&allow, call->route);
    http_reply_set(call->request, 204, NULL);
    http_reply_header(call->request, "Allow", buf_text(&allow));
    http_reply_header(call->request, "Access-Control-Allow-Methods", buf_text(&allow));
    http_reply_header(call->request, "Access-Control-Allow-Headers",
                      "authorization, content-type, idempotency-key, if-none-match, x-request-id");
    http_reply_header(call->request, "Access-Control-Max-Age", "7200");
    call_finish_reply(call);
    return HTTP_REPLY;
}

static enum err check_key(struct call *call) {
    static const char scheme[] = "Bearer ";
    const char *header = http_request_header(call->request, "Authorization");
    if (header == NULL || strncasecmp(header, scheme, sizeof scheme - 1) != 0) {
        return problem_set(&call->problem, ERR_UNAUTHORIZED,
                           "Send a key: Authorization: Bearer vk_…");
    }
    const char *key = header + sizeof scheme - 1;
    key += strspn(key, " ");
    switch (keyring_check(call->app->keyring, key, strlen(key),
                          http_request_header(call->request, "Origin"), &call->grant)) {
    case KEY_GRANTED:
        return ERR_OK;
    case KEY_UNKNOWN:
        break;
    case KEY_WRONG_ORIGIN:
        return problem_set(&call->problem, ERR_ORIGIN_NOT_ALLOWED,
                           "This key is limited to other origins than this page's.");
    }
    return problem_set(&call->problem, ERR_UNAUTHORIZED,
                       "The key is not known, revoked or expired.");
}

static enum err check_scope(struct call *call) {
    enum access access = call->method->access;
    enum scope scope = call->grant.scope;
    bool allowed = access_allows(access, scope);
    if (access == ACCESS_SURVEY && scope == SCOPE_PUBLISHABLE) {
        allowed = call->kind->kind == KIND_SURVEY;
    }
    return allowed ? ERR_OK
                   : problem_set(&call->problem, ERR_FORBIDDEN_SCOPE,
                                 "A key of scope %s may not do this.", scope_name(scope));
}

static enum err check_headers(struct call *call, bool *ret_stream) {
    const char *accept = http_request_header(call->request, "Accept");
    if (accept != NULL && call->method->access != ACCESS_OPEN &&
        !route_takes(call->method, "format") && /* else its handler looks (format.h) */
        strstr(accept, JSON_TYPE) == NULL && strstr(accept, "*/*") == NULL &&
        strstr(accept, "application/*") == NULL && strstr(accept, "+json") == NULL) {
        return problem_set(&call->problem, ERR_NOT_ACCEPTABLE, "The answer is " JSON_TYPE ".");
    }
    const char *key = http_request_header(call->request, "Idempotency-Key");
    if (key != NULL && call->method->body != BODY_NONE) {
        if (!record_id_is_valid(key, strlen(key))) {
            return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "Idempotency-Key",
                                         "It serves as the record's id: 1 to 128 characters.");
        }
        call->idempotency_key = strdup(key);
        if (call->idempotency_key == NULL) {
            return problem_set(&call->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
        }
    }
    enum err err = body_check_type(call, ret_stream);
    if (err == ERR_OK) {
        err = query_parse(call, call->request->query);
    }
    return err == ERR_OK ? body_check_parameters(call) : err;
}

static enum err open_call(struct call *call, bool *ret_stream) {
    enum err err = route_find(call, call->request->path, call->request->method);
    if (err == ERR_OK && atomic_load(&call->app->stopping) && call->method->access != ACCESS_OPEN) {
        err = problem_set(&call->problem, ERR_SHUTTING_DOWN,
                          "The service is shutting down; try again.");
    }
    if (err == ERR_OK && call->method->access != ACCESS_OPEN) {
        err = check_key(call);
        if (err == ERR_OK) {
            err = check_scope(call);
        }
    }
    if (err == ERR_OK) {
        err = check_headers(call, ret_stream);
    }
    if (err == ERR_OK && *ret_stream) {
        err = stream_begin(call);
    }
    return err;
}

static enum http_next app_begin(void *context, struct http_request *request) {
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        http_reply_set(request, problem_status(ERR_UNAVAILABLE), NULL);
        return HTTP_REPLY;
    }
    request->app = call;
    call->app = context;
    call->request = request;
    take_request_id(call);
    bool stream = false;
    enum err err = open_call(call, &stream);
    if (call->route != NULL && strcmp(request->method, "OPTIONS") == 0) {
        return preflight(call);
    }
    if (err != ERR_OK) {
        return call_refuse(call);
    }
    return stream ? HTTP_STREAM : HTTP_COLLECT;
}

static enum http_next app_data(void *context, struct http_request *request, const char *data,
                               size_t length, size_t *ret_consumed) {
    (void)context;
    return stream_data(request->app, data, length, ret_consumed);
}

static enum http_next app_end(void *context, struct http_request *request) {
    (void)context;
    struct call *call = request->app;
    if (call->answer != NULL) {
        return call->answer(call);
    }
    return call->stream != NULL ? stream_end(call) : call->method->handle(call);
}

static void app_too_large(void *context, struct http_request *request) {
    (void)context;
    struct call *call = request->app;
    problem_set(&call->problem, ERR_TOO_LARGE,
                "One record may have at most %lld bytes; send many as " NDJSON_TYPE ".",
                (long long)call->app->settings->body_max_bytes);
    call_refuse(call);
}

static double seconds_since(int64_t since_us) {
    return (double)(clock_monotonic_us() - since_us) / (double)MICROSECONDS_PER_SECOND;
}

static void call_free(struct call *call) {
    for (size_t i = 0; i < call->parameter_count; i++) {
        free(call->parameters[i].name);
        free(call->parameters[i].value);
    }
    free(call->name);
    free(call->idempotency_key);
    free(call->if_none_match);
    problem_clear(&call->problem);
    write_item_clear(&call->item);
    record_clear(&call->stored);
    stream_free(call);
    list_free(call->list);
    free(call);
}

/* Label values must be static: methods outside the table are all "other". */
static const char *metric_method(const struct call *call) {
    return call->method != NULL ? call->method->name : "other";
}

static void app_finish(void *context, struct http_request *request, bool completed) {
    (void)context;
    struct call *call = request->app;
    if (call == NULL) {
        return;
    }
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    const char *route = call->route != NULL ? call->route->pattern : "unknown";
    unsigned status = request->reply.status;
    double seconds = seconds_since(request->received_us);
    metric_add(METRIC_HTTP_REQUESTS, 1, route, metric_method(call),
               classes[completed && status < 600 ? status / 100 : 0]);
    metric_observe(METRIC_HTTP_DURATION, seconds);
    log_event(completed ? LOG_INFO : LOG_WARN, completed ? "request" : "request_broken",
              LOG_STR("request_id", call->request_id), LOG_STR("method", metric_method(call)),
              LOG_STR("route", route), LOG_INT("status", status),
              LOG_STR("code", call->problem.code != ERR_OK ? err_name(call->problem.code) : ""),
              LOG_INT("body_bytes", (int64_t)request->body_bytes),
              LOG_NUM("duration_ms", seconds * 1000));
    call_free(call);
}

struct http_app app_callbacks(struct app *app) {
    return (struct http_app){.context = app,
                             .begin = app_begin,
                             .data = app_data,
                             .end = app_end,
                             .too_large = app_too_large,
                             .finish = app_finish};
}
