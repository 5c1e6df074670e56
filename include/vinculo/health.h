/*
 * The health of one customer's relationship: 0 to 100 from a table of rules that each give or take
 * points. Pure: what is known of the customer at a moment in, score and reasons out.
 *
 * Every customer begins with HEALTH_BASE points; the rules that apply add theirs; the sum is kept
 * within 0 and 100. Rules look at the last 365 days only. What it is worth as a prediction is
 * measured by tests/relationship and told in docs/health.md.
 */
#ifndef VINCULO_HEALTH_H
#define VINCULO_HEALTH_H

#include "vinculo/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEALTH_BASE = 70, HEALTH_RULES_MAX = 24 };

/* What the rules look at: X(member), which is the column of customer_signals.sql, too. Numbers of
 * days are whole days of 24 hours before the moment looked at; -1: there is none. A class is 1
 * (promoter, satisfied, easy), 0, or -1 (detractor, dissatisfied, hard). */
#define HEALTH_SIGNALS(X)                                                                          \
    X(changes)  /* of state so far: none: not started; odd: active; even: gone */                  \
    X(since_us) /* the last of them, µs since 1970 */                                             \
    X(since_days)                                                                                  \
    X(ends_us)   /* the next cancellation that is stored already; -1 */                            \
    X(ends_days) /* days until then; -1 */                                                         \
    X(nps_days)  /* since the last NPS answer that counts for the headline; -1 */                  \
    X(nps_class)                                                                                   \
    X(csat_days)                                                                                   \
    X(csat_class)                                                                                  \
    X(ces_days)                                                                                    \
    X(ces_class)                                                                                   \
    X(low_open)     /* low scores without an action done about them */                             \
    X(waiting_days) /* age of the oldest inbound interaction that is open, without bots; -1 */     \
    X(contacts)     /* inbound interactions of the last 90 days */                                 \
    X(quiet_days)   /* since the last answer, interaction, payment or change; at most 365 */       \
    X(buying_days)  /* days (UTC) with a purchase */                                               \
    X(buying_gap)   /* mean days between them; -1 */                                               \
    X(bought_days)  /* since the last purchase; -1 */                                              \
    X(refunds)      /* of the last 90 days */

struct health_signals {
#define HEALTH_MEMBER(member) int64_t member;
    HEALTH_SIGNALS(HEALTH_MEMBER)
#undef HEALTH_MEMBER
};

/* The members by name, for filling the struct from a row. */
struct health_signal {
    const char *name;
    size_t offset; /* of an int64_t in struct health_signals */
};
extern const struct health_signal health_signals[];
extern const size_t health_signal_count;

struct health_rule {
    const char *code;
    int points;
    /* Does it apply? Then the number that its sentence names, else -1. */
    int64_t (*measure)(const struct health_signals *signals);
    const char *unit;     /* of that number, in the singular: "day" */
    const char *sentence; /* {} is where the number and its unit go */
    const char *when;     /* the condition in words */
};

extern const struct health_rule health_rules[];
extern const size_t health_rule_count;

/* A score and the rules that made it, in the table's order. */
struct health {
    int score;
    size_t count;
    const struct health_rule *rules[HEALTH_RULES_MAX];
    int64_t numbers[HEALTH_RULES_MAX];
};

enum health_state { HEALTH_NOT_STARTED, HEALTH_ACTIVE, HEALTH_GONE };
enum health_state health_state(const struct health_signals *signals);

/* Meaningful for active customers only. */
void health_compute(const struct health_signals *signals, struct health *ret_health);
/* The sentence of reason `index`, as plain text. */
void health_write_sentence(struct buf *out, const struct health *health, size_t index);

#endif
