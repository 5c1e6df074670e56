/*
 * Finding and reading the case files under tests/cases.
 */
#ifndef VINCULO_TEST_CASES_H
#define VINCULO_TEST_CASES_H

#include "test_record.h"

#include <dirent.h>
#include <limits.h>

/* Files are found beside this one, or below $VINCULO_SOURCE_DIR. */
static inline void cases_folder(const char *name, char ret_path[PATH_MAX]) {
    const char *root = getenv("VINCULO_SOURCE_DIR");
    if (root != NULL)
        snprintf(ret_path, PATH_MAX, "%s/tests/cases/%s", root, name);
    else
        snprintf(ret_path, PATH_MAX, "%.*s../cases/%s",
                 (int)(strrchr(__FILE__, '/') + 1 - __FILE__), __FILE__, name);
}

/* Runs `run` on every .json file of a folder; returns how many there were. */
static inline size_t each_case(const char *name,
                               void (*run)(const char *path, const json_t *test)) {
    char folder[PATH_MAX], path[PATH_MAX];
    cases_folder(name, folder);
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    cr_assert(count > 0, "no case files in %s", folder);
    size_t run_count = 0;
    for (int i = 0; i < count; i++) {
        const char *dot = strrchr(entries[i]->d_name, '.');
        if (dot != NULL && strcmp(dot, ".json") == 0) {
            cr_assert(snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) < PATH_MAX);
            json_error_t error;
            JSON_SCOPED *test = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
            cr_assert(test != NULL, "%s:%d: %s", path, error.line, error.text);
            run(path, test);
            run_count++;
        }
        free(entries[i]);
    }
    free(entries);
    return run_count;
}

static inline const char *text_of(const json_t *test, const char *member) {
    return json_string_value(json_object_get(test, member));
}

#endif
