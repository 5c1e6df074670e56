/*
 * Charsets of CSV: their names, and windows-1252 to UTF-8.
 */
#include "csv_internal.h"

#include <string.h>
#include <strings.h>

bool csv_charset_find(const char *name, size_t length, enum csv_charset *ret_charset) {
    /* As on the web, texts said to be Latin 1 or ASCII are read as windows-1252, which holds both.
     */
    static const struct {
        const char *name;
        enum csv_charset charset;
    } charsets[] = {
        {"utf-8", CSV_UTF_8},
        {"utf8", CSV_UTF_8},
        {"windows-1252", CSV_WINDOWS_1252},
        {"cp1252", CSV_WINDOWS_1252},
        {"iso-8859-1", CSV_WINDOWS_1252},
        {"latin1", CSV_WINDOWS_1252},
        {"us-ascii", CSV_WINDOWS_1252},
    };
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
        if (strlen(charsets[i].name) == length &&
            strncasecmp(charsets[i].name, name, length) == 0) {
            *ret_charset = charsets[i].charset;
            return true;
        }
    }
    return false;
}

/* Code points of 0x80 to 0x9F; 0 where there is none. */
static const uint16_t windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

bool csv_add_windows_1252(struct buf *out, unsigned char byte) {
    unsigned point = byte < 0xA0 ? windows_1252[byte - 0x80] : byte;
    if (point == 0)
        return false;
    char bytes[3];
    size_t size = 0;
    if (point < 0x800) {
        bytes[size++] = (char)(0xC0 | point >> 6);
    } else {
        bytes[size++] = (char)(0xE0 | point >> 12);
        bytes[size++] = (char)(0x80 | (point >> 6 & 0x3F));
    }
    bytes[size++] = (char)(0x80 | (point & 0x3F));
    buf_add(out, bytes, size);
    return true;
}
