/* vinculo demo. */
#include "internal.h"

#include "vinculo/embedded.h"

#include <stdio.h>

static enum db_status make_demo(struct db *db, void *context) {
    (void)context;
    return db_query(db, embedded_demo[0].text, 0, NULL, NULL);
}

int cli_demo(const struct cli_call *call) {
    (void)call;
    CLI_SESSION session = {0};
    int code = cli_session_open_current(&session, CLI_PATIENT);
    if (code != CLI_DONE)
        return code;
    DB_RESULT *found = NULL;
    enum db_status status =
        db_query(session.db, "SELECT FROM workspace WHERE name = 'demo'", 0, NULL, &found);
    if (status == DB_OK && PQntuples(found) > 0)
        return cli_fail("there is a workspace \"demo\" already");
    if (status == DB_OK)
        status = db_transaction(session.db, DB_WRITE, make_demo, NULL);
    if (status != DB_OK)
        return cli_session_fail(&session, status);
    printf("demo\n");
    return CLI_DONE;
}
