/* The table of commands, and what is derived from it: finding one, reading its options, help. */
#include "vinculo/cli.h"

#include "internal.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WORKSPACE(is_required, text)                                                               \
    { .name = "workspace", .value = "W", .required = (is_required), .help = (text) }

static const struct cli_command commands[] = {
    {.name = "serve",
     .summary = "Serves the HTTP API until TERM or Ctrl-C, then ends in order.",
     .notes = "Prints `ready http://ADDRESS:PORT` when it takes requests; logs go to stderr, one "
              "JSON object a line.\nThe database must have been migrated by this program.",
     .shows_settings = true,
     .run = cli_serve},
    {.name = "migrate",
     .summary = "Brings the database to this program's schema.",
     .notes = "Safe to run from several places at once. There is no way back to an older schema.",
     .run = cli_migrate},
    {.group = "workspace",
     .name = "create",
     .operand = "NAME",
     .summary = "Makes a workspace: a tenant with its own records and keys.",
     .options = {{.name = "timezone", .value = "Z", .help = "IANA time zone (default UTC)"},
                 {.name = "currency", .value = "C", .help = "ISO 4217 code (default BRL)"},
                 {.name = "language", .value = "L", .help = "pt (default) or en: of its texts"}},
     .run = cli_workspace_create},
    {.group = "workspace",
     .name = "list",
     .summary = "Lists the workspaces, one a line, columns separated by tabs.",
     .run = cli_workspace_list},
    {.group = "key",
     .name = "create",
     .summary = "Makes a key and prints it alone: it cannot be shown again.",
     .notes = "Running services know it at once.",
     .options =
         {WORKSPACE(true, "the workspace that it opens"),
          {.name = "scope",
           .value = "S",
           .required = true,
           .help = "read, write, admin, figures (KPIs only) or publishable (posts answers only)"},
          {.name = "origin",
           .value = "O",
           .repeated = true,
           .help = "origin that a figures or publishable key is for, such as https://example.com\n"
                   "                   or https://*.example.com (default: any)"},
          {.name = "name", .value = "N", .help = "what the key is for"},
          {.name = "expires",
           .value = "T",
           .help = "when it ends, such as 2027-01-31T00:00:00Z (default: never)"}},
     .run = cli_key_create},
    {.group = "key",
     .name = "list",
     .summary = "Lists the keys (never their text), one a line, columns separated by tabs.",
     .options = {WORKSPACE(false, "of this workspace alone")},
     .run = cli_key_list},
    {.group = "key",
     .name = "revoke",
     .operand = "ID",
     .summary = "Ends a key at once; `vinculo key list` shows the ids.",
     .run = cli_key_revoke},
    {.name = "rebuild",
     .summary = "Recomputes everything that is derived from the records.",
     .notes = "Readers see the former figures until a workspace is done; its writers wait. With "
              "--check, exit code 1 says that cells differ.",
     .options = {{.name = "check",
                  .help = "change nothing: compare, and print the cells that differ"},
                 WORKSPACE(false, "of this workspace alone")},
     .run = cli_rebuild},
    {.name = "demo",
     .summary = "Makes the workspace `demo` with a year of sample data.",
     .notes = "The data is the same on every run; only its calendar ends with today. About 11,000 "
              "records.",
     .run = cli_demo},
    {.name = "version", .summary = "Prints the program's version.", .run = cli_version},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void write_title(struct buf *out, const struct cli_command *command) {
    buf_printf(out, "vinculo %s%s%s", command->group != NULL ? command->group : "",
               command->group != NULL ? " " : "", command->name);
}

static void write_synopsis(struct buf *out, const struct cli_command *command) {
    write_title(out, command);
    if (command->operand != NULL)
        buf_printf(out, " %s", command->operand);
    for (const struct cli_option *option = command->options; option->name != NULL; option++) {
        buf_printf(out, " %s--%s", option->required ? "" : "[", option->name);
        if (option->value != NULL)
            buf_printf(out, " %s", option->value);
        buf_printf(out, "%s%s", option->required ? "" : "]", option->repeated ? "..." : "");
    }
}

static void write_help(struct buf *out, const struct cli_command *command) {
    buf_add_str(out, "Usage: ");
    write_synopsis(out, command);
    buf_printf(out, "\n\n%s\n", command->summary);
    if (command->notes != NULL)
        buf_printf(out, "%s\n", command->notes);
    buf_add_str(out, "\nOptions:\n");
    for (const struct cli_option *option = command->options; option->name != NULL; option++) {
        char flag[40];
        snprintf(flag, sizeof flag, "--%s %s", option->name,
                 option->value != NULL ? option->value : "");
        buf_printf(out, "  %-16s %s\n", flag, option->help);
    }
    buf_printf(out, "  %-16s %s\n", "--help", "show this and exit");
    if (command->shows_settings) {
        buf_add_str(out, "\nSettings, by environment variables:\n");
        settings_write_help(out);
    }
}

/* Of one group, or with NULL of all. */
static void write_overview(struct buf *out, const char *group) {
    buf_printf(out,
               "Vinculo keeps what happened between a business and its customers, and answers the "
               "key performance\nindicators of any period.\n\nUsage: vinculo %s%sCOMMAND\n\n",
               group != NULL ? group : "", group != NULL ? " " : "");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct cli_command *command = &commands[i];
        if (group != NULL && (command->group == NULL || strcmp(command->group, group) != 0))
            continue;
        BUF_SCOPED title = {0};
        write_title(&title, command);
        buf_printf(out, "  %-26s %s\n", buf_text(&title), command->summary);
    }
    buf_add_str(out, "\nEvery command explains itself with --help. The database and all else are "
                     "set by environment\nvariables, which `vinculo serve --help` lists.\n");
}

static int print(struct buf *text, FILE *file, int code) {
    if (!buf_ok(text))
        return cli_fail("out of memory");
    fputs(buf_text(text), file);
    return code;
}

static size_t option_index(const struct cli_call *call, const char *name) {
    size_t i = 0;
    while (call->command->options[i].name != NULL &&
           strcmp(call->command->options[i].name, name) != 0)
        i++;
    assert(call->command->options[i].name !=
           NULL); /* the table has every option that is asked for */
    return i;
}

size_t cli_count(const struct cli_call *call, const char *option) {
    return call->counts[option_index(call, option)];
}

const char *cli_value(const struct cli_call *call, const char *option) {
    return call->values[option_index(call, option)][0];
}

const char *const *cli_values(const struct cli_call *call, const char *option) {
    return call->values[option_index(call, option)];
}

int cli_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("vinculo: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs(".\n", stderr);
    va_end(arguments);
    return CLI_FAILED;
}

int cli_misuse(const struct cli_command *command, const char *format, ...) {
    BUF_SCOPED synopsis = {0};
    write_synopsis(&synopsis, command);
    va_list arguments;
    va_start(arguments, format);
    fputs("vinculo: ", stderr);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, ".\nUsage: %s\n", buf_text(&synopsis));
    va_end(arguments);
    return CLI_MISUSED;
}

static int keep_option(struct cli_call *call, size_t index) {
    const struct cli_option *option = &call->command->options[index];
    size_t *count = &call->counts[index];
    size_t most = option->repeated ? CLI_VALUES_MAX : 1;
    if (*count >= most)
        return cli_misuse(call->command, "--%s may be given %zu time%s at most", option->name, most,
                          most == 1 ? "" : "s");
    call->values[index][(*count)++] = optarg;
    return CLI_DONE;
}

static int check_complete(struct cli_call *call, int argc, char **argv) {
    const struct cli_command *command = call->command;
    int operands = command->operand != NULL ? 1 : 0;
    if (argc - optind > operands)
        return cli_misuse(command, "\"%s\" is one argument too many", argv[optind + operands]);
    if (argc - optind < operands)
        return cli_misuse(command, "%s is missing", command->operand);
    call->operand = operands == 1 ? argv[optind] : NULL;
    for (size_t i = 0; command->options[i].name != NULL; i++) {
        if (command->options[i].required && call->counts[i] == 0)
            return cli_misuse(command, "--%s is missing", command->options[i].name);
    }
    return CLI_DONE;
}

enum { HELP = 256, FIRST_OPTION };

/* argv[0] is the command's last word. */
static int run_command(const struct cli_command *command, int argc, char **argv,
                       const char *version) {
    struct cli_call call = {.command = command, .version = version};
    struct option options[CLI_OPTIONS_MAX + 2] = {{"help", no_argument, NULL, HELP}};
    for (int i = 0; command->options[i].name != NULL; i++)
        options[i + 1] =
            (struct option){command->options[i].name,
                            command->options[i].value != NULL ? required_argument : no_argument,
                            NULL, FIRST_OPTION + i};
    opterr = 0;
    int found;
    while ((found = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (found == HELP || found == 'h') {
            BUF_SCOPED help = {0};
            write_help(&help, command);
            return print(&help, stdout, CLI_DONE);
        }
        if (found == ':')
            return cli_misuse(command, "%s needs a value", argv[optind - 1]);
        if (found == '?' && optopt > 0 && optopt < HELP) /* inside a word, perhaps */
            return cli_misuse(command, "-%c is not an option of this command", optopt);
        if (found == '?')
            return cli_misuse(command, "%s is not an option of this command", argv[optind - 1]);
        int code = keep_option(&call, (size_t)(found - FIRST_OPTION));
        if (code != CLI_DONE)
            return code;
    }
    int code = check_complete(&call, argc, argv);
    return code != CLI_DONE ? code : command->run(&call);
}

static bool is_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* The words after a group's name, and what to say where they name no command. */
static int run_in_group(const char *group, int argc, char **argv, const char *version) {
    for (size_t i = 0; argc > 0 && i < COMMAND_COUNT; i++) {
        if (commands[i].group != NULL && strcmp(commands[i].group, group) == 0 &&
            strcmp(commands[i].name, argv[0]) == 0)
            return run_command(&commands[i], argc, argv, version);
    }
    BUF_SCOPED overview = {0};
    write_overview(&overview, group);
    if (argc > 0 && is_help(argv[0]))
        return print(&overview, stdout, CLI_DONE);
    if (argc > 0)
        fprintf(stderr, "vinculo: there is no command \"%s %s\".\n\n", group, argv[0]);
    return print(&overview, stderr, CLI_MISUSED);
}

static int dispatch(int argc, char **argv, const char *version) {
    const char *word = argc > 1 ? argv[1] : NULL;
    for (size_t i = 0; word != NULL && i < COMMAND_COUNT; i++) {
        if (commands[i].group != NULL && strcmp(commands[i].group, word) == 0)
            return run_in_group(word, argc - 2, argv + 2, version);
        if (commands[i].group == NULL && strcmp(commands[i].name, word) == 0)
            return run_command(&commands[i], argc - 1, argv + 1, version);
    }
    BUF_SCOPED overview = {0};
    write_overview(&overview, NULL);
    if (word != NULL && is_help(word))
        return print(&overview, stdout, CLI_DONE);
    if (word != NULL)
        fprintf(stderr, "vinculo: there is no command \"%s\".\n\n", word);
    return print(&overview, stderr, CLI_MISUSED);
}

int cli_run(int argc, char **argv, const char *version) {
    int code = dispatch(argc, argv, version);
    if (fflush(stdout) != 0 && code == CLI_DONE)
        return cli_fail("cannot write to standard output");
    return code;
}

int cli_version(const struct cli_call *call) {
    printf("vinculo %s\n", call->version);
    return CLI_DONE;
}
