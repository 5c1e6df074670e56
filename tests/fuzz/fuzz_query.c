/*
 * The query string: a route, a method, then the query as sent. Accepted parameters are the method's
 * own, each once, and the same when they are encoded again; a cursor brings them back, and one that
 * is not ours is refused. What looks like our cursor, with a right checksum, comes from
 * `forge`: a checksum is no secret.
 */
#include "fuzz_call.h"

#include "api/cursor.h"

#include <sodium.h>
#include <stdio.h>

enum { CHECKSUM_BYTES = crypto_generichash_BYTES_MIN };

static const struct route *any_route(struct input *input, const struct route_method **ret_method) {
    const struct route *route = &routes[take_choice(input, route_count)];
    size_t method = take_choice(input, ROUTE_METHODS_MAX);
    while (method > 0 && route->methods[method].name == NULL)
        method--;
    *ret_method = &route->methods[method];
    return route;
}

static struct call bare_call(const struct call *like) {
    return (struct call){.route = like->route,
                         .method = like->method,
                         .kind = like->kind,
                         .grant = {.workspace_id = 7}};
}

static size_t count_pairs(const char *query) {
    size_t count = 0;
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        count += length > 0;
        query += length + (query[length] == '&');
    }
    return count;
}

static void expect_parameters(const struct call *call) {
    assert(call->parameter_count <= PARAMETERS_MAX);
    for (size_t i = 0; i < call->parameter_count; i++) {
        const struct parameter *parameter = &call->parameters[i];
        assert(route_takes(call->method, parameter->name));
        assert(is_utf8(parameter->value));
        assert(call_parameter(call, parameter->name) == parameter->value); /* each once */
    }
}

static void expect_same_parameters(const struct call *a, const struct call *b) {
    assert(a->parameter_count == b->parameter_count);
    for (size_t i = 0; i < a->parameter_count; i++) {
        assert(strcmp(a->parameters[i].name, b->parameters[i].name) == 0);
        assert(strcmp(a->parameters[i].value, b->parameters[i].value) == 0);
    }
}

static void expect_round_trip(const struct call *call) {
    BUF_SCOPED query = {0};
    for (size_t i = 0; i < call->parameter_count; i++) {
        buf_add_str(&query, i == 0 ? "" : "&&");
        percent_encode(&query, call->parameters[i].name);
        buf_add_char(&query, '=');
        percent_encode(&query, call->parameters[i].value);
    }
    CALL_SCOPED again = bare_call(call);
    enum err err = query_parse(&again, buf_text(&query));
    assert(err == ERR_OK);
    expect_same_parameters(call, &again);
}

/* A cursor holds the place and all parameters but its own. */
static void expect_cursor(const struct call *call, const char *id, size_t limit) {
    struct cursor_place sent = {.time_us = NOW_US - (int64_t)limit, .score = 42, .part = 1};
    snprintf(sent.id, sizeof sent.id, "%s", id);
    BUF_SCOPED cursor = {0};
    cursor_write(&cursor, call, &sent, limit);
    assert(buf_ok(&cursor));
    CALL_SCOPED again = bare_call(call);
    struct cursor_place place = {0};
    size_t again_limit = 0;
    enum err err = cursor_read(&again, cursor.data, &place, &again_limit);
    assert(err == ERR_OK && again_limit == limit);
    assert(place.time_us == sent.time_us && strcmp(place.id, sent.id) == 0);
    assert(place.score == sent.score && place.part == sent.part && place.today == sent.today);
    size_t kept = 0;
    for (size_t i = 0; i < call->parameter_count; i++) {
        const struct parameter *parameter = &call->parameters[i];
        if (cursor_leaves_out(parameter->name))
            continue;
        kept++;
        assert(strcmp(call_parameter(&again, parameter->name), parameter->value) == 0);
    }
    assert(again.parameter_count == kept);

    CALL_SCOPED other = bare_call(call);
    other.grant.workspace_id++; /* another workspace's cursor is a bad one */
    err = cursor_read(&other, cursor.data, &place, &again_limit);
    assert(err == ERR_BAD_CURSOR);
    expect_call_refusal(&other, err);
}

/* Any text as a cursor: as it is, and under the checksum that cursor.c would give it. */
static void try_cursor(const struct call *call, const char *text) {
    char scope[160];
    int scope_length = snprintf(scope, sizeof scope, "cursor %d %s %s ", 7, call->route->pattern,
                                call->kind->name);
    size_t length = strlen(text);
    BUF_SCOPED content = {0};
    unsigned char checksum[CHECKSUM_BYTES];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, CHECKSUM_BYTES);
    crypto_generichash_update(&state, (unsigned char *)scope, (unsigned long long)scope_length);
    crypto_generichash_update(&state, (const unsigned char *)text, length);
    crypto_generichash_final(&state, checksum, CHECKSUM_BYTES);
    buf_add(&content, checksum, sizeof checksum);
    buf_add(&content, text, length);
    size_t size =
        sodium_base64_encoded_len(content.length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    TEXT_SCOPED *forged = malloc(size);
    sodium_bin2base64(forged, size, (unsigned char *)content.data, content.length,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    const char *const cursors[] = {text, forged};
    for (size_t i = 0; i < 2; i++) {
        CALL_SCOPED again = bare_call(call);
        struct cursor_place place = {0};
        size_t limit = 0;
        enum err err = cursor_read(&again, cursors[i], &place, &limit);
        if (err != ERR_OK) {
            assert(err == ERR_BAD_CURSOR);
            expect_call_refusal(&again, err);
            continue;
        }
        assert(limit >= 1 && limit <= PAGE_RECORDS_MAX);
        assert(*place.id == '\0' || record_id_is_valid(place.id, strlen(place.id)));
        expect_parameters(&again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = input_of(data, size);
    struct call like = {.kind = &record_kinds[KIND_SURVEY]};
    like.route = any_route(&input, &like.method);
    TEXT_SCOPED *query = take_rest(&input);
    CALL_SCOPED call = bare_call(&like);
    enum err err = query_parse(&call, query);
    expect_parameters(&call);
    if (err == ERR_OK) {
        assert(call.parameter_count == count_pairs(query));
        expect_round_trip(&call);
    } else {
        assert(err == ERR_INVALID_PARAMETER || err == ERR_UNKNOWN_PARAMETER);
        expect_call_refusal(&call, err);
    }
    if (route_takes(call.method, "cursor")) {
        const char *id = call_parameter(&call, "customer_id");
        bool valid = id != NULL && record_id_is_valid(id, strlen(id));
        if (err == ERR_OK)
            expect_cursor(&call, valid ? id : "c1", 1 + strlen(query) % PAGE_RECORDS_MAX);
        try_cursor(&call, query);
    }
    return 0;
}
