/* The JSON writer: commas, escapes, numbers, and values that jansson parsed. */
#include "vinculo/json.h"

#include <criterion/criterion.h>
#include <math.h>

Test(json, places_commas_between_members_and_elements) {
    BUF_SCOPED out = {0};
    json_begin_object(&out);
    json_key(&out, "a");
    json_put_int(&out, 1);
    json_key(&out, "b");
    json_begin_array(&out);
    json_put_bool(&out, true);
    json_put_null(&out);
    json_begin_object(&out);
    json_end_object(&out);
    json_begin_array(&out);
    json_end_array(&out);
    json_put_text(&out, "x");
    json_end_array(&out);
    json_key(&out, "c");
    json_put_raw(&out, "{\"d\":2}", 7);
    json_key(&out, "e");
    json_put_text(&out, NULL);
    json_end_object(&out);
    cr_assert_str_eq(buf_text(&out),
                     "{\"a\":1,\"b\":[true,null,{},[],\"x\"],\"c\":{\"d\":2},\"e\":null}");
}

Test(json, begins_a_new_text_after_a_line_break) {
    BUF_SCOPED out = {0};
    json_put_int(&out, 1);
    buf_add_char(&out, '\n');
    json_put_int(&out, 2);
    cr_assert_str_eq(buf_text(&out), "1\n2");
}

Test(json, escapes_what_rfc_8259_demands_and_nothing_else) {
    BUF_SCOPED out = {0};
    json_put_text(&out, "\"\\/\n\r\t\b\x1f\x7fé😀");
    cr_assert_str_eq(buf_text(&out), "\"\\\"\\\\/\\n\\r\\t\\u0008\\u001f\x7fé😀\"");
}

Test(json, writes_a_nul_inside_a_string) {
    BUF_SCOPED out = {0};
    json_put_string(&out, "a\0b", 3);
    cr_assert_str_eq(buf_text(&out), "\"a\\u0000b\"");
}

Test(json, cuts_decimals_to_six_and_drops_zeros) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {-0.0000001, "0"},
        {0.1, "0.1"},
        {100, "100"},
        {-12.5, "-12.5"},
        {26.0 / 51 * 100, "50.980392"},
        {2.0 / 3, "0.666667"},
        {1e15, "1000000000000000"},
        {1200, "1200"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUF_SCOPED out = {0};
        json_put_decimal(&out, cases[i].value);
        cr_assert_str_eq(buf_text(&out), cases[i].text, "case %zu: %s", i, buf_text(&out));
    }
}

Test(json, writes_the_largest_double) {
    BUF_SCOPED out = {0};
    json_put_decimal(&out, -1.7976931348623157e308);
    cr_assert(out.length == 310);
}

Test(json, returns_parsed_values_as_they_came) {
    static const char *const texts[] = {
        "{\"z\":1,\"a\":[true,false,null],\"m\":{\"b\":\"é\",\"a\":\"\"}}",
        "[0.1,1.0,-2.5,1e+100,0.30000000000000004,5e-324]",
        "[9223372036854775807,-9223372036854775808]",
        "[]",
        "{}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *value = json_loads(texts[i], 0, NULL);
        cr_assert(value != NULL);
        BUF_SCOPED out = {0};
        json_put_value(&out, value);
        json_t *again = json_loads(buf_text(&out), 0, NULL);
        cr_assert(json_equal(value, again), "%s", buf_text(&out));
        json_decref(value);
        json_decref(again);
        if (i != 1) /* 5e-324 is written with its digits */
            cr_assert_str_eq(buf_text(&out), texts[i]);
    }
}

Test(json, keeps_the_number_zero_point_one_short) {
    json_t *value = json_real(0.1);
    BUF_SCOPED out = {0};
    json_put_value(&out, value);
    cr_assert_str_eq(buf_text(&out), "0.1");
    json_decref(value);
}
