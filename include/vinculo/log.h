/*
 * Log lines: one JSON object a line on stderr, {"time","level","event",…}. Only callers that
 * decide log; low layers return errors. Never hand over bodies, ids or names of persons, query
 * values or keys. Safe from any thread.
 */
#ifndef VINCULO_LOG_H
#define VINCULO_LOG_H

#include "vinculo/err.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* One member of the line beyond time, level and event. */
struct log_field {
    const char *name;
    enum { LOG_END, LOG_TEXT, LOG_INTEGER, LOG_REAL } type;
    const char *text;
    int64_t integer;
    double real;
};

#define LOG_STR(n, v) ((struct log_field){.name = (n), .type = LOG_TEXT, .text = (v)})
#define LOG_INT(n, v) ((struct log_field){.name = (n), .type = LOG_INTEGER, .integer = (v)})
#define LOG_NUM(n, v) ((struct log_field){.name = (n), .type = LOG_REAL, .real = (v)})

void log_set_level(enum log_level level);
bool log_level_parse(const char *text, enum log_level *ret_level); /* debug info warn error */
bool log_enabled(enum log_level level);

/* fields: an array closed by an entry of type LOG_END; use the log_event macro. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

#define log_event(level, event, ...)                                                               \
    log_write((level), (event),                                                                    \
              (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.type = LOG_END}})

#endif
