/* The command line: one table of commands, each with its options, help and function. */
#ifndef VINCULO_CLI_H
#define VINCULO_CLI_H

/* Runs the command that argv names and returns the exit code: 0 done, 1 failed or differences
 * found, 2 wrong usage. `version` is the program's, such as "0.1.0". */
int cli_run(int argc, char **argv, const char *version);

#endif
