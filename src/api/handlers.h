/* Handlers of the routes. */
#ifndef VINCULO_API_HANDLERS_H
#define VINCULO_API_HANDLERS_H

#include "call.h"

/* records.c */
enum http_next handle_record_post(struct call *call);
enum http_next handle_record_get(struct call *call);
enum http_next handle_record_put(struct call *call);
enum http_next handle_record_patch(struct call *call);
enum http_next handle_record_delete(struct call *call);

/* stream.c: POST of many, line by line */
enum err stream_begin(struct call *call);
enum http_next stream_data(struct call *call, const char *data, size_t length,
                           size_t *ret_consumed);
enum http_next stream_end(struct call *call);
void stream_free(struct stream *stream);

/* kpis.c */
enum http_next handle_kpis(struct call *call);
enum http_next handle_kpi(struct call *call);
enum http_next handle_definitions(struct call *call);
enum http_next handle_definition(struct call *call);

/* operations.c */
enum http_next handle_health(struct call *call);
enum http_next handle_ready(struct call *call);
enum http_next handle_metrics(struct call *call);
enum http_next handle_openapi(struct call *call);

#endif
