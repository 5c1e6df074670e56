/*
 * Checking the members of JSON objects that are not records: a workspace's settings, a new key, a
 * target.
 * Every error is added to the problem as a field error with its pointer.
 */
#ifndef VINCULO_API_MEMBERS_H
#define VINCULO_API_MEMBERS_H

#include "vinculo/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* True where json is an object; its members that are not among `names` (NULL-terminated) are
 * refused. at: pointer to the object, "" for the body. */
bool members_check(const json_t *json, const char *at, const char *const *names,
                   struct problem *problem);
/* The text at the pointer, or NULL where it is no string, which is refused. */
const char *members_text(const json_t *json, const char *pointer, struct problem *problem);
/* The same for an integer from min to max; false where it is refused. */
bool members_integer(const json_t *json, const char *pointer, int min, int max, int *ret_value,
                     struct problem *problem);
/* The same for a number, in any notation. */
bool members_number(const json_t *json, const char *pointer, double min, double max,
                    double *ret_value, struct problem *problem);

#endif
