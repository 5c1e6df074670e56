/* Settings and the connection of one command, and how their failures are told. */
#include "internal.h"

#include "vinculo/migrate.h"

#include <stdio.h>

enum { DAY_MS = 24 * 60 * 60 * 1000 };

int cli_settings(struct settings *ret_settings) {
    struct problem problem = {0};
    struct settings settings = {0};
    if (settings_load(&settings, &problem) != ERR_OK) {
        for (size_t i = 0; i < problem.error_count; i++)
            cli_fail("%s", problem.errors[i].detail);
        if (problem.error_count == 0)
            cli_fail("%s", problem.detail);
        problem_clear(&problem);
        return CLI_FAILED;
    }
    if (settings.database_url == NULL) {
        settings_clear(&settings);
        return cli_fail("set VINCULO_DATABASE_URL to the PostgreSQL database, such as "
                        "postgresql://user@host/vinculo");
    }
    *ret_settings = settings;
    return CLI_DONE;
}

int cli_session_open(struct cli_session *session, enum cli_patience patience) {
    int code = cli_settings(&session->settings);
    if (code != CLI_DONE)
        return code;
    const struct settings *settings = &session->settings;
    bool patient = patience == CLI_PATIENT;
    struct db_options options = {
        .url = settings->database_url,
        .read_write = true,
        .timeout_ms = patient ? DAY_MS : (int)settings->database_timeout_ms,
        .lock_timeout_ms = patient ? DAY_MS : (int)settings->lock_timeout_ms,
    };
    session->db = db_new(&options);
    if (session->db == NULL)
        return cli_fail("out of memory");
    enum db_status status = db_ready(session->db);
    return status == DB_OK ? CLI_DONE : cli_session_fail(session, status);
}

int cli_session_open_current(struct cli_session *session, enum cli_patience patience) {
    int code = cli_session_open(session, patience);
    struct problem problem = {0};
    if (code == CLI_DONE && migrate_check(session->db, &problem) != ERR_OK)
        code = cli_fail("%s", problem.detail);
    problem_clear(&problem);
    return code;
}

void cli_session_close(struct cli_session *session) {
    db_free(session->db);
    settings_clear(&session->settings);
}

int cli_session_fail(const struct cli_session *session, enum db_status status) {
    const char *message = db_message(session->db);
    switch (status) {
    case DB_LOST:
        return cli_fail("the database cannot be reached or broke off: %s", message);
    case DB_LOCKED:
    case DB_RETRY:
        return cli_fail("the database is busy (%s); try again", message);
    default:
        return cli_fail("the database refused: %s (SQLSTATE %s)", message,
                        db_sqlstate(session->db));
    }
}

void cli_print_rows(const char *head, const PGresult *rows) {
    puts(head);
    for (int row = 0; row < PQntuples(rows); row++) {
        for (int column = 0; column < PQnfields(rows); column++)
            printf("%s%s", column == 0 ? "" : "\t", PQgetvalue(rows, row, column));
        putchar('\n');
    }
}
