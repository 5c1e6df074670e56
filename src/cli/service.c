/* vinculo serve, vinculo migrate. */
#include "internal.h"

#include "vinculo/migrate.h"
#include "vinculo/serve.h"

#include <stdio.h>

int cli_serve(const struct cli_call *call) {
    (void)call;
    struct settings settings;
    int code = cli_settings(&settings);
    if (code != CLI_DONE)
        return code;
    code = serve(&settings);
    settings_clear(&settings);
    return code;
}

static void print_applied(const char *name, void *context) {
    (void)context;
    printf("applied %s\n", name);
    fflush(stdout);
}

int cli_migrate(const struct cli_call *call) {
    (void)call;
    CLI_SESSION session = {0};
    int code = cli_session_open(&session, CLI_PATIENT);
    if (code != CLI_DONE)
        return code;
    struct problem problem = {0};
    if (migrate_run(session.db, print_applied, NULL, &problem) != ERR_OK)
        code = cli_fail("%s", problem.detail);
    else
        printf("schema version %d\n", migrate_version());
    problem_clear(&problem);
    return code;
}
