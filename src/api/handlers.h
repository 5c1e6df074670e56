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

/* stream.c: POST of many, as the bytes come */
enum err stream_begin(struct call *call);
/* One of a bounded number of places for long bodies, given back by stream_free. */
MUST_CHECK enum err stream_claim(struct call *call);
enum http_next stream_data(struct call *call, const char *data, size_t length,
                           size_t *ret_consumed);
enum http_next stream_end(struct call *call);
void stream_free(struct call *call);
/* The collected body is an array of records; and what is done with it then. */
bool stream_is_array(const struct call *call);
enum http_next stream_array(struct call *call);

/* body.c: what the headers and the query say of the body; sets the call's form, and *ret_stream
 * where the body is not collected */
MUST_CHECK enum err body_check_type(struct call *call, bool *ret_stream);
MUST_CHECK enum err body_check_parameters(struct call *call);

/* lists.c: GET of many */
enum http_next handle_list(struct call *call);
enum http_next handle_feedback(struct call *call);
void list_free(struct list *list);

/* relationship.c */
enum http_next handle_relationship(struct call *call);

/* kpis.c */
enum http_next handle_kpis(struct call *call);
enum http_next handle_kpi(struct call *call);

/* definitions.c */
enum http_next handle_definitions(struct call *call);
enum http_next handle_definition(struct call *call);
/* Sets the call's problem and returns code: ERR_NOT_FOUND, or one for the parameter `kpis`; names
 * the KPIs that there are. */
enum err kpi_refuse_unknown(struct call *call, enum err code);

/* kpi_records.c */
enum http_next handle_kpi_records(struct call *call);

/* scorecard.c */
enum http_next handle_scorecard(struct call *call);

/* cohorts.c */
enum http_next handle_cohorts(struct call *call);

/* targets.c */
enum http_next handle_targets(struct call *call);
enum http_next handle_target_get(struct call *call);
enum http_next handle_target_put(struct call *call);
enum http_next handle_target_delete(struct call *call);

/* feedback.c */
enum http_next handle_terms(struct call *call);
enum http_next handle_drivers(struct call *call);

/* workspace.c */
enum http_next handle_workspace_get(struct call *call);
enum http_next handle_workspace_patch(struct call *call);

/* keys.c */
enum http_next handle_keys_get(struct call *call);
enum http_next handle_keys_post(struct call *call);
enum http_next handle_key_delete(struct call *call);

/* operations.c */
enum http_next handle_health(struct call *call);
enum http_next handle_ready(struct call *call);
enum http_next handle_metrics(struct call *call);
enum http_next handle_openapi(struct call *call);

#endif
