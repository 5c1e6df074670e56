/* The table of settings and its four uses: reading, checking, --help, the README's table. */
#include "vinculo/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

enum { SECRET_FILE_MAX = 65536 };

#define AT(member) offsetof(struct settings, member)
#define INTEGER(variable, standard, least, most, member, text)                                     \
    {                                                                                              \
        .name = (variable), .type = SETTING_INTEGER, .fallback = (standard), .min = (least),       \
        .max = (most), .offset = AT(member), .help = (text)                                        \
    }
#define TEXT(variable, kind, standard, member, text)                                               \
    {                                                                                              \
        .name = (variable), .type = (kind), .fallback = (standard), .offset = AT(member),          \
        .help = (text)                                                                             \
    }

const struct setting_spec setting_specs[] = {
    TEXT("VINCULO_LISTEN", SETTING_TEXT, "127.0.0.1:8080", listen,
         "Address and port to serve on; [::1]:8080 for IPv6, port 0 for a free one."),
    TEXT("VINCULO_DATABASE_URL", SETTING_SECRET, NULL, database_url,
         "PostgreSQL connection string or URL; may name several hosts."),
    TEXT("VINCULO_READ_DATABASE_URL", SETTING_SECRET, NULL, read_database_url,
         "Where reads go instead, such as a standby; unset: the same database."),
    TEXT("VINCULO_TLS_CERT", SETTING_TEXT, NULL, tls_certificate,
         "Path of the PEM certificate chain; with VINCULO_TLS_KEY turns HTTPS on."),
    TEXT("VINCULO_TLS_KEY", SETTING_TEXT, NULL, tls_key, "Path of the PEM private key."),
    TEXT("VINCULO_LOG_LEVEL", SETTING_LOG_LEVEL, "info", log_level,
         "The least level that is logged: debug, info, warn or error."),
    INTEGER("VINCULO_HTTP_THREADS", "2", 1, 64, http_threads, "Threads that serve connections."),
    INTEGER("VINCULO_CONNECTIONS_MAX", "4096", 1, 1000000, connections_max,
            "Open client connections at most; further ones wait."),
    INTEGER("VINCULO_IDLE_TIMEOUT_S", "60", 1, 3600, idle_timeout_s,
            "Seconds after which a connection without traffic is closed."),
    INTEGER("VINCULO_REQUEST_TIMEOUT_S", "30", 1, 3600, request_timeout_s,
            "Seconds that a client may take to send a request, or the next part of a stream."),
    INTEGER("VINCULO_BODY_MAX_BYTES", "65536", 1024, 1048576, body_max_bytes,
            "Bytes of a single object's body at most."),
    INTEGER("VINCULO_WORKERS", "8", 1, 64, workers,
            "Threads, with a database connection each, for reads and single changes."),
    INTEGER("VINCULO_WORKER_QUEUE_MAX", "1024", 1, 100000, worker_queue_max,
            "Requests that may wait for a worker; beyond, 503."),
    INTEGER("VINCULO_WRITER_QUEUE_MAX", "10000", 1, 1000000, writer_queue_max,
            "Records that may wait for the writer; beyond, 503."),
    INTEGER("VINCULO_WRITER_BATCH_MAX", "500", 1, 5000, writer_batch_max,
            "Records in one transaction at most."),
    INTEGER("VINCULO_DATABASE_TIMEOUT_MS", "10000", 100, 600000, database_timeout_ms,
            "Milliseconds that a statement or a commit may take."),
    INTEGER("VINCULO_LOCK_TIMEOUT_MS", "5000", 10, 600000, lock_timeout_ms,
            "Milliseconds to wait for a workspace's lock, which a rebuild holds."),
    INTEGER("VINCULO_REBUILD_TIMEOUT_MS", "600000", 100, 86400000, rebuild_timeout_ms,
            "Milliseconds that a change of time zone, response window, categories of cost or "
            "language may take: it counts every figure, or indexes every comment, again."),
    INTEGER("VINCULO_SHUTDOWN_TIMEOUT_MS", "10000", 100, 600000, shutdown_timeout_ms,
            "Milliseconds from TERM to exit at most."),
};
const size_t setting_count = sizeof setting_specs / sizeof *setting_specs;

/* Variables with our prefix that others read: whole names, or beginnings where they end in '*'.
 * Kubernetes sets the last two for a service named vinculo. */
static const char *const foreign_variables[] = {"VINCULO_DATA_DIR", "VINCULO_BIN", "VINCULO_TEST_*",
                                                "VINCULO_SERVICE_*", "VINCULO_PORT*"};

static void free_text(char **text) { free(*text); }
#define TEXT_SCOPED __attribute__((cleanup(free_text))) char *

static void close_file(FILE **file) {
    if (*file != NULL)
        fclose(*file);
}

static enum err refuse_memory(struct problem *problem) {
    return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
}

static void file_variable(const struct setting_spec *spec, char ret_name[64]) {
    snprintf(ret_name, 64, "%s_FILE", spec->name);
}

/* The file's content without the line break at its end. */
static enum err read_secret(const char *variable, const char *path, char **ret_text,
                            struct problem *problem) {
    __attribute__((cleanup(close_file))) FILE *file = fopen(path, "re");
    if (file == NULL)
        return problem_add_parameter(problem, ERR_INVALID_PARAMETER, variable,
                                     "%s: cannot read the file: %s", variable, strerror(errno));
    TEXT_SCOPED text = malloc(SECRET_FILE_MAX + 1);
    if (text == NULL)
        return refuse_memory(problem);
    size_t length = fread(text, 1, SECRET_FILE_MAX, file);
    if (ferror(file) || length == SECRET_FILE_MAX || memchr(text, '\0', length) != NULL)
        return problem_add_parameter(problem, ERR_INVALID_PARAMETER, variable,
                                     "%s: the file must be readable text below %d bytes", variable,
                                     SECRET_FILE_MAX);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    text[length] = '\0';
    *ret_text = strdup(text);
    return *ret_text == NULL ? refuse_memory(problem) : ERR_OK;
}

/* An owned copy of the variable's value; NULL where it is unset or empty. */
static enum err read_value(const struct setting_spec *spec, char **ret_text,
                           struct problem *problem) {
    const char *value = getenv(spec->name);
    if (value != NULL && *value == '\0')
        value = NULL;
    *ret_text = NULL;
    if (spec->type == SETTING_SECRET) {
        char variable[64];
        file_variable(spec, variable);
        const char *path = getenv(variable);
        if (path != NULL && *path != '\0') {
            if (value != NULL)
                return problem_add_parameter(problem, ERR_INVALID_PARAMETER, variable,
                                             "set either %s or %s, not both", spec->name, variable);
            return read_secret(variable, path, ret_text, problem);
        }
    }
    if (value == NULL)
        value = spec->fallback;
    if (value == NULL)
        return ERR_OK;
    *ret_text = strdup(value);
    return *ret_text == NULL ? refuse_memory(problem) : ERR_OK;
}

static bool parse_integer(const struct setting_spec *spec, const char *text, int64_t *ret_value) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < spec->min || value > spec->max)
        return false;
    *ret_value = value;
    return true;
}

static enum err load_one(const struct setting_spec *spec, struct settings *settings,
                         struct problem *problem) {
    void *target = (char *)settings + spec->offset;
    TEXT_SCOPED text = NULL;
    enum err err = read_value(spec, &text, problem);
    if (err != ERR_OK)
        return err;
    switch (spec->type) {
    case SETTING_TEXT:
    case SETTING_SECRET:
        *(char **)target = text;
        text = NULL;
        return ERR_OK;
    case SETTING_INTEGER:
        if (parse_integer(spec, text, target))
            return ERR_OK;
        return problem_add_parameter(problem, ERR_INVALID_PARAMETER, spec->name,
                                     "%s must be an integer from %" PRId64 " to %" PRId64
                                     ", not \"%s\"",
                                     spec->name, spec->min, spec->max, text);
    case SETTING_LOG_LEVEL:
        if (log_level_parse(text, target))
            return ERR_OK;
        return problem_add_parameter(problem, ERR_INVALID_PARAMETER, spec->name,
                                     "%s must be debug, info, warn or error, not \"%s\"",
                                     spec->name, text);
    }
    return ERR_OK;
}

static bool names_equal(const char *entry, size_t length, const char *name) {
    return strlen(name) == length && strncmp(entry, name, length) == 0;
}

static bool is_known(const char *entry, size_t length) {
    for (size_t i = 0; i < setting_count; i++) {
        char variable[64];
        file_variable(&setting_specs[i], variable);
        if (names_equal(entry, length, setting_specs[i].name) ||
            (setting_specs[i].type == SETTING_SECRET && names_equal(entry, length, variable)))
            return true;
    }
    for (size_t i = 0; i < sizeof foreign_variables / sizeof *foreign_variables; i++) {
        const char *name = foreign_variables[i];
        size_t stem = strcspn(name, "*");
        bool open_ended = name[stem] == '*';
        if (strncmp(entry, name, stem) == 0 && (open_ended ? length >= stem : length == stem))
            return true;
    }
    return false;
}

static enum err refuse_unknown(struct problem *problem) {
    static const char prefix[] = "VINCULO_";
    enum err result = ERR_OK;
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        size_t length = strcspn(*entry, "=");
        if (strncmp(*entry, prefix, sizeof prefix - 1) != 0 || is_known(*entry, length))
            continue;
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)(length < 127 ? length : 127), *entry);
        result = problem_add_parameter(problem, ERR_UNKNOWN_PARAMETER, name,
                                       "%s is not a setting of this program", name);
    }
    return result;
}

enum err settings_load(struct settings *ret_settings, struct problem *problem) {
    struct settings settings = {0};
    enum err result = refuse_unknown(problem);
    for (size_t i = 0; i < setting_count; i++) {
        enum err err = load_one(&setting_specs[i], &settings, problem);
        if (err != ERR_OK)
            result = err;
    }
    if ((settings.tls_certificate == NULL) != (settings.tls_key == NULL))
        result = problem_add_parameter(problem, ERR_INVALID_PARAMETER, "VINCULO_TLS_KEY",
                                       "set both VINCULO_TLS_CERT and VINCULO_TLS_KEY or neither");
    if (result != ERR_OK) {
        settings_clear(&settings);
        return result;
    }
    *ret_settings = settings;
    return ERR_OK;
}

void settings_clear(struct settings *settings) {
    if (settings == NULL)
        return;
    for (size_t i = 0; i < setting_count; i++) {
        if (setting_specs[i].type == SETTING_TEXT || setting_specs[i].type == SETTING_SECRET)
            free(*(char **)((char *)settings + setting_specs[i].offset));
    }
    *settings = (struct settings){0};
}

void settings_write_help(struct buf *out) {
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting_spec *spec = &setting_specs[i];
        buf_printf(out, "  %-28s %s\n", spec->name, spec->help);
        if (spec->type == SETTING_INTEGER)
            buf_printf(out, "  %-28s Default %s, from %" PRId64 " to %" PRId64 ".\n", "",
                       spec->fallback, spec->min, spec->max);
        else if (spec->fallback != NULL)
            buf_printf(out, "  %-28s Default %s.\n", "", spec->fallback);
        if (spec->type == SETTING_SECRET)
            buf_printf(out, "  %-28s Or a file that holds it: %s_FILE.\n", "", spec->name);
    }
}

void settings_write_markdown(struct buf *out) {
    buf_add_str(out, "| setting | default | from–to | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting_spec *spec = &setting_specs[i];
        buf_printf(out, "| `%s`%s | ", spec->name,
                   spec->type == SETTING_SECRET ? ", or in a file named by `…_FILE`" : "");
        if (spec->fallback != NULL)
            buf_printf(out, "`%s`", spec->fallback);
        buf_add_str(out, " | ");
        if (spec->type == SETTING_INTEGER)
            buf_printf(out, "%" PRId64 "–%" PRId64, spec->min, spec->max);
        buf_printf(out, " | %s |\n", spec->help);
    }
}
