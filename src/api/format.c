/* Choosing an answer's format (RFC 9110, 12.5.1). */
#include "format.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name; /* format= */
    const char *type; /* Accept */
    const char *content_type;
} formats[FORMAT_COUNT] = {
    [FORMAT_JSON] = {"json", "application/json", "application/json"},
    [FORMAT_NDJSON] = {"ndjson", "application/x-ndjson", "application/x-ndjson"},
    [FORMAT_CSV] = {"csv", "text/csv", "text/csv; charset=utf-8; header=present"},
};

const char *format_type(enum format format) { return formats[format].content_type; }

/* One media range of an Accept header. */
struct range {
    const char *type;
    size_t length;
    double quality;
};

/* Takes the next range from a comma-separated list; false at its end. */
static bool next_range(const char **list, struct range *ret_range) {
    const char *at = *list + strspn(*list, " \t,");
    if (*at == '\0') {
        return false;
    }
    *ret_range = (struct range){.type = at, .length = strcspn(at, " \t,;"), .quality = 1};
    const char *end = at + strcspn(at, ",");
    for (const char *c = at; (c = memchr(c, ';', (size_t)(end - c))) != NULL;) {
        c += 1 + strspn(c + 1, " \t");
        if (strncasecmp(c, "q=", 2) == 0) {
            ret_range->quality = strtod(c + 2, NULL);
        }
    }
    *list = end;
    return true;
}

/* 3 for the type itself, 2 for its family, 1 for anything, 0 for no match. A JSON type of any
 * kind stands for JSON: clients that read problem+json read JSON. */
static int closeness(const struct range *range, enum format format) {
    const char *type = formats[format].type;
    size_t family = strcspn(type, "/") + 1;
    if (range->length == strlen(type) && strncasecmp(range->type, type, range->length) == 0) {
        return 3;
    }
    if (format == FORMAT_JSON && range->length > 5 &&
        strncasecmp(range->type + range->length - 5, "+json", 5) == 0) {
        return 3;
    }
    if (range->length == family + 1 && range->type[family] == '*' &&
        strncasecmp(range->type, type, family) == 0) {
        return 2;
    }
    return range->length == 3 && memcmp(range->type, "*/*", 3) == 0 ? 1 : 0;
}

/* How much the header wants a format: its closest range's quality; among equal ones the closer
 * match. 0: not at all. */
static double preference(const char *accept, enum format format) {
    struct range range;
    int closest = 0;
    double quality = 0;
    while (next_range(&accept, &range)) {
        int close = closeness(&range, format);
        if (close > closest) {
            closest = close;
            quality = range.quality;
        }
    }
    return quality > 0 ? quality + closest * 1e-6 : 0;
}

static enum err unknown_format(struct call *call, unsigned offered) {
    BUF_SCOPED names = {0};
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if ((offered & 1U << i) != 0) {
            buf_printf(&names, "%s%s", names.length > 0 ? ", " : "", formats[i].name);
        }
    }
    return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "format", "Allowed: %s.",
                                 buf_text(&names));
}

static enum err not_acceptable(struct call *call, unsigned offered) {
    BUF_SCOPED types = {0};
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if ((offered & 1U << i) != 0) {
            buf_printf(&types, "%s%s", types.length > 0 ? ", " : "", formats[i].type);
        }
    }
    return problem_set(&call->problem, ERR_NOT_ACCEPTABLE, "The answer can be %s.",
                       buf_text(&types));
}

enum err format_choose(struct call *call, unsigned offered, enum format *ret_format) {
    const char *name = call_parameter(call, "format");
    const char *accept = http_request_header(call->request, "Accept");
    double best = 0;
    if (name == NULL && (accept == NULL || *accept == '\0')) {
        *ret_format = FORMAT_JSON;
        return ERR_OK;
    }
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if ((offered & 1U << i) == 0) {
            continue;
        }
        double wanted =
            name == NULL ? preference(accept, (enum format)i) : strcmp(name, formats[i].name) == 0;
        if (wanted > best) {
            best = wanted;
            *ret_format = (enum format)i;
        }
    }
    if (best > 0) {
        return ERR_OK;
    }
    return name != NULL ? unknown_format(call, offered) : not_acceptable(call, offered);
}
