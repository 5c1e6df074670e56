/* vinculo key create, list, revoke. */
#include "internal.h"

#include "vinculo/key_store.h"
#include "vinculo/timestamp.h"
#include "vinculo/workspace_store.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { KNOWN_EVERYWHERE_MS = 100 };

static int check_origins(const struct cli_call *call, enum scope scope, struct buf *ret_list) {
    size_t count = cli_count(call, "origin");
    const char *const *origins = cli_values(call, "origin");
    if (count > 0 && !key_scope_has_origins(scope))
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

static int store_key(const struct cli_call *call, struct new_key *key) {
    CLI_SESSION session = {0};
    int code = cli_session_open_current(&session, CLI_QUICK);
    if (code != CLI_DONE)
        return code;
    const char *workspace = cli_value(call, "workspace");
    enum db_status status = workspace_store_find(session.db, workspace, &key->workspace_id);
    if (status == DB_STOP)
        return cli_fail("there is no workspace \"%s\": `vinculo workspace list` shows them",
                        workspace);
    char text[KEY_TEXT_MAX];
    DB_RESULT *row = NULL;
    if (status == DB_OK)
        status = key_store_create(session.db, key, text, &row);
    if (status == DB_STOP)
        return cli_fail("the workspace has %d keys already: revoke some that are not used",
                        KEYS_PER_WORKSPACE_MAX);
    if (status != DB_OK)
        return cli_session_fail(&session, status);
    /* Running instances know the key within this time: whoever reads it can use it at once. */
    nanosleep(&(struct timespec){.tv_nsec = KNOWN_EVERYWHERE_MS * 1000000L}, NULL);
    printf("%s\n", text);
    return CLI_DONE;
}

int cli_key_create(const struct cli_call *call) {
    enum scope scope;
    if (!scope_parse(cli_value(call, "scope"), &scope))
        return cli_misuse(call->command,
                          "\"%s\" is not a scope: give read, write, admin, figures or publishable",
                          cli_value(call, "scope"));
    const char *name = cli_value(call, "name");
    if (name != NULL && !name_is_valid(name))
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
    struct new_key key = {
        .scope = scope, .name = name, .origins = buf_text(&origins), .expires_at = expires};
    return code == CLI_DONE ? store_key(call, &key) : code;
}

int cli_key_list(const struct cli_call *call) {
    CLI_SESSION session = {0};
    int code = cli_session_open_current(&session, CLI_QUICK);
    if (code != CLI_DONE)
        return code;
    const char *workspace = cli_value(call, "workspace");
    DB_RESULT *rows = NULL;
    int id = 0;
    enum db_status status = DB_OK;
    if (workspace != NULL)
        status = workspace_store_find(session.db, workspace, &id);
    if (status == DB_STOP)
        return cli_fail("there is no workspace \"%s\": `vinculo workspace list` shows them",
                        workspace);
    if (status == DB_OK)
        status = key_store_list(session.db, id, &rows);
    if (status != DB_OK)
        return cli_session_fail(&session, status);
    cli_print_rows("id\tworkspace\tscope\tname\torigins\texpires_at\tcreated_at", rows);
    return CLI_DONE;
}

int cli_key_revoke(const struct cli_call *call) {
    if (!key_id_is_valid(call->operand))
        return cli_misuse(call->command, "\"%s\" is not a key's id: `vinculo key list` shows them",
                          call->operand);
    CLI_SESSION session = {0};
    int code = cli_session_open_current(&session, CLI_QUICK);
    if (code != CLI_DONE)
        return code;
    enum db_status status = key_store_delete(session.db, 0, call->operand);
    if (status == DB_STOP)
        return cli_fail("there is no key %s: `vinculo key list` shows them", call->operand);
    return status == DB_OK ? CLI_DONE : cli_session_fail(&session, status);
}
