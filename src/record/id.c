/*
 * Ids: which ones clients may choose, and those that the server makes.
 */
#include "internal.h"

#include "vinculo/timestamp.h"

#include <sodium.h>
#include <string.h>

bool record_id_is_valid(const char *text, size_t length) {
    size_t points;
    bool has_control;
    if (!text_measure(text, length, &points, &has_control))
        return false;
    if (points < 1 || points > FIELD_ID_MAX || has_control)
        return false;
    return !(length == 1 && text[0] == '.') && !(length == 2 && memcmp(text, "..", 2) == 0);
}

bool record_label_is_valid(const char *text, size_t length) {
    size_t points;
    bool has_control;
    return text_measure(text, length, &points, &has_control) && points >= 1 &&
           points <= FIELD_LABEL_MAX;
}

void record_make_id(char ret_id[37]) {
    unsigned char bytes[16];
    randombytes_buf(bytes, sizeof bytes);

    int64_t now_us = timestamp_now();
    uint64_t ms = (uint64_t)(now_us / 1000);
    for (int i = 0; i < 6; i++)
        bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
    /* The 12 bits after the version hold the fraction of the millisecond (RFC 9562, method 3), so
     * ids of one thread sort as they were made down to a quarter of a microsecond. */
    unsigned fraction = (unsigned)(now_us % 1000) * 4096 / 1000;
    bytes[6] = (unsigned char)(0x70 | fraction >> 8);
    bytes[7] = (unsigned char)fraction;
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));

    static const char digits[] = "0123456789abcdef";
    char *out = ret_id;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 0xF];
    }
    *out = '\0';
}
