/* zlib's inflate with an output buffer of fixed size. */
#include "gunzip.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum { TEXT_BYTES = 32 * 1024, GZIP_ONLY = 16 };

struct gunzip {
    z_stream z;
    bool complete; /* a member has ended and no other begun */
    size_t from, to;
    unsigned char text[TEXT_BYTES];
};

struct gunzip *gunzip_new(void) {
    struct gunzip *gunzip = calloc(1, sizeof *gunzip);
    if (gunzip != NULL && inflateInit2(&gunzip->z, MAX_WBITS + GZIP_ONLY) != Z_OK) {
        free(gunzip);
        return NULL;
    }
    return gunzip;
}

void gunzip_free(struct gunzip *gunzip) {
    if (gunzip == NULL) {
        return;
    }
    inflateEnd(&gunzip->z);
    free(gunzip);
}

const char *gunzip_text(const struct gunzip *gunzip, size_t *ret_length) {
    *ret_length = gunzip->to - gunzip->from;
    return (const char *)gunzip->text + gunzip->from;
}

void gunzip_drop(struct gunzip *gunzip, size_t length) {
    assert(length <= gunzip->to - gunzip->from);
    gunzip->from += length;
}

bool gunzip_is_complete(const struct gunzip *gunzip) { return gunzip->complete; }

bool gunzip_fill(struct gunzip *gunzip, const char *data, size_t length, size_t *ret_used) {
    z_stream *z = &gunzip->z;
    assert(gunzip->from == gunzip->to && length <= UINT32_MAX);
    z->next_in = (z_const Bytef *)(uintptr_t)data;
    z->avail_in = (uInt)length;
    z->next_out = gunzip->text;
    z->avail_out = TEXT_BYTES;
    int result = Z_OK;
    while (result == Z_OK && z->avail_out > 0 && (z->avail_in > 0 || !gunzip->complete)) {
        if (gunzip->complete) {
            inflateReset(z);
            gunzip->complete = false;
        }
        result = inflate(z, Z_NO_FLUSH);
        if (result == Z_STREAM_END) {
            gunzip->complete = true;
            result = Z_OK;
        }
    }
    gunzip->from = 0;
    gunzip->to = TEXT_BYTES - z->avail_out;
    *ret_used = length - z->avail_in;
    /* Z_BUF_ERROR says that there is nothing to go on with. */
    return result == Z_OK || result == Z_BUF_ERROR;
}
