/* A cursor is base64url of: checksum, then "LIMIT MICROSECONDS SCORE PART TODAY ID?QUERY". */
#include "cursor.h"

#include "routes.h"
#include "vinculo/timestamp.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKSUM_BYTES = crypto_generichash_BYTES_MIN, CURSOR_TEXT_MAX = 16 * 1024 };
static const int VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

static void compute_checksum(const struct call *call, const char *text, size_t length,
                             unsigned char ret_checksum[CHECKSUM_BYTES]) {
    char scope[160];
    int scope_length =
        snprintf(scope, sizeof scope, "cursor %d %s %s ", call->grant.workspace_id,
                 call->route->pattern, call->kind != NULL ? call->kind->name : call->name);
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, CHECKSUM_BYTES);
    crypto_generichash_update(&state, (unsigned char *)scope, (unsigned long long)scope_length);
    crypto_generichash_update(&state, (const unsigned char *)text, length);
    crypto_generichash_final(&state, ret_checksum, CHECKSUM_BYTES);
}

bool cursor_leaves_out(const char *parameter) {
    return strcmp(parameter, "cursor") == 0 || strcmp(parameter, "limit") == 0 ||
           strcmp(parameter, "format") == 0;
}

void cursor_write(struct buf *out, const struct call *call, const struct cursor_place *place,
                  size_t limit) {
    unsigned char checksum[CHECKSUM_BYTES] = {0};
    BUF_SCOPED content = {0};
    buf_add(&content, checksum, sizeof checksum); /* its place */
    buf_printf(&content, "%zu %" PRId64 " %d %d %" PRId32 " ", limit, place->time_us, place->score,
               place->part, place->today);
    percent_encode(&content, place->id);
    const char *separator = "?";
    for (size_t i = 0; i < call->parameter_count; i++) {
        if (!cursor_leaves_out(call->parameters[i].name)) {
            buf_printf(&content, "%s%s=", separator, call->parameters[i].name);
            percent_encode(&content, call->parameters[i].value);
            separator = "&";
        }
    }
    size_t size = sodium_base64_encoded_len(content.length, VARIANT);
    char *text = buf_ok(&content) ? malloc(size) : NULL;
    if (text == NULL) {
        out->failed = true;
        return;
    }
    compute_checksum(call, content.data + sizeof checksum, content.length - sizeof checksum,
                     checksum);
    memcpy(content.data, checksum, sizeof checksum);
    sodium_bin2base64(text, size, (unsigned char *)content.data, content.length, VARIANT);
    buf_add_str(out, text);
    free(text);
}

enum err cursor_refuse(struct call *call) {
    problem_clear(&call->problem);
    return problem_add_parameter(&call->problem, ERR_BAD_CURSOR, "cursor",
                                 "Send next_cursor of an earlier answer of this list as it is, or "
                                 "begin again without a cursor.");
}

/* A number and the space behind it. */
static bool take_number(const char **text, int64_t *ret_number) {
    char *end;
    *ret_number = strtoll(*text, &end, 10);
    bool good = end != *text && *end == ' ';
    *text = end + good;
    return good;
}

static bool read_content(struct call *call, const char *content, struct cursor_place *ret_place,
                         size_t *ret_limit) {
    int64_t limit, time_us, score, part, today;
    char *id = NULL;
    if (!take_number(&content, &limit) || !take_number(&content, &time_us) ||
        !take_number(&content, &score) || !take_number(&content, &part) ||
        !take_number(&content, &today) || limit < 1 || limit > PAGE_RECORDS_MAX ||
        time_us < TIMESTAMP_FIRST_US || time_us > TIMESTAMP_LAST_US || score < 0 || score > 100 ||
        part < 0 || part > INT8_MAX || today < INT32_MIN || today > INT32_MAX) {
        return false;
    }
    size_t length = strcspn(content, "?");
    if (!percent_decode(content, length, false, &id)) {
        return false;
    }
    bool good = record_id_is_valid(id, strlen(id)) || (part > 0 && *id == '\0');
    if (good) {
        snprintf(ret_place->id, sizeof ret_place->id, "%s", id);
    }
    free(id);
    ret_place->time_us = time_us;
    ret_place->score = (int)score;
    ret_place->part = (int)part;
    ret_place->today = (int32_t)today;
    *ret_limit = (size_t)limit;
    return good && query_parse(call, content + length + (content[length] == '?')) == ERR_OK;
}

enum err cursor_read(struct call *call, const char *cursor, struct cursor_place *ret_place,
                     size_t *ret_limit) {
    unsigned char checksum[CHECKSUM_BYTES];
    size_t length = strlen(cursor), size = 0;
    unsigned char *content = length <= CURSOR_TEXT_MAX ? calloc(1, length + 1) : NULL;
    bool good =
        content != NULL &&
        sodium_base642bin(content, length, cursor, length, NULL, &size, NULL, VARIANT) == 0 &&
        size > CHECKSUM_BYTES;
    if (good) {
        const char *text = (char *)content + CHECKSUM_BYTES;
        compute_checksum(call, text, size - CHECKSUM_BYTES, checksum);
        good = memcmp(checksum, content, CHECKSUM_BYTES) == 0 &&
               strlen(text) == size - CHECKSUM_BYTES &&
               read_content(call, text, ret_place, ret_limit);
    }
    free(content);
    return good ? ERR_OK : cursor_refuse(call);
}
