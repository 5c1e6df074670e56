/*
 * UTF-8: validity, code points, control characters.
 */
#include "internal.h"

static bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/* Bytes of the code point at text (1–4), or 0 where it is not UTF-8 as RFC 3629 has it. */
static size_t decode(const unsigned char *text, size_t length, uint32_t *ret_point) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = text[0];
    size_t size = lead < 0x80             ? 1
                  : (lead & 0xE0) == 0xC0 ? 2
                  : (lead & 0xF0) == 0xE0 ? 3
                  : (lead & 0xF8) == 0xF0 ? 4
                                          : 0;
    if (size == 0 || size > length)
        return 0;
    uint32_t point = size == 1 ? lead : lead & (0x7FU >> size);
    for (size_t i = 1; i < size; i++) {
        if (!is_continuation(text[i]))
            return 0;
        point = point << 6 | (text[i] & 0x3FU);
    }
    if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0;
    *ret_point = point;
    return size;
}

bool text_measure(const char *text, size_t length, size_t *ret_points, bool *ret_has_control) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t points = 0;
    bool has_control = false;
    for (size_t at = 0; at < length; points++) {
        uint32_t point;
        size_t size = decode(bytes + at, length - at, &point);
        if (size == 0)
            return false;
        has_control |= point < 0x20 || (point >= 0x7F && point <= 0x9F);
        at += size;
    }
    *ret_points = points;
    *ret_has_control = has_control;
    return true;
}

size_t text_prefix(const char *text, size_t length, size_t points) {
    size_t at = 0;
    while (at < length && points > 0) {
        at++;
        while (at < length && is_continuation((unsigned char)text[at]))
            at++;
        points--;
    }
    return at;
}
