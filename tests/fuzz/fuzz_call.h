/*
 * What the targets of URLs share: a call that is not bound to a request.
 */
#ifndef VINCULO_FUZZ_CALL_H
#define VINCULO_FUZZ_CALL_H

#include "api/routes.h"
#include "fuzz.h"

#define CALL_SCOPED __attribute__((cleanup(call_clear))) struct call

static inline void call_clear(struct call *call) {
    for (size_t i = 0; i < call->parameter_count; i++) {
        free(call->parameters[i].name);
        free(call->parameters[i].value);
    }
    free(call->name);
    problem_clear(&call->problem);
}

/* A refusal as clients get it is JSON, whatever it quotes. */
static inline void expect_call_refusal(const struct call *call, enum err err) {
    expect_refusal(&call->problem, err);
    BUF_SCOPED text = {0};
    problem_write(&text, &call->problem, "r1");
    JSON_SCOPED *json = json_of_text(&text);
    assert(json_object_size(json) == 7);
}

#endif
