/* Keys and origins as values; the keyring itself is tested from outside (tests/api/test_cli.py). */
#include "../../src/store/origin.h"
#include "vinculo/keyring.h"

#include <criterion/criterion.h>
#include <string.h>

Test(origin, valid) {
    static const char *const valid[] = {
        "https://example.com",      "http://localhost",          "http://localhost:3000",
        "https://a-b.example.com",  "https://EXAMPLE.com",       "https://*.example.com",
        "https://*.a.example.com",  "https://*.example.com:444", "https://127.0.0.1:8443",
        "http://[::1]:5173",        "https://[2001:db8::1]",     "https://xn--caf-dma.example",
        "https://example.com:65535"};
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        cr_expect(origin_is_valid(valid[i]), "%s", valid[i]);
}

Test(origin, invalid) {
    static const char *const invalid[] = {"",
                                          "null",
                                          "*",
                                          "example.com",
                                          "https://",
                                          "https://example.com/",
                                          "https://example.com/a",
                                          "https://example.com?",
                                          "https://user@example.com",
                                          "https://exa mple.com",
                                          "https://example..com",
                                          "https://.example.com",
                                          "https://example.com.",
                                          "https://-a.example.com",
                                          "https://a-.example.com",
                                          "https://*",
                                          "https://*.com",
                                          "https://*.*.example.com",
                                          "https://a.*.example.com",
                                          "http://*.example.com",
                                          "https://*example.com",
                                          "https://*.[::1]",
                                          "https://example.com:",
                                          "https://example.com:0",
                                          "https://example.com:443",
                                          "http://example.com:80",
                                          "https://example.com:65536",
                                          "https://example.com:080",
                                          "https://example.com:80a",
                                          "ftp://example.com",
                                          "https://[::1",
                                          "https://[]",
                                          "https://\xC3\xA9.example",
                                          "https://example.com\n"};
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        cr_expect(!origin_is_valid(invalid[i]), "%s", invalid[i]);
}

Test(origin, label_and_length_limits) {
    char origin[400] = "https://";
    memset(origin + 8, 'a', 63);
    cr_expect(origin_is_valid(origin));
    origin[8 + 63] = 'a';
    cr_expect(!origin_is_valid(origin), "a label of 64");
    for (size_t i = 1; i < 127; i++)
        memcpy(origin + 8 + 2 * (i - 1), "b.", 3);
    memcpy(origin + 8 + 2 * 126, "b", 2); /* 127 labels: 253 bytes */
    cr_expect(origin_is_valid(origin));
    cr_expect(strlen(origin) + 6 + 2 < ORIGIN_TEXT_MAX);
    memcpy(origin + 8 + 253, "b", 2);
    cr_expect(!origin_is_valid(origin), "a host of 254");
}

Test(origin, matches) {
    static const struct {
        const char *allowed, *origin;
        bool matches;
    } cases[] = {
        {"https://example.com", "https://example.com", true},
        {"https://example.com", "HTTPS://Example.COM", true},
        {"https://example.com", "http://example.com", false},
        {"https://example.com", "https://a.example.com", false},
        {"https://example.com", "https://example.com:444", false},
        {"https://example.com", "https://example.com.evil.net", false},
        {"http://localhost:3000", "http://localhost:3000", true},
        {"http://localhost:3000", "http://localhost", false},
        {"https://*.example.com", "https://a.example.com", true},
        {"https://*.example.com", "https://a.b.example.com", true},
        {"https://*.example.com", "https://A.EXAMPLE.com", true},
        {"https://*.example.com", "https://example.com", false},
        {"https://*.example.com", "https://.example.com", false},
        {"https://*.example.com", "https://a..example.com", false},
        {"https://*.example.com", "https://notexample.com", false},
        {"https://*.example.com", "http://a.example.com", false},
        {"https://*.example.com", "https://a.example.com:444", false},
        {"https://*.example.com:444", "https://a.example.com:444", true},
        {"https://*.example.com:444", "https://a.example.com", false},
        {"https://*.example.com", "https://evil.net/.example.com", false},
        {"https://*.example.com", "https://evil.net#.example.com", false},
        {"https://*.example.com", "https://evil.net:1.example.com", false},
        {"https://*.example.com", "https://*.example.com", false},
        {"https://*.example.com", "null", false},
        {"https://*.example.com", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(origin_matches(cases[i].allowed, cases[i].origin) == cases[i].matches, "%s %s",
                  cases[i].allowed, cases[i].origin);
}

Test(key, made) {
    char one[KEY_TEXT_MAX], other[KEY_TEXT_MAX];
    key_make(one);
    key_make(other);
    /* 256 bits are 43 characters of 6 bits. */
    cr_assert(strlen(one) == 3 + 43);
    cr_assert(strncmp(one, "vk_", 3) == 0);
    cr_assert(strspn(one + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
              43);
    cr_assert(strcmp(one, other) != 0);
}

/* BLAKE2b with 32 bytes of output of "abc", as b2sum -l 256 prints it. */
Test(key, hash) {
    static const unsigned char expected[KEY_HASH_BYTES] = {
        0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72, 0x31, 0x71, 0xef,
        0x3f, 0xee, 0x98, 0x57, 0x9b, 0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb,
        0x3e, 0x42, 0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19};
    unsigned char hash[KEY_HASH_BYTES];
    key_hash("abc", 3, hash);
    cr_assert(memcmp(hash, expected, sizeof hash) == 0);
}

Test(scope, names) {
    for (int i = 0; i < SCOPE_COUNT; i++) {
        enum scope scope;
        cr_assert(scope_parse(scope_name((enum scope)i), &scope));
        cr_assert(scope == (enum scope)i);
    }
    enum scope scope;
    cr_assert(!scope_parse("", &scope));
    cr_assert(!scope_parse("root", &scope));
    cr_assert(!scope_parse("Read", &scope));
}
