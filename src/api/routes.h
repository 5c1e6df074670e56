/*
 * The table of routes: patterns, methods, who may, which parameters, which handler. Routing, 405's
 * Allow, the check of scopes and of unknown parameters all come from it.
 */
#ifndef VINCULO_API_ROUTES_H
#define VINCULO_API_ROUTES_H

#include "call.h"

enum access {
    ACCESS_OPEN,    /* no key */
    ACCESS_FIGURES, /* figures, read, write, admin */
    ACCESS_READ,    /* read, write, admin */
    ACCESS_WRITE,   /* write, admin */
    ACCESS_SURVEY,  /* write, admin; publishable for one survey */
    ACCESS_ADMIN
};

/* How a body may arrive. */
enum body {
    BODY_NONE,
    BODY_RECORD,  /* one JSON object */
    BODY_RECORDS, /* one JSON object, or many as an array, NDJSON or CSV */
    BODY_PATCH    /* JSON merge patch */
};

struct route_method {
    const char *name;
    enum access access;
    enum body body;
    const char *const *parameters;               /* NULL-terminated; NULL: none */
    enum http_next (*handle)(struct call *call); /* body complete; HTTP_REPLY or HTTP_WAIT */
};

enum { ROUTE_METHODS_MAX = 4 };

struct route {
    const char *pattern; /* {kind} is a collection, {id} and {kpi} any one segment */
    struct route_method methods[ROUTE_METHODS_MAX];
};

extern const struct route routes[];
extern const size_t route_count;

/* Finds route, kind and name of a raw path and the method. ERR_NOT_FOUND, ERR_METHOD_NOT_ALLOWED,
 * ERR_INVALID_PARAMETER (bad escapes), ERR_UNAVAILABLE (memory); sets call->problem. */
enum err route_find(struct call *call, const char *path, const char *method);
/* "GET, PUT, …" plus HEAD and OPTIONS. */
void route_write_allow(struct buf *out, const struct route *route);
bool route_takes(const struct route_method *method, const char *parameter);
bool access_allows(enum access access, enum scope scope);

/* Percent-decoding, strict: %XX only, no NUL, valid UTF-8. False where the text is not that.
 * plus: '+' means space (query strings). */
bool percent_decode(const char *text, size_t length, bool plus, char **ret_text);
void percent_encode(struct buf *out, const char *text);
/* Splits and decodes the query string into call->parameters and checks names against the method's
 * list. */
enum err query_parse(struct call *call, const char *query);

#endif
