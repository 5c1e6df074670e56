/* The rules of health, and adding them up. */
#include "vinculo/health.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { NONE = -1 };

/* The bounds that the conditions name. */
enum {
    WAITING_LONG_DAYS = 7,
    MANY_CONTACTS = 3,
    QUIET_DAYS = 180,
    BUYING_DAYS = 3,   /* fewer tell no habit */
    OVERDUE_DAYS = 14, /* not late before that, however often somebody buys */
    NEW_DAYS = 90,
    LOYAL_DAYS = 730
};

const struct health_signal health_signals[] = {
#define HEALTH_ROW(member) {#member, offsetof(struct health_signals, member)},
    HEALTH_SIGNALS(HEALTH_ROW)
#undef HEALTH_ROW
};
const size_t health_signal_count = sizeof health_signals / sizeof *health_signals;

static int64_t when(bool applies, int64_t number) { return applies ? number : NONE; }

static int64_t scheduled(const struct health_signals *s) { return s->ends_days; }

static int64_t nps_detractor(const struct health_signals *s) {
    return when(s->nps_class < 0, s->nps_days);
}
static int64_t nps_passive(const struct health_signals *s) {
    return when(s->nps_class == 0, s->nps_days);
}
static int64_t nps_promoter(const struct health_signals *s) {
    return when(s->nps_class > 0, s->nps_days);
}
static int64_t csat_dissatisfied(const struct health_signals *s) {
    return when(s->csat_class < 0, s->csat_days);
}
static int64_t csat_satisfied(const struct health_signals *s) {
    return when(s->csat_class > 0, s->csat_days);
}
static int64_t ces_hard(const struct health_signals *s) {
    return when(s->ces_class < 0, s->ces_days);
}
static int64_t ces_easy(const struct health_signals *s) {
    return when(s->ces_class > 0, s->ces_days);
}

static int64_t low_score_open(const struct health_signals *s) {
    return when(s->low_open > 0, s->low_open);
}
static int64_t waiting_long(const struct health_signals *s) {
    return when(s->waiting_days >= WAITING_LONG_DAYS, s->waiting_days);
}
static int64_t many_contacts(const struct health_signals *s) {
    return when(s->contacts >= MANY_CONTACTS, s->contacts);
}

static bool is_overdue(const struct health_signals *s) {
    return s->bought_days >= OVERDUE_DAYS && s->bought_days > 2 * s->buying_gap;
}
static int64_t purchase_overdue(const struct health_signals *s) {
    return when(s->buying_days >= BUYING_DAYS && is_overdue(s), s->bought_days);
}
static int64_t purchase_regular(const struct health_signals *s) {
    return when(s->buying_days >= BUYING_DAYS && !is_overdue(s), s->buying_days);
}
static int64_t refunded(const struct health_signals *s) { return when(s->refunds > 0, s->refunds); }

static int64_t quiet(const struct health_signals *s) {
    return when(s->quiet_days >= QUIET_DAYS, s->quiet_days);
}
static int64_t came_back(const struct health_signals *s) {
    return when(s->changes > 1, s->since_days);
}
static int64_t is_new(const struct health_signals *s) {
    return when(s->changes == 1 && s->since_days < NEW_DAYS, s->since_days);
}
static int64_t loyal(const struct health_signals *s) {
    return when(s->since_days >= LOYAL_DAYS, s->since_days);
}

const struct health_rule health_rules[] = {
    {"cancellation_scheduled", -50, scheduled, "day", "Is set to leave in {}.",
     "a cancellation is stored that lies ahead"},
    {"nps_detractor", -25, nps_detractor, "day", "Was a detractor in the last NPS answer, {} ago.",
     "the last NPS answer is 0 to 6"},
    {"nps_passive", -5, nps_passive, "day", "Was passive in the last NPS answer, {} ago.",
     "the last NPS answer is 7 or 8"},
    {"nps_promoter", 15, nps_promoter, "day", "Was a promoter in the last NPS answer, {} ago.",
     "the last NPS answer is 9 or 10"},
    {"csat_dissatisfied", -15, csat_dissatisfied, "day",
     "Was dissatisfied in the last CSAT answer, {} ago.", "the last CSAT answer is dissatisfied"},
    {"csat_satisfied", 5, csat_satisfied, "day", "Was satisfied in the last CSAT answer, {} ago.",
     "the last CSAT answer is satisfied"},
    {"ces_hard", -15, ces_hard, "day", "Found it hard in the last CES answer, {} ago.",
     "the last CES answer is hard"},
    {"ces_easy", 5, ces_easy, "day", "Found it easy in the last CES answer, {} ago.",
     "the last CES answer is easy"},
    {"low_score_open", -10, low_score_open, "low score",
     "Gave {} about which no action has been done.",
     "a low score (detractor, dissatisfied, hard; aspects and unsolicited ones included) has no "
     "done action"},
    {"waiting_long", -15, waiting_long, "day", "Has been waiting for a solution for {}.",
     "an inbound interaction, not with a bot, is open for 7 days or more"},
    {"many_contacts", -10, many_contacts, "time", "Got in touch {} in the last 90 days.",
     "3 or more inbound interactions in the last 90 days"},
    {"purchase_overdue", -20, purchase_overdue, "day",
     "Last bought {} ago, more than twice as long as usual between purchases.",
     "bought on 3 or more days of the last 365, and not for 14 days and more than twice the mean "
     "time between these days"},
    {"purchase_regular", 10, purchase_regular, "day", "Buys regularly: on {} of the last year.",
     "bought on 3 or more days of the last 365, and is not overdue"},
    {"refunded", -10, refunded, "refund", "Got {} in the last 90 days.",
     "a payment below zero in the last 90 days"},
    {"quiet", -15, quiet, "day", "Neither answered, got in touch nor paid for {}.",
     "no answer, interaction or payment for 180 days, counted from the start or return at most"},
    {"came_back", -10, came_back, "day", "Had left before and came back {} ago.",
     "has cancelled and returned"},
    {"new", -5, is_new, "day", "Is new: started {} ago.", "started less than 90 days ago"},
    {"loyal", 5, loyal, "day", "Has stayed for {} without a break.",
     "started or returned 730 days ago or more"},
};
const size_t health_rule_count = sizeof health_rules / sizeof *health_rules;

_Static_assert(sizeof health_rules / sizeof *health_rules <= HEALTH_RULES_MAX,
               "struct health holds every rule");

enum health_state health_state(const struct health_signals *signals) {
    if (signals->changes == 0) {
        return HEALTH_NOT_STARTED;
    }
    return signals->changes % 2 == 1 ? HEALTH_ACTIVE : HEALTH_GONE;
}

void health_compute(const struct health_signals *signals, struct health *ret_health) {
    *ret_health = (struct health){.score = HEALTH_BASE};
    for (size_t i = 0; i < health_rule_count; i++) {
        int64_t number = health_rules[i].measure(signals);
        if (number != NONE) {
            ret_health->rules[ret_health->count] = &health_rules[i];
            ret_health->numbers[ret_health->count++] = number;
            ret_health->score += health_rules[i].points;
        }
    }
    ret_health->score = ret_health->score < 0     ? 0
                        : ret_health->score > 100 ? 100
                                                  : ret_health->score;
}

void health_write_sentence(struct buf *out, const struct health *health, size_t index) {
    const struct health_rule *rule = health->rules[index];
    int64_t number = health->numbers[index];
    const char *place = strstr(rule->sentence, "{}");
    assert(place != NULL);
    buf_add(out, rule->sentence, (size_t)(place - rule->sentence));
    if (number == 0) { /* of days alone: a count that is zero gives no reason */
        buf_printf(out, "less than a %s", rule->unit);
    } else {
        buf_printf(out, "%" PRId64 " %s%s", number, rule->unit, number == 1 ? "" : "s");
    }
    buf_add_str(out, place + 2);
}
