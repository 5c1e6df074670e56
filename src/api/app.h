/* The application behind the HTTP server. */
#ifndef VINCULO_API_APP_H
#define VINCULO_API_APP_H

#include "call.h"

/* The callbacks for http_server_start; `app` is their context. */
struct http_app app_callbacks(struct app *app);

#endif
