/* The program: hands its arguments to the command line. */
#include "vinculo/cli.h"

int main(int argc, char **argv) { return cli_run(argc, argv, VINCULO_VERSION); }
