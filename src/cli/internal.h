/* What the commands share: how a call was given, how failures are told, a database session. */
#ifndef VINCULO_CLI_INTERNAL_H
#define VINCULO_CLI_INTERNAL_H

#include "vinculo/buf.h"
#include "vinculo/db.h"
#include "vinculo/settings.h"

#include <stdbool.h>
#include <stddef.h>

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_MISUSED = 2 };
enum { CLI_OPTIONS_MAX = 5, CLI_VALUES_MAX = 32 };

struct cli_option {
    const char *name;  /* without "--"; NULL closes the list */
    const char *value; /* its value's name in the help; NULL: a switch */
    bool required;
    bool repeated;
    const char *help;
};

struct cli_call;

struct cli_command {
    const char *group; /* first word of two, such as "key"; NULL: one word */
    const char *name;
    const char *operand; /* the name of the one operand, which is required; NULL: none */
    const char *summary; /* a sentence */
    const char *notes;   /* further sentences of its own help; NULL: none */
    bool shows_settings; /* its help lists the settings */
    struct cli_option options[CLI_OPTIONS_MAX + 1];
    int (*run)(const struct cli_call *call); /* returns the exit code */
};

/* One command as it was called; all texts are argv's. */
struct cli_call {
    const struct cli_command *command;
    const char *version; /* the program's */
    const char *operand;
    const char *values[CLI_OPTIONS_MAX][CLI_VALUES_MAX]; /* by position in command->options */
    size_t counts[CLI_OPTIONS_MAX];
};

/* How often an option of the command was given. */
size_t cli_count(const struct cli_call *call, const char *option);
/* The first value given, else NULL. */
const char *cli_value(const struct cli_call *call, const char *option);
/* All values given; cli_count says how many. */
const char *const *cli_values(const struct cli_call *call, const char *option);

/* Say what is wrong on stderr, in one sentence, and return the exit code. */
int cli_fail(const char *format, ...) PRINTF_LIKE(1, 2);
int cli_misuse(const struct cli_command *command, const char *format, ...) PRINTF_LIKE(2, 3);

/* Reads the settings; CLI_DONE, or the exit code after saying what is wrong with them. */
MUST_CHECK int cli_settings(struct settings *ret_settings);

/* A connection for the one command of this process. */
struct cli_session {
    struct settings settings;
    struct db *db;
};
#define CLI_SESSION __attribute__((cleanup(cli_session_close))) struct cli_session

enum cli_patience {
    CLI_QUICK,  /* the settings' own timeouts */
    CLI_PATIENT /* a day: for work that grows with the data */
};

/* Connects. CLI_DONE, or the exit code after saying why not. */
MUST_CHECK int cli_session_open(struct cli_session *session, enum cli_patience patience);
/* The same, and the schema must be this program's. */
MUST_CHECK int cli_session_open_current(struct cli_session *session, enum cli_patience patience);
void cli_session_close(struct cli_session *session);
/* Tells what the database refused; returns CLI_FAILED. */
int cli_session_fail(const struct cli_session *session, enum db_status status);

/* The head, then one line per row, columns separated by tabs. */
void cli_print_rows(const char *head, const PGresult *rows);

int cli_serve(const struct cli_call *call);
int cli_migrate(const struct cli_call *call);
int cli_workspace_create(const struct cli_call *call);
int cli_workspace_list(const struct cli_call *call);
int cli_key_create(const struct cli_call *call);
int cli_key_list(const struct cli_call *call);
int cli_key_revoke(const struct cli_call *call);
int cli_rebuild(const struct cli_call *call);
int cli_demo(const struct cli_call *call);
int cli_version(const struct cli_call *call);

#endif
