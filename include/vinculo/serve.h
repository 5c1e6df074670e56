/* The service: everything between `vinculo serve` and its end. */
#ifndef VINCULO_SERVE_H
#define VINCULO_SERVE_H

#include "vinculo/settings.h"

/* Serves until SIGTERM or SIGINT; returns the exit code. Says on stdout when it is ready, and on
 * stderr why it could not start. */
int serve(const struct settings *settings);

#endif
