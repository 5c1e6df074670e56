/* Problems: codes, details, field and parameter errors. */
#include "vinculo/err.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(problem, names_every_code) {
    for (int code = 0; code < ERR_COUNT; code++)
        cr_assert(err_name((enum err)code) != NULL, "code %d", code);
    for (int code = 0; code < FIELD_ERR_COUNT; code++)
        cr_assert(field_err_name((enum field_err)code) != NULL, "field code %d", code);
    cr_assert_str_eq(err_name(ERR_QUEUE_FULL), "queue_full");
    cr_assert_str_eq(field_err_name(FIELD_UNKNOWN), "unknown_field");
}

Test(problem, keeps_code_and_detail) {
    struct problem problem = {0};
    cr_assert(problem_set(&problem, ERR_BAD_CURSOR, "cursor %d", 7) == ERR_BAD_CURSOR);
    cr_assert(problem.code == ERR_BAD_CURSOR);
    cr_assert_str_eq(problem.detail, "cursor 7");
    problem_clear(&problem);
    cr_assert(problem.code == ERR_OK && problem.detail[0] == '\0');
}

Test(problem, may_be_absent) {
    cr_assert(problem_set(NULL, ERR_NOT_FOUND, "x") == ERR_NOT_FOUND);
    cr_assert(problem_add_field(NULL, "/a", FIELD_REQUIRED, "x") == ERR_INVALID_RECORD);
    cr_assert(problem_add_parameter(NULL, ERR_UNKNOWN_PARAMETER, "a", "x") ==
              ERR_UNKNOWN_PARAMETER);
    problem_clear(NULL);
}

Test(problem, collects_field_errors) {
    struct problem problem = {0};
    problem_add_field(&problem, "/score", FIELD_OUT_OF_RANGE, "0 to %d", 10);
    problem_add_field(&problem, "/type", FIELD_REQUIRED, "one of nps, csat, ces, open");
    cr_assert(problem.code == ERR_INVALID_RECORD);
    cr_assert(problem.error_count == 2);
    cr_assert_str_eq(problem.errors[0].at, "/score");
    cr_assert_str_eq(problem.errors[0].detail, "0 to 10");
    cr_assert(problem.errors[0].code == FIELD_OUT_OF_RANGE && !problem.errors[0].is_parameter);
    problem_clear(&problem);
}

Test(problem, takes_its_detail_from_the_first_parameter) {
    struct problem problem = {0};
    problem_add_parameter(&problem, ERR_INVALID_PARAMETER, "limit", "1 to 1000");
    problem_add_parameter(&problem, ERR_INVALID_PARAMETER, "from", "a date");
    cr_assert_str_eq(problem.detail, "1 to 1000");
    cr_assert(problem.error_count == 2 && problem.errors[1].is_parameter);
    problem_clear(&problem);
}

Test(problem, keeps_a_bounded_number_of_errors) {
    struct problem problem = {0};
    for (int i = 0; i < 3 * PROBLEM_ERRORS_MAX; i++)
        problem_add_field(&problem, "/x", FIELD_UNKNOWN, "no such field");
    cr_assert(problem.error_count == PROBLEM_ERRORS_MAX);
    problem_clear(&problem);
}

Test(problem, cuts_a_long_detail_between_code_points) {
    for (int shift = 0; shift < 3; shift++) {
        char text[3 * PROBLEM_DETAIL_MAX] = "xx";
        size_t length = (size_t)shift;
        while (length + 3 < sizeof text) {
            memcpy(text + length, "€", 3);
            length += 3;
        }
        text[length] = '\0';
        struct problem problem = {0};
        problem_set(&problem, ERR_UNAVAILABLE, "%s", text);
        size_t kept = strlen(problem.detail);
        cr_assert(kept < PROBLEM_DETAIL_MAX && kept >= PROBLEM_DETAIL_MAX - 4);
        cr_assert((kept - (size_t)shift) % 3 == 0, "cut inside a euro sign at shift %d", shift);
    }
}
