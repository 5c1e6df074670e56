/*
 * GET /v1/{kind}: a page of records as JSON, or all of them as CSV or NDJSON. GET /v1/feedback is
 * the same of surveys with a comment, by the words in it, too.
 *
 * All of them are sent in constant memory: a worker fills a window, the loop sends it, and only
 * when it is sent does a worker fill the next one. So a slow reader holds a window, but no worker.
 */
#include "handlers.h"

#include "bound.h"
#include "cursor.h"
#include "format.h"
#include "risk.h"
#include "vinculo/csv.h"
#include "vinculo/feedback_store.h"
#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE_RECORDS = 100,           /* where limit is not given */
    PAGE_BYTES = 4 * 1024 * 1024, /* a page of long records ends early */
    WINDOW_BYTES = 128 * 1024,    /* of a stream: what is sent before the next look */
    BUDGET_US = 2 * 1000 * 1000,  /* one stay with a worker, where few records fit the filters */
    EXPORTS_MAX = 64,
    RANKINGS_MAX = 2, /* lists by risk at a time: each keeps a worker and the database busy */
    SEARCH_POINTS_MAX = 200
};

struct list {
    struct call *call;
    struct record_list records;
    struct comment_filter comments; /* of /v1/feedback */
    bool prepared;                  /* … for reading */
    enum format format;
    size_t limit;  /* records at most; of a stream SIZE_MAX where it is not given */
    size_t count;  /* written so far */
    bool declined; /* the record that comes next: it was beyond the limit or the memory */
    bool counted;  /* in app->exports */
    bool sending;  /* a stream, whose first window is under way */
    bool by_risk;  /* order=risk */
    bool ranking;  /* in app->rankings */
    struct list_bound at;
    struct cursor_place place; /* that the cursor says */
};

void list_free(struct list *list) {
    if (list == NULL) {
        return;
    }
    if (list->counted) {
        atomic_fetch_sub(&list->call->app->exports, 1);
    }
    comment_filter_clear(&list->comments);
    if (list->ranking) {
        atomic_fetch_sub(&list->call->app->rankings, 1);
    }
    free(list);
}

static enum err invalid(struct call *call, const char *parameter, const char *allowed) {
    return problem_add_parameter(&call->problem, ERR_INVALID_PARAMETER, parameter, "%s", allowed);
}

static enum err take_limit(struct list *list) {
    const char *text = call_parameter(list->call, "limit");
    if (text == NULL) {
        if (list->format != FORMAT_JSON) {
            list->limit = SIZE_MAX;
        } else if (list->limit == 0) {
            list->limit = PAGE_RECORDS;
        }
        return ERR_OK;
    }
    size_t length = strlen(text);
    unsigned long limit = strtoul(text, NULL, 10);
    if (length > 4 || strspn(text, "0123456789") != length || limit < 1 ||
        limit > PAGE_RECORDS_MAX) {
        return invalid(list->call, "limit", "A whole number from 1 to 1000.");
    }
    list->limit = limit;
    return ERR_OK;
}

/* A date against an instant is a question of the zone, and may give an empty list. */
static enum err take_range(struct list *list) {
    struct call *call = list->call;
    if (call_parameter(call, "period") != NULL &&
        (call_parameter(call, "from") != NULL || call_parameter(call, "to") != NULL)) {
        return problem_add_parameter(&call->problem, ERR_UNSUPPORTED_COMBINATION, "period",
                                     "Give either period, or from and to.");
    }
    struct list_bound *from = &list->records.from;
    struct list_bound *to = &list->records.to;
    enum err err = call_take_bound(list->call, "from", from);
    if (err == ERR_OK) {
        err = call_take_bound(list->call, "to", to);
    }
    if (err == ERR_OK && from->present && to->present && from->is_date == to->is_date &&
        from->at >= to->at) {
        return invalid(list->call, "to", "Must be later than from: it is not in the range itself.");
    }
    return err;
}

static bool is_choice(const struct field_spec *field, const char *text) {
    const char *const *choice = field->choices;
    while (*choice != NULL && strcmp(*choice, text) != 0) {
        choice++;
    }
    return *choice != NULL;
}

static enum err check_value(struct call *call, const struct field_spec *field, const char *text) {
    BUF_SCOPED names = {0};
    switch (field->type) {
    case FIELD_TYPE_ID:
        return record_id_is_valid(text, strlen(text))
                   ? ERR_OK
                   : invalid(call, field->name, "An id has 1 to 128 characters.");
    case FIELD_TYPE_ENUM:
        if (is_choice(field, text)) {
            return ERR_OK;
        }
        for (size_t i = 0; field->choices[i] != NULL; i++) {
            buf_printf(&names, "%s%s", i == 0 ? "Allowed: " : ", ", field->choices[i]);
        }
        return invalid(call, field->name, buf_text(&names));
    default:
        return record_label_is_valid(text, strlen(text))
                   ? ERR_OK
                   : invalid(call, field->name, "A label has 1 to 64 characters.");
    }
}

static enum err unknown_filter(struct call *call, const char *name) {
    BUF_SCOPED known = {0};
    buf_add_str(&known, "limit, cursor, format, from, to");
    if (call->kind->kind == KIND_CUSTOMER) {
        buf_add_str(&known, ", order, at");
    }
    for (size_t i = 0; i < call->kind->field_count; i++) {
        if (record_list_takes(&call->kind->fields[i])) {
            buf_printf(&known, ", %s", call->kind->fields[i].name);
        }
    }
    return problem_add_parameter(&call->problem, ERR_UNKNOWN_PARAMETER, name, "Known for %s: %s.",
                                 call->kind->collection, buf_text(&known));
}

/* What is not a field's name. */
static bool is_taken_elsewhere(const struct call *call, const char *name) {
    bool range =
        strcmp(name, "from") == 0 || strcmp(name, "to") == 0 || strcmp(name, "period") == 0;
    bool risk = strcmp(name, "order") == 0 || strcmp(name, "at") == 0;
    return range || (risk && call->kind->kind == KIND_CUSTOMER) || cursor_leaves_out(name);
}

static enum err check_search(struct call *call, const char *text) {
    size_t points = 0;
    for (const char *at = text; *at != '\0'; at++) {
        points += (*at & 0xC0) != 0x80;
    }
    return points >= 1 && points <= SEARCH_POINTS_MAX
               ? ERR_OK
               : invalid(call, "q", "What to search for has 1 to 200 characters.");
}

/* A parameter that only comments have; *ret_taken: it was one. */
static enum err take_comment_filter(struct list *list, const struct parameter *parameter,
                                    bool *ret_taken) {
    struct comment_filter *comments = list->records.comments;
    const char *value = parameter->value;
    *ret_taken = comments != NULL;
    if (comments == NULL) {
        return ERR_OK;
    }
    if (strcmp(parameter->name, "q") == 0) {
        comments->search = value;
        return check_search(list->call, value);
    }
    if (strcmp(parameter->name, "score_class") == 0) {
        comments->score_class = value;
        return comment_class_is_valid(value)
                   ? ERR_OK
                   : invalid(list->call, "score_class",
                             "Allowed: positive, neutral, negative, unscored.");
    }
    const char **label = NULL;
    if (strcmp(parameter->name, "topic") == 0) {
        label = &comments->topic;
    } else if (strcmp(parameter->name, "agent") == 0) {
        label = &comments->agent;
    }
    *ret_taken = label != NULL;
    if (label == NULL) {
        return ERR_OK;
    }
    *label = value;
    return record_label_is_valid(value, strlen(value))
               ? ERR_OK
               : invalid(list->call, parameter->name, "A label has 1 to 64 characters.");
}

/* Those of the parameters that name fields. */
static enum err take_fields(struct list *list) {
    struct call *call = list->call;
    for (size_t i = 0; i < call->parameter_count; i++) {
        const struct parameter *parameter = &call->parameters[i];
        if (is_taken_elsewhere(call, parameter->name)) {
            continue;
        }
        bool taken = false;
        enum err err = take_comment_filter(list, parameter, &taken);
        if (err != ERR_OK) {
            return err;
        }
        if (taken) {
            continue;
        }
        int field = record_field_index(call->kind, parameter->name);
        if (field < 0 || !record_list_takes(&call->kind->fields[field])) {
            return unknown_filter(call, parameter->name);
        }
        err = check_value(call, &call->kind->fields[field], parameter->value);
        if (err != ERR_OK) {
            return err;
        }
        list->records.values[field] = parameter->value;
    }
    return ERR_OK;
}

static enum err take_cursor(struct list *list) {
    struct call *call = list->call;
    const char *cursor = call_parameter(call, "cursor");
    if (cursor == NULL) {
        return ERR_OK;
    }
    for (size_t i = 0; i < call->parameter_count; i++) {
        if (!cursor_leaves_out(call->parameters[i].name)) {
            return problem_add_parameter(
                &call->problem, ERR_UNSUPPORTED_COMBINATION, call->parameters[i].name,
                "A cursor holds its filters: beside it only limit and format are taken.");
        }
    }
    enum err err = cursor_read(call, cursor, &list->place, &list->limit);
    list->records.begun = err == ERR_OK;
    list->records.time_us = list->place.time_us;
    memcpy(list->records.id, list->place.id, sizeof list->records.id);
    return err;
}

/* order=risk and its moment. */
static enum err take_order(struct list *list) {
    struct call *call = list->call;
    const char *order = call_parameter(call, "order");
    if (call->kind->kind != KIND_CUSTOMER) {
        return ERR_OK; /* take_fields refuses it */
    }
    list->by_risk = order != NULL;
    if (order != NULL && strcmp(order, "risk") != 0) {
        return invalid(call, "order", "Allowed: risk. Without it the newest come first.");
    }
    if (order == NULL && call_parameter(call, "at") != NULL) {
        return problem_add_parameter(&call->problem, ERR_UNSUPPORTED_COMBINATION, "at",
                                     "Goes with order=risk alone.");
    }
    if (order != NULL && list->format != FORMAT_JSON) {
        return problem_add_parameter(&call->problem, ERR_UNSUPPORTED_COMBINATION, "order",
                                     "By risk there are pages of JSON alone.");
    }
    return call_take_bound(call, "at", &list->at);
}

static enum err take_parameters(struct list *list) {
    struct call *call = list->call;
    enum err err = format_choose(call, 1U << FORMAT_JSON | 1U << FORMAT_NDJSON | 1U << FORMAT_CSV,
                                 &list->format);
    if (err == ERR_OK) {
        err = take_cursor(list);
    }
    if (err == ERR_OK) {
        err = take_limit(list);
    }
    if (err != ERR_OK) {
        return err;
    }
    err = take_range(list);
    if (err == ERR_OK) {
        err = take_order(list);
    }
    if (err == ERR_OK) {
        err = take_fields(list);
    }
    return err != ERR_OK && call_parameter(call, "cursor") != NULL ? cursor_refuse(call) : err;
}

static void write_record(struct list *list, struct buf *body, const struct record *record) {
    const struct comment_filter *comments = list->records.comments;
    if (list->format == FORMAT_CSV) {
        csv_write_record(body, record);
        if (comments != NULL) {
            csv_reopen_row(body);
            csv_put_cell(body, comments->offered_class, strlen(comments->offered_class));
            csv_end_row(body);
        }
        return;
    }
    record_write_json(body, record);
    if (comments != NULL) {
        json_reopen_object(body);
        json_key(body, "score_class");
        json_put_text(body, comments->offered_class);
        json_end_object(body);
    }
    if (list->format == FORMAT_NDJSON) {
        buf_add_char(body, '\n');
    }
}

static void write_header(const struct list *list, struct buf *body) {
    csv_write_header(body, list->call->kind);
    if (list->records.comments != NULL) {
        csv_reopen_row(body);
        csv_put_cell(body, "score_class", strlen("score_class"));
        csv_end_row(body);
    }
}

static bool take_record(void *context, const struct record *record) {
    struct list *list = context;
    struct buf *body = &list->call->request->reply.body;
    size_t bytes_max = list->format == FORMAT_JSON ? PAGE_BYTES : WINDOW_BYTES;
    list->declined = list->count == list->limit || body->length >= bytes_max;
    if (list->declined) {
        return false;
    }
    write_record(list, body, record);
    list->count++;
    return true;
}

/* One more than the limit tells whether there are more. */
static size_t rows_to_read(const struct list *list) {
    size_t left = list->limit - list->count;
    return left < LIST_ROWS_MAX ? left + 1 : LIST_ROWS_MAX;
}

static enum err plan_period(void *context, const struct kpi_clock *clock, struct period *ret_period,
                            struct problem *problem) {
    const struct call *call = context;
    return period_parse(call_parameter(call, "period"), clock->today, ret_period, problem);
}

/* Once per request, what a list of comments depends on: the calendar and the language. */
static enum err prepare(struct list *list, struct db *db) {
    struct call *call = list->call;
    struct feedback_period period = {.plan = plan_period, .context = call};
    bool has_period = call_parameter(call, "period") != NULL;
    if (list->prepared || list->records.comments == NULL) {
        return ERR_OK;
    }
    list->prepared = true;
    return feedback_store_begin(db, has_period ? &period : NULL, &list->records, &call->problem);
}

/* Reads until there are no more or one is declined, or the time is over. */
static enum err read_records(struct list *list, struct db *db) {
    int64_t until_us = clock_monotonic_us() + BUDGET_US;
    enum err err = prepare(list, db);
    list->declined = false;
    if (err != ERR_OK) {
        return err;
    }
    do {
        err = record_list_next(db, &list->records, rows_to_read(list), take_record, list,
                               &list->call->problem);
    } while (err == ERR_OK && !list->records.ended && !list->declined &&
             clock_monotonic_us() < until_us);
    if (err == ERR_OK && !buf_ok(&list->call->request->reply.body)) {
        err = problem_set(&list->call->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    }
    return err;
}

static void run_page(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct list *list = call->list;
    struct buf *body = call_reply_json(call, 200);
    json_begin_object(body);
    json_key(body, "items");
    json_begin_array(body);
    enum err err = read_records(list, db);
    json_end_array(body);
    json_key(body, "next_cursor");
    if (list->records.ended) {
        json_put_null(body);
    } else {
        struct cursor_place place = {.time_us = list->records.time_us};
        memcpy(place.id, list->records.id, sizeof place.id);
        buf_add_char(body, '"');
        cursor_write(body, call, &place, list->limit);
        buf_add_char(body, '"');
    }
    json_end_object(body);
    buf_add_char(body, '\n');
    call_conclude(call, err);
}

static void run_risk(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct list *list = call->list;
    bool begun = list->records.begun;
    list->records.begun = false; /* all customers are looked at for every page */
    call_conclude(call, risk_page(call, db, &list->records, &list->at, begun ? &list->place : NULL,
                                  list->limit));
}

static enum http_next start_risk(struct call *call) {
    call->list->ranking = true;
    if (atomic_fetch_add(&call->app->rankings, 1) >= RANKINGS_MAX) {
        problem_set(&call->problem, ERR_QUEUE_FULL,
                    "At most %d lists are put in order of risk at a time; try again.",
                    RANKINGS_MAX);
        return call_refuse(call);
    }
    return call_run_on_worker(call, run_risk);
}

static bool is_complete(const struct list *list) {
    return list->records.ended || (list->declined && list->count == list->limit);
}

static void run_window(struct work *work, struct db *db);

/* In mid-stream there is no other reply left: breaking off is what tells the client. */
static void refuse_window(struct work *work, enum err code) {
    struct call *call = call_of_work(work);
    if (!call->list->sending) {
        call_conclude(call, problem_set(&call->problem, code, "Too busy at present; try again."));
        return;
    }
    buf_reset(&call->request->reply.body);
    call->request->reply.failed = true;
    http_resume(call->request);
}

/* On the loop's thread, when a window has been sent. */
static enum http_next send_more(void *context, struct http_request *request) {
    (void)context;
    struct call *call = request->app;
    buf_reset(&request->reply.body);
    if (is_complete(call->list)) {
        return HTTP_REPLY;
    }
    call->work.run = run_window;
    call->work.refuse = refuse_window;
    if (!atomic_load(&call->app->stopping) &&
        workers_submit(call->app->readers, &call->work, &call->problem) == ERR_OK) {
        return HTTP_WAIT;
    }
    request->reply.failed = true;
    return HTTP_REPLY;
}

static void run_window(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct list *list = call->list;
    struct http_reply *reply = &call->request->reply;
    if (!list->sending && list->format == FORMAT_CSV && reply->body.length == 0) {
        write_header(list, &reply->body);
    }
    enum err err = read_records(list, db);
    /* An empty window would be the end: nothing has come up yet, so other work has its turn. */
    if (err == ERR_OK && reply->body.length == 0 && !is_complete(list)) {
        work->refuse = refuse_window;
        err = workers_submit(call->app->readers, work, &call->problem);
        if (err == ERR_OK) {
            return;
        }
    }
    if (list->sending) {
        reply->failed = err != ERR_OK;
        http_resume(call->request);
        return;
    }
    if (err == ERR_OK) {
        http_reply_set(call->request, 200, format_type(list->format));
        reply->more = send_more;
        list->sending = true;
    }
    call_conclude(call, err);
}

static enum http_next answer_list(struct call *call, bool comments) {
    struct list *list = calloc(1, sizeof *list);
    if (list == NULL) {
        problem_set(&call->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
        return call_refuse(call);
    }
    call->list = list;
    list->call = call;
    list->records.spec = call->kind;
    list->records.workspace_id = call->grant.workspace_id;
    list->records.comments = comments ? &list->comments : NULL;
    if (take_parameters(list) != ERR_OK) {
        return call_refuse(call);
    }
    if (list->by_risk) {
        return start_risk(call);
    }
    if (list->format == FORMAT_JSON) {
        return call_run_on_worker(call, run_page);
    }
    list->counted = true;
    if (atomic_fetch_add(&call->app->exports, 1) >= EXPORTS_MAX) {
        problem_set(&call->problem, ERR_QUEUE_FULL,
                    "At most %d lists are sent as CSV or NDJSON at a time; try again.",
                    EXPORTS_MAX);
        return call_refuse(call);
    }
    return call_run_on_worker(call, run_window);
}

enum http_next handle_list(struct call *call) { return answer_list(call, false); }

enum http_next handle_feedback(struct call *call) {
    call->kind = &record_kinds[KIND_SURVEY];
    return answer_list(call, true);
}
