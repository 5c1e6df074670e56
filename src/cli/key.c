/* vinculo key create, list, revoke. */
#include "internal.h"

#include "vinculo/keyring.h"
#include "vinculo/timestamp.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HASH_HEX = 2 * KEY_HASH_BYTES + 1, KNOWN_EVERYWHERE_MS = 100 };

/* Origins have no spaces. */
static const char CREATE[] =
    "INSERT INTO api_key (workspace_id, hash, scope, name, origins, expires_at)"
    " SELECT id, decode($2, 'hex'), $3, $4, string_to_array($5, ' '), $6::timestamptz"
    " FROM workspace WHERE name = $1 RETURNING id";
static const char LIST[] =
    "SELECT k.id, w.name, k.scope, coalesce(k.name, ''), array_to_string(k.origins, ' '),"
    " coalesce(to_char(k.expires_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''),"
    " to_char(k.created_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    " FROM api_key k JOIN workspace w ON w.id = k.workspace_id"
    " WHERE $1::text IS NULL OR w.name = $1 ORDER BY w.name, k.created_at, k.id";
static const char REVOKE[] = "DELETE FROM api_key WHERE id = $1::uuid RETURNING id";

static int check_origins(const struct cli_call *call, enum scope scope, struct buf *ret_list) {
    size_t count = cli_count(call, "origin");
    const char *const *origins = cli_values(call, "origin");
    if (count > 0 && scope != SCOPE_FIGURES && scope != SCOPE_PUBLISHABLE)
        return cli_misuse(call->command, "--origin goes with the scopes figures and publishable: "
                                         "other keys may not stand in a page");
    for (size_t i = 0; i < count; i++) {
        if (!origin_is_valid(origins[i]))
            return cli_misuse(call->command,
                              "\"%s\" is not an origin: give scheme and host without a path, such "
                              "as https://example.com, http://localhost:3000 or "
                              "https://*.example.com",
                              origins[i]);
        buf_printf(ret_list, "%s%s", i == 0 ? "" : " ", origins[i]);
    }
    return CLI_DONE;
}

/* Writes the moment in UTC. */
static int check_expiry(const struct cli_call *call, const char *text,
                        char ret_text[TIMESTAMP_TEXT_MAX]) {
    int64_t expires_us;
    if (!timestamp_parse(text, strlen(text), &expires_us))
        return cli_misuse(call->command,
                          "\"%s\" is not a moment: give RFC 3339 with an offset, such as "
                          "2027-01-31T00:00:00Z",
                          text);
    if (expires_us <= timestamp_now())
        return cli_misuse(call->command, "\"%s\" is in the past", text);
    timestamp_format(expires_us, ret_text);
    return CLI_DONE;
}

static int store_key(const struct cli_call *call, const char *origins, const char *expires) {
    CLI_SESSION session = {0};
    int code = cli_session_open_current(&session, CLI_QUICK);
    if (code != CLI_DONE)
        return code;
    char key[KEY_TEXT_MAX], hex[HASH_HEX];
    unsigned char hash[KEY_HASH_BYTES];
    key_make(key);
    key_hash(key, strlen(key), hash);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    const char *workspace = cli_value(call, "workspace");
    const char *values[] = {workspace, hex,    cli_value(call, "scope"), cli_value(call, "name"),
                            origins,   expires};
    DB_RESULT *made = NULL;
    enum db_status status = db_query(session.db, CREATE, 6, values, &made);
    if (status != DB_OK)
        return cli_session_fail(&session, status);
    if (PQntuples(made) == 0)
        return cli_fail("there is no workspace \"%s\": `vinculo workspace list` shows them",
                        workspace);
    /* Running instances know the key within this time: whoever reads it can use it at once. */
    nanosleep(&(struct timespec){.tv_nsec = KNOWN_EVERYWHERE_MS * 1000000L}, NULL);
    printf("%s\n", key);
    return CLI_DONE;
}

int cli_key_create(const struct cli_call *call) {
    enum scope scope;
    if (!scope_parse(cli_value(call, "scope"), &scope))
        return cli_misuse(call->command,
                          "\"%s\" is not a scope: give read, write, admin, figures or publishable",
                          cli_value(call, "scope"));
    const char *name = cli_value(call, "name");
    if (name != NULL && !cli_is_name(name))
        return cli_misuse(call->command,
                          "a name has 1 to 64 characters, none of them a control character");
    BUF_SCOPED origins = {0};
    int code = check_origins(call, scope, &origins);
    const char *expires = cli_value(call, "expires");
    char expires_text[TIMESTAMP_TEXT_MAX];
    if (code == CLI_DONE && expires != NULL) {
        code = check_expiry(call, expires, expires_text);
        expires = expires_text;
    }
    if (code == CLI_DONE && !buf_ok(&origins))
        code = cli_fail("out of memory");
    return code == CLI_DONE ? store_key(call, buf_text(&origins), expires) : code;
}

int cli_key_list(const struct cli_call *call) {
    CLI_SESSION session = {0};
    int code = cli_session_open_current(&session, CLI_QUICK);
    if (code != CLI_DONE)
        return code;
    const char *workspace = cli_value(call, "workspace");
    DB_RESULT *rows = NULL;
    enum db_status status = db_query(session.db, LIST, 1, &workspace, &rows);
    if (status != DB_OK)
        return cli_session_fail(&session, status);
    cli_print_rows("id\tworkspace\tscope\tname\torigins\texpires_at\tcreated_at", rows);
    return CLI_DONE;
}

/* As `vinculo key list` prints it. */
static bool is_uuid(const char *text) {
    static const char PATTERN[] = "00000000-0000-0000-0000-000000000000";
    if (strlen(text) != sizeof PATTERN - 1)
        return false;
    for (size_t i = 0; i < sizeof PATTERN - 1; i++) {
        if ((PATTERN[i] == '-') != (text[i] == '-') ||
            strchr("0123456789abcdefABCDEF-", text[i]) == NULL)
            return false;
    }
    return true;
}

int cli_key_revoke(const struct cli_call *call) {
    if (!is_uuid(call->operand))
        return cli_misuse(call->command, "\"%s\" is not a key's id: `vinculo key list` shows them",
                          call->operand);
    CLI_SESSION session = {0};
    int code = cli_session_open_current(&session, CLI_QUICK);
    if (code != CLI_DONE)
        return code;
    DB_RESULT *gone = NULL;
    enum db_status status = db_query(session.db, REVOKE, 1, &call->operand, &gone);
    if (status != DB_OK)
        return cli_session_fail(&session, status);
    if (PQntuples(gone) == 0)
        return cli_fail("there is no key %s: `vinculo key list` shows them", call->operand);
    return CLI_DONE;
}
