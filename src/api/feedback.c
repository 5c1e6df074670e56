/* GET /v1/feedback/terms, GET /v1/drivers: what comments are about, and what moves the score. */
#include "handlers.h"

#include "answers.h"
#include "figures.h"
#include "span.h"
#include "vinculo/feedback_store.h"
#include "vinculo/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_LEVEL 0.95
#define DRIVERS_DEFINITION "drivers@1"

enum { TERMS_LIMIT = 50 /* where limit is not given */ };

static void put_number(struct buf *out, const char *key, double value) {
    json_key(out, key);
    json_put_decimal(out, value); /* NaN writes null */
}

static void put_count(struct buf *out, const char *key, int64_t count) {
    json_key(out, key);
    json_put_int(out, count);
}

static void put_interval(struct buf *out, const char *key, double low, double high,
                         const char *method) {
    json_key(out, key);
    if (isnan(low)) {
        json_put_null(out);
        return;
    }
    json_begin_object(out);
    put_number(out, "level", INTERVAL_LEVEL);
    put_number(out, "low", low);
    put_number(out, "high", high);
    json_key(out, "method");
    json_put_text(out, method);
    json_end_object(out);
}

static double percent(int64_t x, int64_t n) { return n > 0 ? 100 * (double)x / (double)n : NAN; }

/* "period", "filters", "data": what the answer is about. */
static void write_scope(struct buf *out, const struct call *call, const struct period *period,
                        const struct kpi_clock *clock) {
    json_key(out, "period");
    figures_write_period(out, period, clock);
    figures_write_filters(out, call);
    figures_write_data(out, clock);
}

static enum err plan(void *context, const struct kpi_clock *clock, struct period *ret_period,
                     struct problem *problem) {
    return span_take(context, clock, ret_period, problem);
}

static enum err take_query(struct call *call, struct feedback_query *ret_query) {
    *ret_query = (struct feedback_query){.workspace_id = call->grant.workspace_id,
                                         .segment = call_parameter(call, "segment"),
                                         .channel = call_parameter(call, "channel"),
                                         .period = {.plan = plan, .context = call},
                                         .limit = TERMS_LIMIT};
    return figures_check_filters(call);
}

static enum err take_limit(struct call *call, size_t *limit) {
    const char *text = call_parameter(call, "limit");
    if (text == NULL) {
        return ERR_OK;
    }
    size_t length = strlen(text);
    *limit = strtoul(text, NULL, 10);
    return length <= 3 && strspn(text, "0123456789") == length && *limit >= 1 && *limit <= TERMS_MAX
               ? ERR_OK
               : problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "limit",
                                       "A whole number from 1 to %d.", TERMS_MAX);
}

static int64_t read_of(int64_t total) { return total < TERMS_READ_MAX ? total : TERMS_READ_MAX; }

static void write_term(struct buf *out, const struct term *term, int64_t read,
                       int64_t read_before) {
    double share = percent(term->n, read), share_before = percent(term->before, read_before);
    json_begin_object(out);
    json_key(out, "term");
    json_put_text(out, term->word);
    json_key(out, "lexeme");
    json_put_text(out, term->lexeme);
    put_count(out, "n", term->n);
    put_number(out, "share", share);
    put_count(out, "positive", term->positive);
    put_count(out, "neutral", term->neutral);
    put_count(out, "negative", term->negative);
    put_count(out, "unscored", term->unscored);
    json_key(out, "previous");
    json_begin_object(out);
    put_count(out, "n", term->before);
    put_number(out, "share", share_before);
    json_end_object(out);
    put_number(out, "change", share - share_before);
    json_end_object(out);
}

static void write_terms(struct call *call, const struct feedback_terms *terms) {
    struct buf *body = call_reply_json(call, 200);
    int64_t read = read_of(terms->total), read_before = read_of(terms->total_before);
    json_begin_object(body);
    write_scope(body, call, &terms->period, &terms->clock);
    json_key(body, "language");
    json_put_text(body, terms->language);
    put_count(body, "read", read);
    put_count(body, "total", terms->total);
    json_key(body, "previous");
    json_begin_object(body);
    json_key(body, "period");
    figures_write_period(body, &terms->previous, &terms->clock);
    put_count(body, "read", read_before);
    put_count(body, "total", terms->total_before);
    json_end_object(body);
    json_key(body, "terms");
    json_begin_array(body);
    for (size_t i = 0; i < terms->count; i++) {
        write_term(body, &terms->terms[i], read, read_before);
    }
    json_end_array(body);
    json_end_object(body);
    buf_add_char(body, '\n');
}

static void run_terms(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct feedback_query query;
    struct feedback_terms terms;
    enum err err = take_query(call, &query);
    if (err == ERR_OK) {
        err = take_limit(call, &query.limit);
    }
    if (err == ERR_OK) {
        err = feedback_store_terms(db, &query, &terms, &call->problem);
    }
    if (err == ERR_OK) {
        write_terms(call, &terms);
        answers_keep(call, &terms.clock);
        feedback_terms_clear(&terms);
    }
    call_conclude(call, err);
}

enum http_next handle_terms(struct call *call) {
    return answers_find(call) ? HTTP_REPLY : call_run_on_worker(call, run_terms);
}

static void write_overall(struct buf *out, const char *key, const struct driver_share *share) {
    json_key(out, key);
    json_begin_object(out);
    put_count(out, "n", share->n);
    put_count(out, "positive", share->x);
    put_number(out, "share", share->value);
    json_end_object(out);
}

static void write_driver(struct buf *out, const struct driver *driver) {
    json_begin_object(out);
    json_key(out, "aspect");
    json_put_text(out, driver->aspect);
    put_count(out, "n", driver->satisfied.n);
    put_count(out, "satisfied", driver->satisfied.x);
    put_number(out, "share", driver->satisfied.value);
    put_interval(out, "interval", driver->low, driver->high, "wilson");
    put_count(out, "pairs", driver->pairs);
    write_overall(out, "where_satisfied", &driver->where_satisfied);
    write_overall(out, "where_not_satisfied", &driver->where_not);
    put_number(out, "lift", driver->lift);
    put_interval(out, "lift_interval", driver->lift_low, driver->lift_high, "newcombe");
    json_key(out, "null_reason");
    json_put_text(out, driver->null_reason);
    json_end_object(out);
}

/* The type of the overall answer: as asked for, else the one with the most pairs. */
static enum err write_drivers(struct call *call, const struct feedback_drivers *found,
                              const enum overall *asked) {
    struct driver *drivers = calloc(found->count + 1, sizeof *drivers);
    if (drivers == NULL) {
        return problem_set(&call->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    enum overall overall = asked != NULL ? *asked : OVERALL_CSAT;
    bool known = asked != NULL || driver_choose_overall(found->totals, found->count, &overall);
    for (size_t i = 0; i < found->count; i++) {
        driver_compute(&found->totals[i], overall, &drivers[i]);
    }
    driver_sort(drivers, found->count);
    struct buf *body = call_reply_json(call, 200);
    json_begin_object(body);
    json_key(body, "definition");
    json_put_text(body, DRIVERS_DEFINITION);
    write_scope(body, call, &found->period, &found->clock);
    json_key(body, "overall");
    json_put_text(body, known ? overall_name(overall) : NULL);
    json_key(body, "drivers");
    json_begin_array(body);
    for (size_t i = 0; i < found->count; i++) {
        write_driver(body, &drivers[i]);
    }
    json_end_array(body);
    json_end_object(body);
    buf_add_char(body, '\n');
    free(drivers);
    answers_keep(call, &found->clock);
    return ERR_OK;
}

static enum err take_overall(struct call *call, enum overall *ret_overall, bool *ret_given) {
    const char *text = call_parameter(call, "overall");
    *ret_given = text != NULL;
    return text == NULL || overall_parse(text, ret_overall)
               ? ERR_OK
               : problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, "overall",
                                       "Allowed: csat, nps, ces.");
}

static void run_drivers(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct feedback_query query;
    struct feedback_drivers drivers;
    enum overall overall = OVERALL_CSAT;
    bool given = false;
    enum err err = take_query(call, &query);
    if (err == ERR_OK) {
        err = take_overall(call, &overall, &given);
    }
    if (err == ERR_OK) {
        err = feedback_store_drivers(db, &query, &drivers, &call->problem);
    }
    if (err == ERR_OK) {
        err = write_drivers(call, &drivers, given ? &overall : NULL);
        feedback_drivers_clear(&drivers);
    }
    call_conclude(call, err);
}

enum http_next handle_drivers(struct call *call) {
    return answers_find(call) ? HTTP_REPLY : call_run_on_worker(call, run_drivers);
}
