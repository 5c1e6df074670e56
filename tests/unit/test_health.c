/* The rules of health: each at its bounds, the sum, the sentences. */
#include "vinculo/health.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Active for 400 days and heard of yesterday: no rule applies. */
static struct health_signals plain(void) {
    return (struct health_signals){.changes = 1,
                                   .since_days = 400,
                                   .ends_us = -1,
                                   .ends_days = -1,
                                   .nps_days = -1,
                                   .nps_class = -1,
                                   .csat_days = -1,
                                   .csat_class = -1,
                                   .ces_days = -1,
                                   .ces_class = -1,
                                   .waiting_days = -1,
                                   .quiet_days = 1,
                                   .buying_gap = -1,
                                   .bought_days = -1};
}

static struct health health_of(const struct health_signals *signals) {
    struct health health;
    health_compute(signals, &health);
    return health;
}

/* The one rule that applies, or "" for none. */
static const char *only_code(const struct health *health) {
    cr_assert(health->count <= 1, "%s and %s", health->rules[0]->code, health->rules[1]->code);
    return health->count == 0 ? "" : health->rules[0]->code;
}

Test(health, without_any_reason_is_the_base) {
    struct health_signals signals = plain();
    struct health health = health_of(&signals);
    cr_assert_str_eq(only_code(&health), "");
    cr_assert_eq(health.score, 70);
}

struct change {
    size_t offset;
    int64_t value;
};
#define SET(member, number)                                                                        \
    { offsetof(struct health_signals, member), number }

Test(health, each_rule_at_its_bounds) {
    static const struct {
        struct change changes[3];
        const char *code;
        int score;
        const char *sentence;
    } cases[] = {
        {{SET(ends_days, 0)}, "cancellation_scheduled", 20, "Is set to leave in less than a day."},
        {{SET(nps_days, 1), SET(nps_class, -1)},
         "nps_detractor",
         45,
         "Was a detractor in the last NPS answer, 1 day ago."},
        {{SET(nps_days, 0), SET(nps_class, 0)},
         "nps_passive",
         65,
         "Was passive in the last NPS answer, less than a day ago."},
        {{SET(nps_days, 12), SET(nps_class, 1)},
         "nps_promoter",
         85,
         "Was a promoter in the last NPS answer, 12 days ago."},
        {{SET(csat_days, 2), SET(csat_class, -1)},
         "csat_dissatisfied",
         55,
         "Was dissatisfied in the last CSAT answer, 2 days ago."},
        {{SET(csat_days, 2), SET(csat_class, 0)}, "", 70, ""},
        {{SET(csat_days, 2), SET(csat_class, 1)},
         "csat_satisfied",
         75,
         "Was satisfied in the last CSAT answer, 2 days ago."},
        {{SET(ces_days, 2), SET(ces_class, -1)},
         "ces_hard",
         55,
         "Found it hard in the last CES answer, 2 days ago."},
        {{SET(ces_days, 2), SET(ces_class, 0)}, "", 70, ""},
        {{SET(ces_days, 2), SET(ces_class, 1)},
         "ces_easy",
         75,
         "Found it easy in the last CES answer, 2 days ago."},
        {{SET(low_open, 1)},
         "low_score_open",
         60,
         "Gave 1 low score about which no action has been done."},
        {{SET(waiting_days, 6)}, "", 70, ""},
        {{SET(waiting_days, 7)}, "waiting_long", 55, "Has been waiting for a solution for 7 days."},
        {{SET(contacts, 2)}, "", 70, ""},
        {{SET(contacts, 3)}, "many_contacts", 60, "Got in touch 3 times in the last 90 days."},
        {{SET(buying_days, 2), SET(buying_gap, 1), SET(bought_days, 99)}, "", 70, ""},
        {{SET(buying_days, 3), SET(buying_gap, 1), SET(bought_days, 13)},
         "purchase_regular",
         80,
         "Buys regularly: on 3 days of the last year."},
        {{SET(buying_days, 3), SET(buying_gap, 1), SET(bought_days, 14)},
         "purchase_overdue",
         50,
         "Last bought 14 days ago, more than twice as long as usual between purchases."},
        {{SET(buying_days, 3), SET(buying_gap, 20), SET(bought_days, 40)},
         "purchase_regular",
         80,
         "Buys regularly: on 3 days of the last year."},
        {{SET(buying_days, 3), SET(buying_gap, 20), SET(bought_days, 41)},
         "purchase_overdue",
         50,
         "Last bought 41 days ago, more than twice as long as usual between purchases."},
        {{SET(refunds, 1)}, "refunded", 60, "Got 1 refund in the last 90 days."},
        {{SET(quiet_days, 179)}, "", 70, ""},
        {{SET(quiet_days, 180)},
         "quiet",
         55,
         "Neither answered, got in touch nor paid for 180 days."},
        {{SET(changes, 3)}, "came_back", 60, "Had left before and came back 400 days ago."},
        {{SET(since_days, 89)}, "new", 65, "Is new: started 89 days ago."},
        {{SET(since_days, 90)}, "", 70, ""},
        {{SET(since_days, 729)}, "", 70, ""},
        {{SET(since_days, 730)}, "loyal", 75, "Has stayed for 730 days without a break."},
    };
    bool covered[HEALTH_RULES_MAX] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct health_signals signals = plain();
        for (size_t j = 0; j < 3; j++) {
            const struct change *change = &cases[i].changes[j];
            if (change->offset != 0 || change->value != 0) {
                memcpy((char *)&signals + change->offset, &change->value, sizeof change->value);
            }
        }
        struct health health = health_of(&signals);
        cr_assert_str_eq(only_code(&health), cases[i].code, "case %zu", i);
        cr_assert_eq(health.score, cases[i].score, "case %zu: %d", i, health.score);
        BUF_SCOPED sentence = {0};
        if (health.count > 0) {
            health_write_sentence(&sentence, &health, 0);
            covered[health.rules[0] - health_rules] = true;
        }
        cr_assert_str_eq(buf_text(&sentence), cases[i].sentence, "case %zu", i);
    }
    for (size_t i = 0; i < health_rule_count; i++) {
        cr_assert(covered[i], "%s has a case", health_rules[i].code);
    }
}

Test(health, is_the_sum_kept_within_its_bounds) {
    struct health_signals best = plain();
    best.nps_days = best.csat_days = best.ces_days = 1;
    best.nps_class = best.csat_class = best.ces_class = 1;
    best.buying_days = 5;
    best.buying_gap = 30;
    best.bought_days = 2;
    best.since_days = 800;
    struct health health = health_of(&best);
    cr_assert_eq(health.count, 5);
    cr_assert_eq(health.score, 100); /* 70 + 15 + 5 + 5 + 10 + 5 = 110 */
    best.nps_class = best.csat_class = best.ces_class = -1;
    health = health_of(&best);
    cr_assert_eq(health.score, 30); /* 70 − 25 − 15 − 15 + 10 + 5 */
    best.ends_days = 3;
    health = health_of(&best);
    cr_assert_eq(health.score, 0);
    cr_assert_str_eq(health.rules[0]->code, "cancellation_scheduled");
}

Test(health, state_alternates) {
    struct health_signals signals = plain();
    static const enum health_state states[] = {HEALTH_NOT_STARTED, HEALTH_ACTIVE, HEALTH_GONE,
                                               HEALTH_ACTIVE, HEALTH_GONE};
    for (int i = 0; i < 5; i++) {
        signals.changes = i;
        cr_assert_eq(health_state(&signals), states[i], "%d changes", i);
    }
}

Test(health, every_sentence_has_a_place_for_its_number) {
    for (size_t i = 0; i < health_rule_count; i++) {
        const struct health_rule *rule = &health_rules[i];
        const char *place = strstr(rule->sentence, "{}");
        cr_assert_not_null(place, "%s", rule->code);
        cr_assert_null(strstr(place + 2, "{}"), "%s", rule->code);
        cr_assert(rule->points != 0 && rule->when[0] != '\0' && rule->unit[0] != '\0', "%s",
                  rule->code);
    }
}
