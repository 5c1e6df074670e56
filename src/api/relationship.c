/* GET /v1/customers/{id}/relationship: all about one customer in one answer. */
#include "handlers.h"

#include "bound.h"
#include "risk.h"
#include "vinculo/currency.h"
#include "vinculo/json.h"
#include "vinculo/timestamp.h"

static const char *const state_names[] = {
    [HEALTH_NOT_STARTED] = "not_started", [HEALTH_ACTIVE] = "active", [HEALTH_GONE] = "gone"};

static void write_moment(struct buf *out, const char *key, int64_t us, bool present) {
    char moment[TIMESTAMP_TEXT_MAX];
    json_key(out, key);
    if (present) {
        timestamp_format(us, moment);
        json_put_text(out, moment);
    } else {
        json_put_null(out);
    }
}

static void write_state(struct buf *out, const struct health_signals *signals) {
    json_key(out, "state");
    json_begin_object(out);
    json_key(out, "status");
    json_put_text(out, state_names[health_state(signals)]);
    write_moment(out, "since", signals->since_us, signals->changes > 0);
    write_moment(out, "ends_at", signals->ends_us, signals->ends_days >= 0);
    json_end_object(out);
}

/* The object that the database wrote, and what it does not know. */
static void write_figures(struct buf *body, const struct buf *figures, const char *currency) {
    json_key(body, "figures");
    buf_add(body, buf_text(figures), figures->length - 1); /* without its brace */
    json_key(body, "minor_digits");
    json_put_int(body, currency_minor_digits(currency));
    json_end_object(body);
}

static void write_relationship(struct buf *body, const struct relationship *relationship,
                               const char *currency) {
    struct health health;
    bool active = health_state(&relationship->signals) == HEALTH_ACTIVE;
    health_compute(&relationship->signals, &health);
    json_begin_object(body);
    write_moment(body, "at", relationship->at_us, true);
    json_key(body, "customer");
    record_write_json(body, &relationship->customer);
    write_state(body, &relationship->signals);
    risk_write_health(body, active ? &health : NULL);
    write_figures(body, &relationship->figures, currency);
    json_key(body, "timeline");
    json_put_raw(body, buf_text(&relationship->timeline), relationship->timeline.length);
    json_key(body, "timeline_more");
    json_put_bool(body, relationship->timeline_more);
    json_end_object(body);
    buf_add_char(body, '\n');
}

static void run_relationship(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct list_bound at = {0};
    struct relationship relationship = {0};
    enum err err = call_take_bound(call, "at", &at);
    if (err == ERR_OK) {
        err = relationship_read(db, call->grant.workspace_id, call->name, &at, &relationship,
                                &call->problem);
    }
    if (err == ERR_OK) {
        write_relationship(call_reply_json(call, 200), &relationship, call->grant.currency);
    }
    relationship_clear(&relationship);
    call_conclude(call, err);
}

enum http_next handle_relationship(struct call *call) {
    return call_run_on_worker(call, run_relationship);
}
