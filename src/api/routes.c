/* The routes, and finding one. */
#include "routes.h"

#include "handlers.h"

#include <stdlib.h>
#include <string.h>

static const char *const kpis_parameters[] = {
    "period", "from", "to", "kpis", "compare", "segment", "channel", "granularity", "format", NULL};
static const char *const kpi_parameters[] = {"period",  "from",        "to", "compare", "segment",
                                             "channel", "granularity", "by", "format",  NULL};

static const char *const scorecard_parameters[] = {"at",      "window", "segment",
                                                   "channel", "format", NULL};
static const char *const cohorts_parameters[] = {"period",  "from",    "to",     "granularity",
                                                 "segment", "channel", "format", NULL};

static const char *const kpi_records_parameters[] = {
    "period", "from", "to", "segment", "channel", "counted", "limit", "cursor", NULL};

static const char *const post_parameters[] = {"atomic", "on_conflict", NULL};

/* Of all kinds; the handler knows which ones have which. */
static const char *const list_parameters[] = {
    "limit",      "cursor",  "format",  "from",     "to",     "customer_id", "type",
    "status",     "segment", "channel", "category", "reason", "topic",       "agent",
    "touchpoint", "aspect",  "owner",   "order",    "at",     NULL};

static const char *const relationship_parameters[] = {"at", NULL};

static const char *const feedback_parameters[] = {
    "limit", "cursor",      "format",      "from",   "to",      "period",
    "q",     "score_class", "customer_id", "type",   "segment", "channel",
    "topic", "agent",       "touchpoint",  "aspect", NULL};
static const char *const terms_parameters[] = {"period",  "from",  "to", "segment",
                                               "channel", "limit", NULL};
static const char *const drivers_parameters[] = {"period",  "from",    "to", "segment",
                                                 "channel", "overall", NULL};

const struct route routes[] = {
    {"/v1/kpis", {{"GET", ACCESS_FIGURES, BODY_NONE, kpis_parameters, handle_kpis}}},
    {"/v1/kpis/{kpi}", {{"GET", ACCESS_FIGURES, BODY_NONE, kpi_parameters, handle_kpi}}},
    {"/v1/kpis/{kpi}/records",
     {{"GET", ACCESS_READ, BODY_NONE, kpi_records_parameters, handle_kpi_records}}},
    {"/v1/scorecard", {{"GET", ACCESS_FIGURES, BODY_NONE, scorecard_parameters, handle_scorecard}}},
    {"/v1/cohorts", {{"GET", ACCESS_FIGURES, BODY_NONE, cohorts_parameters, handle_cohorts}}},
    {"/v1/definitions", {{"GET", ACCESS_READ, BODY_NONE, NULL, handle_definitions}}},
    {"/v1/definitions/{kpi}", {{"GET", ACCESS_READ, BODY_NONE, NULL, handle_definition}}},
    {"/v1/targets", {{"GET", ACCESS_READ, BODY_NONE, NULL, handle_targets}}},
    {"/v1/targets/{kpi}",
     {{"GET", ACCESS_READ, BODY_NONE, NULL, handle_target_get},
      {"PUT", ACCESS_WRITE, BODY_RECORD, NULL, handle_target_put},
      {"DELETE", ACCESS_WRITE, BODY_NONE, NULL, handle_target_delete}}},
    {"/v1/feedback", {{"GET", ACCESS_READ, BODY_NONE, feedback_parameters, handle_feedback}}},
    {"/v1/feedback/terms", {{"GET", ACCESS_READ, BODY_NONE, terms_parameters, handle_terms}}},
    {"/v1/drivers", {{"GET", ACCESS_FIGURES, BODY_NONE, drivers_parameters, handle_drivers}}},
    {"/v1/workspace",
     {{"GET", ACCESS_READ, BODY_NONE, NULL, handle_workspace_get},
      {"PATCH", ACCESS_ADMIN, BODY_PATCH, NULL, handle_workspace_patch}}},
    {"/v1/keys",
     {{"GET", ACCESS_ADMIN, BODY_NONE, NULL, handle_keys_get},
      {"POST", ACCESS_ADMIN, BODY_RECORD, NULL, handle_keys_post}}},
    {"/v1/keys/{id}", {{"DELETE", ACCESS_ADMIN, BODY_NONE, NULL, handle_key_delete}}},
    {"/v1/customers/{id}/relationship",
     {{"GET", ACCESS_READ, BODY_NONE, relationship_parameters, handle_relationship}}},
    {"/v1/{kind}",
     {{"GET", ACCESS_READ, BODY_NONE, list_parameters, handle_list},
      {"POST", ACCESS_SURVEY, BODY_RECORDS, post_parameters, handle_record_post}}},
    {"/v1/{kind}/{id}",
     {{"GET", ACCESS_READ, BODY_NONE, NULL, handle_record_get},
      {"PUT", ACCESS_WRITE, BODY_RECORD, NULL, handle_record_put},
      {"PATCH", ACCESS_WRITE, BODY_PATCH, NULL, handle_record_patch},
      {"DELETE", ACCESS_WRITE, BODY_NONE, NULL, handle_record_delete}}},
    {"/healthz", {{"GET", ACCESS_OPEN, BODY_NONE, NULL, handle_health}}},
    {"/readyz", {{"GET", ACCESS_OPEN, BODY_NONE, NULL, handle_ready}}},
    {"/metrics", {{"GET", ACCESS_OPEN, BODY_NONE, NULL, handle_metrics}}},
    {"/openapi.yaml", {{"GET", ACCESS_OPEN, BODY_NONE, NULL, handle_openapi}}},
};
const size_t route_count = sizeof routes / sizeof routes[0];

bool route_takes(const struct route_method *method, const char *parameter) {
    const char *const *known = method->parameters;
    while (known != NULL && *known != NULL && strcmp(*known, parameter) != 0) {
        known++;
    }
    return known != NULL && *known != NULL;
}

bool access_allows(enum access access, enum scope scope) {
    switch (access) {
    case ACCESS_OPEN:
        return true;
    case ACCESS_FIGURES:
        return scope == SCOPE_FIGURES || scope >= SCOPE_READ;
    case ACCESS_READ:
        return scope >= SCOPE_READ;
    case ACCESS_WRITE:
        return scope >= SCOPE_WRITE;
    case ACCESS_SURVEY:
        return scope >= SCOPE_WRITE || scope == SCOPE_PUBLISHABLE;
    case ACCESS_ADMIN:
        return scope == SCOPE_ADMIN;
    }
    return false;
}

/* Matches raw segments; remembers the kind and where the variable segment lies. */
static bool match(const char *pattern, const char *path, struct call *call, const char **ret_name,
                  size_t *ret_length) {
    while (*pattern != '\0' && *path != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++) {
                return false;
            }
            continue;
        }
        size_t length = strcspn(path, "/");
        if (strncmp(pattern, "{kind}", 6) == 0) {
            call->kind = record_kind_find(path, length);
            if (call->kind == NULL) {
                return false;
            }
        } else {
            *ret_name = path;
            *ret_length = length;
        }
        if (length == 0) {
            return false;
        }
        path += length;
        pattern += strcspn(pattern, "}") + 1;
    }
    return *pattern == '\0' && *path == '\0';
}

enum err route_find(struct call *call, const char *path, const char *method) {
    for (size_t i = 0; i < route_count && call->route == NULL; i++) {
        const char *name = NULL;
        size_t length = 0;
        call->kind = NULL;
        if (!match(routes[i].pattern, path, call, &name, &length)) {
            continue;
        }
        call->route = &routes[i];
        if (name != NULL && !percent_decode(name, length, false, &call->name)) {
            return problem_set(&call->problem, ERR_INVALID_PARAMETER,
                               "The path has a bad escape: %%XX with hexadecimal digits of UTF-8 "
                               "text is allowed.");
        }
    }
    if (call->route == NULL) {
        return problem_set(&call->problem, ERR_NOT_FOUND,
                           "There is nothing at this path; /openapi.yaml lists what there is.");
    }
    for (size_t i = 0; i < ROUTE_METHODS_MAX && call->route->methods[i].name != NULL; i++) {
        const struct route_method *candidate = &call->route->methods[i];
        if (strcmp(candidate->name, method) == 0 ||
            (strcmp(method, "HEAD") == 0 && strcmp(candidate->name, "GET") == 0)) {
            call->method = candidate;
            return ERR_OK;
        }
    }
    return problem_set(
        &call->problem, ERR_METHOD_NOT_ALLOWED,
        "This path does not take that method; the Allow header names those it takes.");
}

void route_write_allow(struct buf *out, const struct route *route) {
    for (size_t i = 0; i < ROUTE_METHODS_MAX && route->methods[i].name != NULL; i++) {
        buf_printf(out, "%s, ", route->methods[i].name);
        if (strcmp(route->methods[i].name, "GET") == 0) {
            buf_add_str(out, "HEAD, ");
        }
    }
    buf_add_str(out, "OPTIONS");
}
