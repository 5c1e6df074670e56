/*
 * Settings: environment variables from one table, which also yields `--help` and the README's
 * table. Secrets may come from a file named by NAME_FILE.
 */
#ifndef VINCULO_SETTINGS_H
#define VINCULO_SETTINGS_H

#include "vinculo/buf.h"
#include "vinculo/err.h"
#include "vinculo/log.h"

#include <stdint.h>

struct settings {
    char *listen;            /* owned, as all texts here */
    char *database_url;      /* libpq connection string or URL; NULL: not set */
    char *read_database_url; /* NULL: the same */
    char *tls_certificate;   /* NULL: plain HTTP */
    char *tls_key;
    enum log_level log_level;
    int64_t http_threads;
    int64_t connections_max;
    int64_t idle_timeout_s;
    int64_t request_timeout_s;
    int64_t body_max_bytes;      /* single objects */
    int64_t workers;             /* threads with a connection each for reads and single changes */
    int64_t worker_queue_max;    /* requests that wait for a worker */
    int64_t writer_queue_max;    /* records that wait for the writer */
    int64_t writer_batch_max;    /* records in one transaction */
    int64_t database_timeout_ms; /* one statement, and a commit */
    int64_t lock_timeout_ms;     /* waiting for a workspace's lock (a rebuild holds it) */
    int64_t rebuild_timeout_ms;  /* a change that all figures or comments of a workspace follow */
    int64_t shutdown_timeout_ms; /* from TERM to exit */
};

enum setting_type { SETTING_TEXT, SETTING_SECRET, SETTING_INTEGER, SETTING_LOG_LEVEL };

struct setting_spec {
    const char *name; /* VINCULO_… */
    enum setting_type type;
    const char *fallback; /* default as text; NULL: none */
    int64_t min, max;     /* integers */
    size_t offset;        /* in struct settings */
    const char *help;     /* one sentence with the unit */
};

extern const struct setting_spec setting_specs[];
extern const size_t setting_count;

/* Reads the environment. All wrong values are reported in one problem. Unknown VINCULO_ variables
 * are named, too, as they are usually typing errors (VINCULO_DATA_DIR is scripts/run's). */
MUST_CHECK enum err settings_load(struct settings *ret_settings, struct problem *problem);
void settings_clear(struct settings *settings);
/* The table as plain text for --help, or as a Markdown table for the README. */
void settings_write_help(struct buf *out);
void settings_write_markdown(struct buf *out);

#endif
