/* vinculo workspace create, list. */
#include "internal.h"

#include "vinculo/workspace_store.h"

#include <stdio.h>
#include <string.h>

static const char CREATE[] = "INSERT INTO workspace (name, timezone, currency, language)"
                             " VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING RETURNING id";
static const char LIST[] = "SELECT name, timezone, currency, language,"
                           " to_char(created_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
                           " FROM workspace ORDER BY name";

static const char *value_or(const char *value, const char *fallback) {
    return value != NULL ? value : fallback;
}

static int check_zone(struct cli_session *session, const struct cli_call *call, const char *zone) {
    char name[TIMEZONE_TEXT_MAX];
    enum db_status status = workspace_store_find_zone(session->db, zone, name);
    if (status != DB_OK && status != DB_STOP)
        return cli_session_fail(session, status);
    if (status == DB_STOP)
        return cli_misuse(call->command,
                          "\"%s\" is not a time zone: give an IANA name such as America/Sao_Paulo",
                          zone);
    if (strcmp(name, zone) != 0)
        return cli_misuse(call->command, "\"%s\" is not a time zone, but \"%s\" is", zone, name);
    return CLI_DONE;
}

int cli_workspace_create(const struct cli_call *call) {
    const char *zone = value_or(cli_value(call, "timezone"), "UTC");
    const char *currency = value_or(cli_value(call, "currency"), "BRL");
    const char *language = value_or(cli_value(call, "language"), "pt");
    if (!name_is_valid(call->operand))
        return cli_misuse(call->command,
                          "a name has 1 to 64 characters, none of them a control character");
    if (!currency_is_valid(currency))
        return cli_misuse(call->command,
                          "\"%s\" is not a currency: give three capital letters, such as BRL",
                          currency);
    if (!language_is_valid(language))
        return cli_misuse(call->command, "\"%s\" is not a language here: give pt or en", language);
    CLI_SESSION session = {0};
    int code = cli_session_open_current(&session, CLI_QUICK);
    if (code == CLI_DONE)
        code = check_zone(&session, call, zone);
    if (code != CLI_DONE)
        return code;
    DB_RESULT *made = NULL;
    enum db_status status = db_query(
        session.db, CREATE, 4, (const char *[]){call->operand, zone, currency, language}, &made);
    if (status != DB_OK)
        return cli_session_fail(&session, status);
    if (PQntuples(made) == 0)
        return cli_fail("there is a workspace \"%s\" already: choose another name", call->operand);
    printf("%s\n", call->operand);
    return CLI_DONE;
}

int cli_workspace_list(const struct cli_call *call) {
    (void)call;
    CLI_SESSION session = {0};
    int code = cli_session_open_current(&session, CLI_QUICK);
    if (code != CLI_DONE)
        return code;
    DB_RESULT *rows = NULL;
    enum db_status status = db_query(session.db, LIST, 0, NULL, &rows);
    if (status != DB_OK)
        return cli_session_fail(&session, status);
    cli_print_rows("name\ttimezone\tcurrency\tlanguage\tcreated_at", rows);
    return CLI_DONE;
}
