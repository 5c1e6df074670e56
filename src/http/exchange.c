/*
 * One request and its reply: libmicrohttpd's calls turned into the application's.
 *
 * libmicrohttpd calls once for the headers, once for each part of the body, and once at its end; a
 * reply can be queued at the first and at the last call only.
 */
#include "internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* A reply that is known before the body has come waits until the body is read and thrown away:
 * closing with unread bytes would reset the connection, and the client might lose the reply. Bodies
 * announced as longer than this are not worth it. */
enum { DISCARD_MAX = 64 * 1024 * 1024 };

/* For clients that know no chunks (HTTP/1.0); others get as much as the connection's memory holds.
 */
enum { PART_BYTES = 16 * 1024 };

static atomic_uint_fast64_t last_sequence;

/* The path of "http://host/path" too: clients of proxies send targets in this form. */
static const char *find_path(const char *target) {
    if (strncasecmp(target, "http://", 7) != 0 && strncasecmp(target, "https://", 8) != 0)
        return target;
    const char *authority = strstr(target, "://") + 3;
    const char *path = strchr(authority, '/');
    return path == NULL ? "/" : path;
}

void *exchange_on_request_line(void *closure, const char *uri, struct MHD_Connection *mhd) {
    (void)closure;
    struct http_connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    size_t size = strlen(uri) + 1;
    struct http_exchange *exchange = calloc(1, sizeof *exchange + size);
    if (exchange == NULL || connection == NULL) {
        free(exchange);
        return NULL; /* the next call finds nothing and closes the connection */
    }
    memcpy(exchange->target, uri, size);
    char *query = strchr(exchange->target, '?');
    if (query != NULL)
        *query++ = '\0';
    exchange->request.path = find_path(exchange->target);
    exchange->request.query = query;
    exchange->request.sequence = atomic_fetch_add(&last_sequence, 1) + 1;
    exchange->request.connection = connection;
    exchange->progress_us = clock_monotonic_us();
    connection->exchange = exchange;
    connection->requests++;
    return exchange;
}

static void reply_clear(struct http_reply *reply) {
    buf_free(&reply->body);
    for (size_t i = 0; i < reply->header_count; i++) {
        free(reply->headers[i][0]);
        free(reply->headers[i][1]);
    }
    reply->header_count = 0;
}

void exchange_on_completed(void *closure, struct MHD_Connection *mhd, void **request_closure,
                           enum MHD_RequestTerminationCode code) {
    (void)mhd;
    struct http_server *server = ((struct http_loop *)closure)->server;
    struct http_exchange *exchange = *request_closure;
    *request_closure = NULL;
    if (exchange == NULL)
        return;
    if (exchange->begun) {
        bool completed = code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
        server->app.finish(server->app.context, &exchange->request, completed);
        atomic_fetch_sub(&server->requests_under_way, 1);
    }
    exchange->request.connection->exchange = NULL;
    reply_clear(&exchange->request.reply);
    buf_free(&exchange->request.body);
    free(exchange);
}

const char *http_request_header(const struct http_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection->mhd, MHD_HEADER_KIND, name);
}

void http_reply_set(struct http_request *request, unsigned status, const char *content_type) {
    request->reply.status = status;
    request->reply.content_type = content_type;
}

void http_reply_header(struct http_request *request, const char *name, const char *value) {
    struct http_reply *reply = &request->reply;
    size_t most = sizeof reply->headers / sizeof *reply->headers;
    assert(reply->header_count < most);
    if (reply->header_count >= most)
        return;
    char *name_copy = strdup(name), *value_copy = strdup(value);
    if (name_copy == NULL || value_copy == NULL) {
        free(name_copy);
        free(value_copy);
        return;
    }
    reply->headers[reply->header_count][0] = name_copy;
    reply->headers[reply->header_count][1] = value_copy;
    reply->header_count++;
}

static enum MHD_Result suspend(struct http_exchange *exchange) {
    struct http_connection *connection = exchange->request.connection;
    exchange->waiting = true;
    connection->loop->waiting++;
    MHD_suspend_connection(connection->mhd);
    return MHD_YES;
}

/* libmicrohttpd would end the connection in order, as after a whole body: to clients that know no
 * chunks it would look like one. To dissolve a connection resets it at once. */
static ssize_t cut(const struct http_exchange *exchange) {
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    (void)connect(exchange->request.connection->fd, &nobody, sizeof nobody);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Hands over the next bytes of a body that is made while it is sent. 0: suspended. */
static ssize_t read_part(void *closure, uint64_t position, char *part, size_t size) {
    (void)position;
    struct http_exchange *exchange = closure;
    struct http_app *app = &exchange->request.connection->loop->server->app;
    struct http_reply *reply = &exchange->request.reply;
    if (exchange->sent == reply->body.length && !exchange->refilled) {
        exchange->sent = 0;
        exchange->refilled = true;
        if (reply->more(app->context, &exchange->request) == HTTP_WAIT) {
            suspend(exchange);
            return 0;
        }
    }
    exchange->refilled = false;
    if (reply->failed || !buf_ok(&reply->body))
        return cut(exchange);
    size_t left = reply->body.length - exchange->sent;
    if (left == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t length = left < size ? left : size;
    memcpy(part, reply->body.data + exchange->sent, length);
    exchange->sent += length;
    return (ssize_t)length;
}

/* To HEAD libmicrohttpd would send the last chunk of a body that is not there: so without chunks,
 * which closes the connection. */
static struct MHD_Response *make_endless_response(struct http_exchange *exchange) {
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PART_BYTES, read_part, exchange, NULL);
    if (response != NULL && strcmp(exchange->request.method, "HEAD") == 0)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return response;
}

/* The body's memory passes to the response, unless it is made while it is sent. */
static struct MHD_Response *make_response(struct http_exchange *exchange) {
    struct http_reply *reply = &exchange->request.reply;
    if (!buf_ok(&reply->body))
        return NULL;
    if (reply->more != NULL)
        return make_endless_response(exchange);
    if (reply->body.length == 0)
        return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body.length, reply->body.data, MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        reply->body = (struct buf){0};
    return response;
}

/* MHD_NO closes the connection: what remains when memory is short. */
static enum MHD_Result queue_reply(struct http_exchange *exchange) {
    struct http_connection *connection = exchange->request.connection;
    struct http_reply *reply = &exchange->request.reply;
    assert(reply->status != 0);
    struct MHD_Response *response = make_response(exchange);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result ok = MHD_YES;
    if (reply->content_type != NULL)
        ok &= MHD_add_response_header(response, "Content-Type", reply->content_type);
    for (size_t i = 0; i < reply->header_count; i++)
        ok &= MHD_add_response_header(response, reply->headers[i][0], reply->headers[i][1]);
    if (reply->close || atomic_load(&connection->loop->server->draining))
        ok &= MHD_add_response_header(response, "Connection", "close");
    exchange->phase = PHASE_SENDING;
    if (ok == MHD_YES)
        ok = MHD_queue_response(connection->mhd, reply->status, response);
    MHD_destroy_response(response);
    return ok;
}

/* How a request's body is announced. */
struct framing {
    size_t lengths, encodings; /* how many such headers */
    uint64_t length;           /* Content-Length */
    bool chunked, expects_continue, wrong;
};

static enum MHD_Result note_header(void *closure, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    (void)kind;
    struct framing *framing = closure;
    if (strcasecmp(name, "Content-Length") == 0) {
        size_t digits = strspn(value, "0123456789");
        framing->lengths++;
        framing->wrong |= digits == 0 || digits > 18 || value[digits] != '\0';
        framing->length = strtoull(value, NULL, 10);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        framing->encodings++;
        framing->chunked = strcasecmp(value, "chunked") == 0;
        framing->wrong |= !framing->chunked;
    } else if (strcasecmp(name, "Expect") == 0) {
        framing->expects_continue = strcasecmp(value, "100-continue") == 0;
    }
    return MHD_YES;
}

/* Queues now, which closes the connection, where a long body is announced or the client holds it
 * back for a 100 Continue; else at the request's end. */
static enum MHD_Result reply_to_headers(struct http_exchange *exchange,
                                        const struct framing *framing) {
    bool body = framing->chunked || framing->length > 0;
    if (framing->length > DISCARD_MAX || (body && framing->expects_continue)) {
        exchange->request.reply.close = true;
        return queue_reply(exchange);
    }
    exchange->phase = PHASE_DISCARD;
    return MHD_YES;
}

static enum MHD_Result on_headers(struct http_exchange *exchange, const char *method) {
    struct http_request *request = &exchange->request;
    struct http_server *server = request->connection->loop->server;
    struct framing framing = {0};
    MHD_get_connection_values(request->connection->mhd, MHD_HEADER_KIND, note_header, &framing);
    /* What a proxy before us may read otherwise than we do could smuggle a second request in. */
    if (framing.wrong || framing.lengths + framing.encodings > 1) {
        http_reply_set(request, 400, "text/plain");
        buf_add_str(&request->reply.body, "The length of the body is ambiguous.\n");
        request->reply.close = true;
        return queue_reply(exchange);
    }
    request->method = method;
    request->received_us = clock_monotonic_us();
    exchange->begun = true;
    atomic_fetch_add(&server->requests_begun, 1);
    atomic_fetch_add(&server->requests_under_way, 1);
    switch (server->app.begin(server->app.context, request)) {
    case HTTP_REPLY:
        return reply_to_headers(exchange, &framing);
    case HTTP_STREAM:
        exchange->phase = PHASE_STREAM;
        return MHD_YES;
    case HTTP_COLLECT:
        exchange->phase = PHASE_COLLECT;
        if (framing.length <= server->collect_limit)
            return MHD_YES;
        server->app.too_large(server->app.context, request);
        request->reply.close = true;
        return reply_to_headers(exchange, &framing);
    case HTTP_CONTINUE:
    case HTTP_WAIT:
        break;
    }
    assert(false); /* not an answer of begin */
    return MHD_NO;
}

static enum MHD_Result collect(struct http_exchange *exchange, const char *data, size_t length) {
    struct http_request *request = &exchange->request;
    struct http_server *server = request->connection->loop->server;
    if (request->body_bytes <= server->collect_limit) {
        buf_add(&request->body, data, length);
        return buf_ok(&request->body) ? MHD_YES : MHD_NO;
    }
    buf_free(&request->body);
    server->app.too_large(server->app.context, request);
    request->reply.close = true;
    exchange->phase = PHASE_DISCARD;
    return MHD_YES;
}

/* Offers the part until the application has consumed it or waits: libmicrohttpd itself would offer
 * the rest only once more bytes arrive. */
static enum MHD_Result stream(struct http_exchange *exchange, const char *data, size_t *length) {
    struct http_request *request = &exchange->request;
    struct http_app *app = &request->connection->loop->server->app;
    exchange->progress_us = clock_monotonic_us();
    request->body_bytes += *length - exchange->left_over;
    exchange->left_over = *length;
    /* libmicrohttpd goes on to the next chunk at hand even where the last one began a wait. */
    while (*length > 0 && !exchange->waiting) {
        size_t consumed = 0;
        enum http_next next = app->data(app->context, request, data, *length, &consumed);
        assert(consumed <= *length);
        data += consumed;
        *length -= consumed;
        exchange->left_over = *length;
        if (next == HTTP_WAIT)
            return suspend(exchange);
        assert(next == HTTP_CONTINUE && consumed > 0); /* or this would never end */
    }
    return MHD_YES;
}

static enum MHD_Result on_body(struct http_exchange *exchange, const char *data, size_t *length) {
    struct http_request *request = &exchange->request;
    if (exchange->phase == PHASE_STREAM)
        return stream(exchange, data, length);
    enum MHD_Result result = MHD_YES;
    request->body_bytes += *length;
    if (exchange->phase == PHASE_COLLECT)
        result = collect(exchange, data, *length);
    *length = 0;
    return result;
}

static enum MHD_Result on_end(struct http_exchange *exchange) {
    struct http_request *request = &exchange->request;
    struct http_app *app = &request->connection->loop->server->app;
    bool decided = exchange->phase == PHASE_DISCARD ||
                   (exchange->phase == PHASE_END && request->reply.status != 0);
    exchange->phase = PHASE_END;
    if (decided || app->end(app->context, request) == HTTP_REPLY)
        return queue_reply(exchange);
    return suspend(exchange);
}

enum MHD_Result exchange_on_call(void *closure, struct MHD_Connection *mhd, const char *url,
                                 const char *method, const char *version, const char *upload_data,
                                 size_t *upload_data_size, void **request_closure) {
    (void)closure;
    (void)mhd;
    (void)url; /* cut at the query; we have our own copy */
    (void)version;
    struct http_exchange *exchange = *request_closure;
    if (exchange == NULL)
        return MHD_NO;
    if (exchange->phase == PHASE_HEADERS)
        return on_headers(exchange, method);
    if (*upload_data_size > 0)
        return on_body(exchange, upload_data, upload_data_size);
    return on_end(exchange);
}

void exchange_resume(struct http_exchange *exchange) {
    struct http_request *request = &exchange->request;
    struct http_connection *connection = request->connection;
    struct http_app *app = &connection->loop->server->app;
    /* A stream whose parts were all consumed would not be called before the client sends more. */
    if (exchange->phase == PHASE_STREAM) {
        size_t consumed = 0;
        if (app->data(app->context, request, "", 0, &consumed) == HTTP_WAIT)
            return;
        exchange->progress_us = clock_monotonic_us();
    }
    exchange->waiting = false;
    connection->loop->waiting--;
    MHD_resume_connection(connection->mhd);
}
