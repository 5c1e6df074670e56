/*
 * The path: a method, then the path as sent. Found or refused as the table of routes says; a name
 * in it is strict UTF-8, and comes back when it is encoded.
 */
#include "fuzz_call.h"

static const char *const methods[] = {"GET",    "HEAD",    "POST",  "PUT", "PATCH",
                                      "DELETE", "OPTIONS", "TRACE", "get", ""};

/* Paths are split before they are decoded: as many segments as the pattern has. */
static size_t count_of(char c, const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == c;
    return count;
}

static bool is_allowed(const struct route *route, const char *method) {
    BUF_SCOPED allow = {0};
    BUF_SCOPED word = {0};
    buf_add_str(&allow, ", ");
    route_write_allow(&allow, route);
    buf_add_str(&allow, ", ");
    buf_printf(&word, ", %s, ", method);
    return strstr(allow.data, word.data) != NULL;
}

static void expect_decoding(const char *text, bool plus) {
    char *decoded = NULL;
    size_t length = strlen(text);
    bool bare = strchr(text, '%') == NULL && (!plus || strchr(text, '+') == NULL);
    if (!percent_decode(text, length, plus, &decoded)) {
        assert(!bare || !is_utf8(text));
        return;
    }
    assert(is_utf8(decoded) && strlen(decoded) <= length);
    assert(!bare || strcmp(decoded, text) == 0);
    BUF_SCOPED encoded = {0};
    percent_encode(&encoded, decoded);
    char *again = NULL;
    bool good = percent_decode(buf_text(&encoded), encoded.length, plus, &again);
    assert(good && strcmp(decoded, again) == 0);
    for (size_t i = 0; i < encoded.length; i++)
        assert(encoded.data[i] > ' ' && encoded.data[i] < 0x7F && encoded.data[i] != '/');
    free(again);
    free(decoded);
}

/* The same path with its name encoded by us is the same call. */
static void expect_round_trip(const struct call *call, const char *path, const char *method) {
    BUF_SCOPED again_path = {0};
    const char *slash = strrchr(path, '/');
    buf_add(&again_path, path, (size_t)(slash - path) + 1);
    percent_encode(&again_path, call->name);
    CALL_SCOPED again = {0};
    enum err err = route_find(&again, again_path.data, method);
    assert(err == ERR_OK && again.route == call->route && again.method == call->method);
    assert(again.kind == call->kind && strcmp(again.name, call->name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = input_of(data, size);
    const char *method = methods[take_choice(&input, sizeof methods / sizeof methods[0])];
    TEXT_SCOPED *path = take_rest(&input);
    expect_decoding(path, false);
    expect_decoding(path, true);

    CALL_SCOPED call = {0};
    enum err err = route_find(&call, path, method);
    assert((call.route == NULL) == (err == ERR_NOT_FOUND));
    if (call.route == NULL) {
        assert(call.method == NULL && call.name == NULL);
        expect_call_refusal(&call, err);
        return 0;
    }
    assert(count_of('/', path) == count_of('/', call.route->pattern));
    assert((call.kind != NULL) == (strstr(call.route->pattern, "{kind}") != NULL));
    if (err != ERR_OK) {
        assert(err == ERR_METHOD_NOT_ALLOWED || err == ERR_INVALID_PARAMETER);
        assert(err != ERR_METHOD_NOT_ALLOWED || strcmp(method, "OPTIONS") == 0 ||
               !is_allowed(call.route, method));
        expect_call_refusal(&call, err);
        return 0;
    }
    assert(is_allowed(call.route, method));
    bool named = strstr(call.route->pattern, "{id}") || strstr(call.route->pattern, "{kpi}");
    assert((call.name != NULL) == named);
    if (named) {
        assert(call.name[0] != '\0' && is_utf8(call.name));
        expect_round_trip(&call, path, method);
    }
    return 0;
}
