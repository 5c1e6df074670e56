/* A workspace's settings as they are sent. */
#ifndef VINCULO_API_WORKSPACE_SETTINGS_H
#define VINCULO_API_WORKSPACE_SETTINGS_H

#include "vinculo/err.h"

#include <jansson.h>

/* The settings that the member `settings` of a patch changes, as an object that the caller
 * releases; NULL where there are none. A setting that is null, alone or with all others, has its
 * default there. What is wrong is added to the problem. */
json_t *workspace_settings_take(const json_t *settings, struct problem *problem);

#endif
