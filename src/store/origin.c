/* Origins: scheme://host[:port]; "*." before the host, with https, stands for every subdomain. */
#include "origin.h"

#include "vinculo/keyring.h"

#include <string.h>
#include <strings.h>

enum { HOST_MAX = 253, LABEL_MAX = 63, PORT_MAX = 65535 };

static const char HTTP[] = "http://";
static const char HTTPS[] = "https://";
static const char ALNUM[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static bool is_alnum(char c) { return c != '\0' && strchr(ALNUM, c) != NULL; }

static bool label_is_valid(const char *text, size_t length) {
    if (length == 0 || length > LABEL_MAX || !is_alnum(text[0]) || !is_alnum(text[length - 1]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_alnum(text[i]) && text[i] != '-')
            return false;
    }
    return true;
}

/* One or more labels with dots between them; returns how many, 0 where it is not so. */
static size_t count_labels(const char *text, size_t length) {
    if (length > HOST_MAX)
        return 0;
    size_t count = 0;
    for (size_t start = 0; start <= length; count++) {
        const char *dot = memchr(text + start, '.', length - start);
        size_t end = dot == NULL ? length : (size_t)(dot - text);
        if (!label_is_valid(text + start, end - start))
            return 0;
        start = end + 1;
    }
    return count;
}

/* An IPv6 address in brackets, loosely: a wrong one merely never matches. */
static bool is_bracketed(const char *text, size_t length) {
    return length > 2 && length <= 48 && text[0] == '[' && text[length - 1] == ']' &&
           strspn(text + 1, "0123456789abcdefABCDEF:.") == length - 2;
}

/* Empty or ":1" to ":65535". The scheme's own port is refused: browsers never send it. */
static bool port_is_valid(const char *text, int standard) {
    if (*text == '\0')
        return true;
    size_t digits = strspn(text + 1, "0123456789");
    if (*text != ':' || digits == 0 || digits > 5 || text[1 + digits] != '\0' || text[1] == '0')
        return false;
    int port = 0;
    for (size_t i = 1; i <= digits; i++)
        port = port * 10 + (text[i] - '0');
    return port <= PORT_MAX && port != standard;
}

bool origin_is_valid(const char *origin) {
    bool secure = strncasecmp(origin, HTTPS, sizeof HTTPS - 1) == 0;
    if (!secure && strncasecmp(origin, HTTP, sizeof HTTP - 1) != 0)
        return false;
    const char *host = origin + (secure ? sizeof HTTPS : sizeof HTTP) - 1;
    bool wildcard = secure && strncmp(host, "*.", 2) == 0;
    if (wildcard)
        host += 2;
    size_t length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (length > strlen(host) || !port_is_valid(host + length, secure ? 443 : 80))
        return false;
    /* A wildcard over a top-level domain would be everybody. */
    return count_labels(host, length) >= (wildcard ? 2U : 1U) ||
           (!wildcard && is_bracketed(host, length));
}

bool origin_matches(const char *allowed, const char *origin) {
    static const char ANY[] = "https://*";
    if (strncasecmp(allowed, ANY, sizeof ANY - 1) != 0)
        return strcasecmp(allowed, origin) == 0;
    const char *suffix = allowed + sizeof ANY - 1; /* .example.com */
    size_t skipped = sizeof HTTPS - 1;
    size_t length = strlen(origin);
    if (strncasecmp(origin, HTTPS, skipped) != 0 || length <= skipped + strlen(suffix))
        return false;
    size_t front = length - skipped - strlen(suffix);
    return count_labels(origin + skipped, front) > 0 &&
           strcasecmp(origin + skipped + front, suffix) == 0;
}
