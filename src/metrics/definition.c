/* What is written about the KPIs: src/metrics/definitions/ *.json (see vinculo/kpi.h). */
#include "vinculo/embedded.h"
#include "vinculo/kpi.h"

#include <assert.h>
#include <string.h>

static bool is_of(const struct embedded_file *file, const char *kpi) {
    size_t length = strlen(kpi);
    return strncmp(file->name, kpi, length) == 0 && strcmp(file->name + length, ".json") == 0;
}

const char *kpi_definition_text(const struct kpi_spec *spec) {
    const char *text = NULL;
    for (size_t i = 0; i < embedded_definitions_count && text == NULL; i++) {
        if (is_of(&embedded_definitions[i], spec->name))
            text = embedded_definitions[i].text;
    }
    assert(text != NULL);
    return text;
}
