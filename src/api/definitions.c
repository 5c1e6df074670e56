/* GET /v1/definitions…: what the KPIs are called and what they mean. */
#include "handlers.h"

#include "vinculo/json.h"
#include "vinculo/kpi.h"

#include <jansson.h>
#include <string.h>

enum err kpi_refuse_unknown(struct call *call, enum err code) {
    BUF_SCOPED names = {0};
    for (size_t i = 0; i < kpi_count; i++) {
        buf_printf(&names, "%s%s", i == 0 ? "" : ", ", kpi_catalogue[i].name);
    }
    if (code == ERR_NOT_FOUND) {
        return problem_set(&call->problem, code, "There is no such KPI. There are: %s.",
                           buf_text(&names));
    }
    return problem_add_parameter(&call->problem, code, "kpis",
                                 "A list of KPIs separated by commas, each once: %s.",
                                 buf_text(&names));
}

/* What the program goes by, then what is written about it. */
static enum err write_definition(struct buf *out, const struct kpi_spec *spec,
                                 struct problem *problem) {
    const struct {
        const char *name, *text;
    } members[] = {{"kpi", spec->name},
                   {"definition", spec->definition},
                   {"unit", kpi_unit_name(spec->unit)},
                   {"direction", kpi_direction_name(spec)},
                   {"cadence", granularity_name(spec->cadence)}};
    json_t *written = json_loads(kpi_definition_text(spec), 0, NULL);
    if (written == NULL) { /* the tests have read every file */
        return problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    json_begin_object(out);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_key(out, members[i].name);
        json_put_text(out, members[i].text);
    }
    const char *name;
    json_t *value;
    json_object_foreach(written, name, value) {
        json_key(out, name);
        json_put_value(out, value);
    }
    json_end_object(out);
    json_decref(written);
    return ERR_OK;
}

static enum http_next conclude(struct call *call, enum err err) {
    if (err != ERR_OK) {
        return call_refuse(call);
    }
    buf_add_char(&call->request->reply.body, '\n');
    call_finish_reply(call);
    return HTTP_REPLY;
}

enum http_next handle_definitions(struct call *call) {
    struct buf *body = call_reply_json(call, 200);
    enum err err = ERR_OK;
    json_begin_object(body);
    json_key(body, "definitions");
    json_begin_array(body);
    for (size_t i = 0; err == ERR_OK && i < kpi_count; i++) {
        err = write_definition(body, &kpi_catalogue[i], &call->problem);
    }
    json_end_array(body);
    json_end_object(body);
    return conclude(call, err);
}

enum http_next handle_definition(struct call *call) {
    const struct kpi_spec *spec = kpi_find(call->name, strlen(call->name));
    if (spec == NULL) {
        return conclude(call, kpi_refuse_unknown(call, ERR_NOT_FOUND));
    }
    return conclude(call, write_definition(call_reply_json(call, 200), spec, &call->problem));
}
