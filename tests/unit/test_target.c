/* How values stand to targets. */
#include "vinculo/target.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const struct kpi_spec *spec_of(const char *name) {
    const struct kpi_spec *spec = kpi_find(name, strlen(name));
    cr_assert(spec != NULL);
    return spec;
}

struct standing {
    double value;
    const char *status;
};

static void check(const char *kpi, struct target target, const struct standing *standings,
                  size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *status =
            target_status_name(target_status(spec_of(kpi), &target, standings[i].value));
        cr_assert(status != NULL && strcmp(status, standings[i].status) == 0,
                  "%s %.9f: %s instead of %s", kpi, standings[i].value, status,
                  standings[i].status);
    }
}

Test(target, more_is_better) {
    static const struct standing standings[] = {
        {100, "healthy"}, {50.1, "healthy"}, {50, "healthy"}, {49.999999, "warning"},
        {30, "warning"},  {29.9, "fever"},   {0, "fever"},    {-100, "fever"}};
    check("nps", (struct target){.healthy = 50, .warning = 30}, standings, 8);
}

Test(target, less_is_better) {
    static const struct standing standings[] = {{0, "healthy"},        {2, "healthy"},
                                                {2.000001, "warning"}, {5, "warning"},
                                                {5.000001, "fever"},   {100, "fever"}};
    check("churn_rate", (struct target){.healthy = 2, .warning = 5}, standings, 6);
    check("first_response_time", (struct target){.healthy = 2, .warning = 5}, standings, 6);
}

Test(target, one_threshold_for_both_leaves_no_warning) {
    static const struct standing standings[] = {{90, "healthy"}, {89.99, "fever"}};
    check("csat", (struct target){.healthy = 90, .warning = 90}, standings, 2);
}

Test(target, values_count_as_they_are_shown) {
    static const struct standing standings[] = {{70 - 4e-7, "healthy"},
                                                {70 - 6e-7, "warning"},
                                                {60 - 4e-7, "warning"},
                                                {60 - 6e-7, "fever"}};
    check("csat", (struct target){.healthy = 70, .warning = 60}, standings, 4);
    check("csat", (struct target){.healthy = 70 + 4e-7, .warning = 60}, standings, 4);
}

Test(target, amounts_may_be_large) {
    static const struct standing standings[] = {{1e300, "healthy"}, {-1e300, "fever"}};
    check("nps", (struct target){.healthy = 1e15, .warning = -1e15}, standings, 2);
}

Test(target, no_value_and_no_target_have_no_status) {
    struct target target = {.healthy = 50, .warning = 30};
    cr_assert(target_status(spec_of("nps"), &target, NAN) == STATUS_NONE);
    cr_assert(target_status(spec_of("nps"), NULL, 40) == STATUS_NONE);
    cr_assert(target_status(spec_of("interactions"), &target, 40) == STATUS_NONE);
    cr_assert(target_status_name(STATUS_NONE) == NULL);
}

Test(target, healthy_is_the_better_one) {
    struct target falling = {.healthy = 50, .warning = 30};
    struct target rising = {.healthy = 2, .warning = 5};
    struct target level = {.healthy = 5, .warning = 5};
    cr_assert(target_is_ordered(spec_of("nps"), &falling));
    cr_assert(!target_is_ordered(spec_of("nps"), &rising));
    cr_assert(target_is_ordered(spec_of("nps"), &level));
    cr_assert(target_is_ordered(spec_of("churn_rate"), &rising));
    cr_assert(!target_is_ordered(spec_of("churn_rate"), &falling));
    cr_assert(target_is_ordered(spec_of("churn_rate"), &level));
}

Test(target, only_what_has_a_direction_has_a_target) {
    cr_assert(kpi_count <= TARGETS_MAX);
    cr_assert(target_is_possible(spec_of("nps")));
    cr_assert(target_is_possible(spec_of("churn_rate")));
    cr_assert(!target_is_possible(spec_of("interactions")));
    cr_assert(!target_is_possible(spec_of("feedback")));
}

Test(target, a_set_knows_its_kpis) {
    struct target_set set = {0};
    size_t index = (size_t)(spec_of("ces") - kpi_catalogue);
    set.present[index] = true;
    set.targets[index].healthy = 80;
    cr_assert(target_of(&set, spec_of("ces")) == &set.targets[index]);
    cr_assert(target_of(&set, spec_of("nps")) == NULL);
}
