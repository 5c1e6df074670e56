/* The growable buffer: content, growth, sticky failure. */
#include "vinculo/buf.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

Test(buf, is_empty_text_before_anything_was_added) {
    BUF_SCOPED buf = {0};
    cr_assert_str_eq(buf_text(&buf), "");
    cr_assert(buf_ok(&buf));
}

Test(buf, keeps_what_is_added_in_order) {
    BUF_SCOPED buf = {0};
    buf_add_str(&buf, "ab");
    buf_add_char(&buf, 'c');
    buf_add(&buf, "d\0e", 3);
    buf_printf(&buf, "%d-%s", 7, "x");
    cr_assert(buf.length == 9);
    cr_assert(memcmp(buf.data, "abcd\0e7-x", 10) == 0, "with a NUL after the last byte");
}

Test(buf, grows_over_every_capacity) {
    BUF_SCOPED buf = {0};
    for (int i = 0; i < 100000; i++)
        buf_add_char(&buf, (char)('a' + i % 26));
    cr_assert(buf.length == 100000);
    cr_assert(strlen(buf_text(&buf)) == 100000);
    for (int i = 0; i < 100000; i++)
        cr_assert(buf.data[i] == 'a' + i % 26);
}

Test(buf, prints_a_text_longer_than_its_room) {
    BUF_SCOPED buf = {0};
    buf_printf(&buf, "%5000d", 1);
    cr_assert(buf.length == 5000);
    cr_assert(buf.data[4999] == '1');
}

Test(buf, prints_up_to_the_last_byte_of_its_room_and_beyond) {
    for (int length = 1; length < 600; length++) {
        BUF_SCOPED buf = {0};
        buf_add_str(&buf, "abc");
        buf_printf(&buf, "%*d", length, 7);
        cr_assert(buf_ok(&buf) && buf.length == 3 + (size_t)length, "%d", length);
        cr_assert(buf.data[buf.length - 1] == '7' && buf.data[buf.length] == '\0', "%d", length);
    }
}

Test(buf, remembers_that_memory_ran_out) {
    BUF_SCOPED buf = {0};
    buf_add_str(&buf, "kept");
    buf_add(&buf, "", SIZE_MAX / 2);
    cr_assert(!buf_ok(&buf));
    buf_add_str(&buf, "ignored");
    cr_assert_str_eq(buf_text(&buf), "kept");
    buf_reset(&buf);
    cr_assert(buf_ok(&buf));
    buf_add_str(&buf, "new");
    cr_assert_str_eq(buf_text(&buf), "new");
}
