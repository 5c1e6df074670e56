/* Log lines: shape, escapes, levels. */
#include "vinculo/log.h"

#include "vinculo/timestamp.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

/* Standard error goes into a pipe; returns its reading end. */
static int capture_stderr(void) {
    int ends[2];
    cr_assert(pipe(ends) == 0);
    cr_assert(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    close(ends[1]);
    return ends[0];
}

Test(log, writes_one_json_object_a_line) {
    int fd = capture_stderr();
    log_event(LOG_WARN, "commit_failed", LOG_STR("reason", "line\nbreak \"quoted\""),
              LOG_INT("records", -5), LOG_NUM("seconds", 0.25), LOG_STR("nothing", NULL));
    char line[1024] = "";
    ssize_t length = read(fd, line, sizeof line - 1);
    cr_assert(length > 0 && line[length - 1] == '\n');
    cr_assert(strchr(line, '\n') == line + length - 1, "a line break inside");
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    const char *time = "", *level = "", *event = "", *reason = "";
    json_int_t records = 0;
    double seconds = 0;
    cr_assert(json_unpack(object, "{s:s,s:s,s:s,s:s,s:I,s:f,s:n}", "time", &time, "level", &level,
                          "event", &event, "reason", &reason, "records", &records, "seconds",
                          &seconds, "nothing") == 0);
    int64_t us;
    cr_assert(timestamp_parse(time, strlen(time), &us));
    cr_assert_str_eq(level, "warn");
    cr_assert_str_eq(event, "commit_failed");
    cr_assert_str_eq(reason, "line\nbreak \"quoted\"");
    cr_assert(records == -5 && seconds == 0.25);
    json_decref(object);
}

Test(log, leaves_out_lines_below_the_level) {
    int fd = capture_stderr();
    log_set_level(LOG_ERROR);
    cr_assert(log_enabled(LOG_ERROR) && !log_enabled(LOG_WARN));
    log_event(LOG_WARN, "hidden");
    log_event(LOG_ERROR, "shown");
    char line[256] = "";
    cr_assert(read(fd, line, sizeof line - 1) > 0);
    cr_assert(strstr(line, "shown") != NULL && strstr(line, "hidden") == NULL);
}

Test(log, knows_its_levels) {
    enum log_level level;
    cr_assert(log_level_parse("debug", &level) && level == LOG_DEBUG);
    cr_assert(log_level_parse("error", &level) && level == LOG_ERROR);
    cr_assert(!log_level_parse("ERROR", &level));
    cr_assert(!log_level_parse("", &level));
}
