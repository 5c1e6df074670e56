/* Log lines. A line is built in memory and leaves in one write, so that threads do not mix. */
#include "vinculo/log.h"

#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

static atomic_int least_level = LOG_INFO;

void log_set_level(enum log_level level) { atomic_store(&least_level, (int)level); }

bool log_level_parse(const char *text, enum log_level *ret_level) {
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_enabled(enum log_level level) {
    return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

static void put_field(struct buf *line, const struct log_field *field) {
    json_key(line, field->name);
    switch (field->type) {
    case LOG_TEXT:
        json_put_text(line, field->text);
        break;
    case LOG_INTEGER:
        json_put_int(line, field->integer);
        break;
    case LOG_REAL:
        json_put_decimal(line, field->real);
        break;
    case LOG_END:
        break;
    }
}

static void write_all(int fd, const char *data, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written < 0 && errno != EINTR)
            return; /* nowhere left to complain */
        if (written > 0) {
            data += written;
            length -= (size_t)written;
        }
    }
}

void log_write(enum log_level level, const char *event, const struct log_field *fields) {
    if (!log_enabled(level))
        return;
    char now[TIMESTAMP_TEXT_MAX];
    timestamp_format(timestamp_now(), now);
    BUF_SCOPED line = {0};
    json_begin_object(&line);
    json_key(&line, "time");
    json_put_text(&line, now);
    json_key(&line, "level");
    json_put_text(&line, level_names[level]);
    json_key(&line, "event");
    json_put_text(&line, event);
    for (const struct log_field *field = fields; field->type != LOG_END; field++)
        put_field(&line, field);
    json_end_object(&line);
    buf_add_char(&line, '\n');
    if (buf_ok(&line))
        write_all(STDERR_FILENO, line.data, line.length);
}
