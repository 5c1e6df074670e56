/* Text files that are part of the binary (CMake embeds them at build time). */
#ifndef VINCULO_EMBEDDED_H
#define VINCULO_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* without directory */
    const char *text; /* NUL-terminated */
    size_t length;    /* without the NUL */
};

extern const struct embedded_file embedded_migrations[]; /* migrations/ *.sql by name */
extern const size_t embedded_migrations_count;
extern const struct embedded_file embedded_statements[]; /* src/store/sql/ *.sql by name */
extern const size_t embedded_statements_count;
extern const struct embedded_file embedded_definitions[]; /* src/metrics/definitions/ *.json */
extern const size_t embedded_definitions_count;
extern const struct embedded_file embedded_demo[]; /* src/cli/demo.sql */
extern const size_t embedded_demo_count;
extern const struct embedded_file embedded_openapi[]; /* openapi.yaml */
extern const size_t embedded_openapi_count;

#endif
