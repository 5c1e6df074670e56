/* For operators: liveness, readiness, metrics, the contract. */
#include "handlers.h"

#include "vinculo/embedded.h"
#include "vinculo/json.h"
#include "vinculo/metrics_registry.h"

static enum http_next reply_status(struct call *call, const char *status) {
    struct buf *body = call_reply_json(call, 200);
    json_begin_object(body);
    json_key(body, "status");
    json_put_text(body, status);
    json_end_object(body);
    buf_add_char(body, '\n');
    call_finish_reply(call);
    return HTTP_REPLY;
}

enum http_next handle_health(struct call *call) { return reply_status(call, "ok"); }

enum http_next handle_ready(struct call *call) {
    if (atomic_load(&call->app->stopping)) {
        problem_set(&call->problem, ERR_SHUTTING_DOWN, "The service is shutting down.");
        return call_refuse(call);
    }
    if (!writer_is_connected(call->app->writer)) {
        problem_set(&call->problem, ERR_UNAVAILABLE, "There is no connection to the database.");
        return call_refuse(call);
    }
    return reply_status(call, "ready");
}

enum http_next handle_metrics(struct call *call) {
    uint64_t connections = 0;
    uint64_t under_way = 0;
    http_request_stats(call->request, &connections, &under_way);
    metric_set(METRIC_HTTP_CONNECTIONS, (int64_t)connections);
    http_reply_set(call->request, 200, "text/plain; version=0.0.4; charset=utf-8");
    metrics_write(&call->request->reply.body);
    call_finish_reply(call);
    return HTTP_REPLY;
}

enum http_next handle_openapi(struct call *call) {
    http_reply_set(call->request, 200, "application/yaml; charset=utf-8");
    buf_add(&call->request->reply.body, embedded_openapi[0].text, embedded_openapi[0].length);
    call_finish_reply(call);
    return HTTP_REPLY;
}
