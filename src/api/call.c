/* What every handler uses: replying, refusing, handing a call to a worker. */
#include "call.h"

#include "routes.h"

#include <string.h>

#define JSON_TYPE "application/json"

#define RETRY_AFTER "1" /* seconds */

void call_finish_reply(struct call *call) {
    struct http_request *request = call->request;
    if (!buf_ok(&request->reply.body)) {
        buf_reset(&request->reply.body);
        http_reply_set(request, problem_status(ERR_UNAVAILABLE), NULL);
        http_reply_header(request, "Retry-After", RETRY_AFTER);
    }
    http_reply_header(request, "X-Request-Id", call->request_id);
    http_reply_header(request, "Access-Control-Allow-Origin", "*");
    http_reply_header(request, "Access-Control-Expose-Headers",
                      "location, etag, retry-after, ratelimit, ratelimit-policy, x-request-id, "
                      "vinculo-rejected");
    if (atomic_load(&call->app->stopping)) {
        request->reply.close = true;
    }
}

struct buf *call_reply_json(struct call *call, unsigned status) {
    http_reply_set(call->request, status, JSON_TYPE);
    return &call->request->reply.body;
}

/* Headers that belong to a code. */
static void add_problem_headers(struct call *call) {
    struct http_request *request = call->request;
    unsigned status = problem_status(call->problem.code);
    if (status == 503 || status == 429) {
        http_reply_header(request, "Retry-After", RETRY_AFTER);
    } else if (status == 401) {
        http_reply_header(request, "WWW-Authenticate", "Bearer");
    } else if (status == 405) {
        BUF_SCOPED allow = {0};
        route_write_allow(&allow, call->route);
        http_reply_header(request, "Allow", buf_text(&allow));
    }
}

enum http_next call_refuse(struct call *call) {
    http_reply_set(call->request, problem_status(call->problem.code), "application/problem+json");
    buf_reset(&call->request->reply.body);
    problem_write(&call->request->reply.body, &call->problem, call->request_id);
    add_problem_headers(call);
    call_finish_reply(call);
    return HTTP_REPLY;
}

struct call *call_of_work(struct work *work) {
    return (struct call *)(void *)((char *)work - offsetof(struct call, work));
}

void call_conclude(struct call *call, enum err err) {
    if (err != ERR_OK) {
        call_refuse(call);
    } else {
        call_finish_reply(call);
    }
    http_resume(call->request);
}

static void refuse_work(struct work *work, enum err code) {
    struct call *call = call_of_work(work);
    call_conclude(call, problem_set(&call->problem, code,
                                    code == ERR_SHUTTING_DOWN
                                        ? "The service is shutting down; try again."
                                        : "The database is too busy at present; try again."));
}

enum http_next call_run_on_worker(struct call *call,
                                  void (*run)(struct work *work, struct db *db)) {
    struct workers *pool =
        strcmp(call->method->name, "GET") == 0 ? call->app->readers : call->app->workers;
    call->work.run = run;
    call->work.refuse = refuse_work;
    if (workers_submit(pool, &call->work, &call->problem) != ERR_OK) {
        return call_refuse(call);
    }
    return HTTP_WAIT;
}
