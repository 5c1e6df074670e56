/* Collecting what is wrong with a request. Memory shortage loses detail, never the code. */
#include "vinculo/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_continuation(char byte) { return ((unsigned char)byte & 0xC0) == 0x80; }

/* Cuts `text` before the code point that does not fit into PROBLEM_DETAIL_MAX - 1 bytes. */
PRINTF_LIKE(2, 0)
static void format_detail(char detail[PROBLEM_DETAIL_MAX], const char *format, va_list arguments) {
    char text[PROBLEM_DETAIL_MAX + 4];
    int length = vsnprintf(text, sizeof text, format, arguments);
    size_t end = length < 0 ? 0 : (size_t)length;
    if (end >= PROBLEM_DETAIL_MAX) {
        end = PROBLEM_DETAIL_MAX - 1;
        while (end > 0 && is_continuation(text[end]))
            end--;
    }
    memcpy(detail, text, end);
    detail[end] = '\0';
}

enum err problem_set(struct problem *problem, enum err code, const char *format, ...) {
    if (problem == NULL)
        return code;
    problem->code = code;
    va_list arguments;
    va_start(arguments, format);
    format_detail(problem->detail, format, arguments);
    va_end(arguments);
    return code;
}

static void add_error(struct problem *problem, struct problem_error error, const char *at,
                      const char *detail) {
    if (problem->error_count >= PROBLEM_ERRORS_MAX)
        return;
    size_t size = (problem->error_count + 1) * sizeof *problem->errors;
    struct problem_error *errors = realloc(problem->errors, size);
    if (errors == NULL)
        return;
    problem->errors = errors;
    error.at = strdup(at);
    error.detail = strdup(detail);
    if (error.at == NULL || error.detail == NULL) {
        free(error.at);
        free(error.detail);
        return;
    }
    errors[problem->error_count++] = error;
}

enum err problem_add_field(struct problem *problem, const char *pointer, enum field_err code,
                           const char *format, ...) {
    if (problem == NULL)
        return ERR_INVALID_RECORD;
    problem->code = ERR_INVALID_RECORD;
    char detail[PROBLEM_DETAIL_MAX];
    va_list arguments;
    va_start(arguments, format);
    format_detail(detail, format, arguments);
    va_end(arguments);
    add_error(problem, (struct problem_error){.code = code}, pointer, detail);
    return ERR_INVALID_RECORD;
}

enum err problem_add_parameter(struct problem *problem, enum err code, const char *parameter,
                               const char *format, ...) {
    if (problem == NULL)
        return code;
    problem->code = code;
    char detail[PROBLEM_DETAIL_MAX];
    va_list arguments;
    va_start(arguments, format);
    format_detail(detail, format, arguments);
    va_end(arguments);
    if (problem->detail[0] == '\0')
        memcpy(problem->detail, detail, sizeof detail);
    add_error(problem, (struct problem_error){.is_parameter = true}, parameter, detail);
    return code;
}

void problem_clear(struct problem *problem) {
    if (problem == NULL)
        return;
    for (size_t i = 0; i < problem->error_count; i++) {
        free(problem->errors[i].at);
        free(problem->errors[i].detail);
    }
    free(problem->errors);
    *problem = (struct problem){0};
}
