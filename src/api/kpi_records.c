/* GET /v1/kpis/{kpi}/records: the records behind a figure, a page at a time. */
#include "vinculo/kpi_records.h"

#include "cursor.h"
#include "figures.h"
#include "handlers.h"
#include "span.h"
#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE_RECORDS = 100,           /* where limit is not given */
    PAGE_BYTES = 4 * 1024 * 1024, /* a page of long ids ends early */
    BUDGET_US = 2 * 1000 * 1000 /* one stay with a worker, where few records belong to the figure */
};

struct page {
    struct call *call;
    struct kpi_records records;
    size_t limit, count;
    bool declined; /* the record that comes next: it was beyond the limit */
    bool resumed;  /* by a cursor, whose periods are those of its own day */
    int32_t today;
};

static enum err take_limit(struct page *page) {
    const char *text = call_parameter(page->call, "limit");
    if (text == NULL)
        return ERR_OK;
    size_t length = strlen(text);
    unsigned long limit = strtoul(text, NULL, 10);
    if (length > 4 || strspn(text, "0123456789") != length || limit < 1 ||
        limit > PAGE_RECORDS_MAX) {
        return problem_add_parameter(&page->call->problem, ERR_INVALID_PARAMETER, "limit",
                                     "A whole number from 1 to 1000.");
    }
    page->limit = limit;
    return ERR_OK;
}

static enum err take_counted(struct page *page) {
    const char *text = call_parameter(page->call, "counted");
    if (text == NULL)
        return ERR_OK;
    page->records.choice = strcmp(text, "true") == 0 ? KPI_RECORDS_COUNTED : KPI_RECORDS_UNCOUNTED;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        return problem_add_parameter(&page->call->problem, ERR_INVALID_PARAMETER, "counted",
                                     "Allowed: true, false; without it both come.");
    }
    return ERR_OK;
}

static enum err take_cursor(struct page *page) {
    struct call *call = page->call;
    const char *text = call_parameter(call, "cursor");
    if (text == NULL)
        return ERR_OK;
    for (size_t i = 0; i < call->parameter_count; i++) {
        if (!cursor_leaves_out(call->parameters[i].name)) {
            return problem_add_parameter(
                &call->problem, ERR_UNSUPPORTED_COMBINATION, call->parameters[i].name,
                "A cursor holds its period and filters: beside it only limit is taken.");
        }
    }
    struct cursor_place place = {0};
    struct kpi_records_place *at = &page->records.place;
    enum err err = cursor_read(call, text, &place, &page->limit);
    if (err == ERR_OK && !kpi_records_has_part(page->records.spec, (size_t)place.part))
        err = cursor_refuse(call);
    at->part = (size_t)place.part;
    at->begun = *place.id != '\0';
    at->time_us = place.time_us;
    memcpy(at->id, place.id, sizeof at->id);
    page->resumed = true;
    page->today = place.today;
    return err;
}

static enum err take_parameters(struct page *page) {
    struct call *call = page->call;
    enum err err = take_cursor(page);
    err = err == ERR_OK ? take_limit(page) : err;
    if (err != ERR_OK)
        return err;
    err = take_counted(page);
    err = err == ERR_OK ? figures_check_filters(call) : err;
    page->records.segment = call_parameter(call, "segment");
    page->records.channel = call_parameter(call, "channel");
    return err != ERR_OK && page->resumed ? cursor_refuse(call) : err;
}

static enum err plan(void *context, struct kpi_clock *clock, struct period *ret_period,
                     struct problem *problem) {
    struct page *page = context;
    if (page->resumed)
        clock->today = page->today;
    return span_take(page->call, clock, ret_period, problem);
}

static void write_value(struct buf *out, enum kpi_record_type type, const char *text) {
    char moment[TIMESTAMP_TEXT_MAX];
    int64_t time_us;
    if (text == NULL) {
        json_put_null(out);
    } else if (type == KPI_RECORD_BOOL) {
        json_put_bool(out, *text == 't');
    } else if (type == KPI_RECORD_NUMBER) {
        json_put_raw(out, text, strlen(text));
    } else if (type == KPI_RECORD_MOMENT && timestamp_parse_postgres(text, &time_us)) {
        timestamp_format(time_us, moment);
        json_put_text(out, moment);
    } else {
        json_put_text(out, text);
    }
}

static bool take_record(void *context, const struct kpi_record *record) {
    struct page *page = context;
    struct buf *body = &page->call->request->reply.body;
    page->declined = page->count == page->limit || body->length >= PAGE_BYTES;
    if (page->declined)
        return false;
    json_begin_object(body);
    json_key(body, "kpi");
    json_put_text(body, record->kpi);
    json_key(body, "kind");
    json_put_text(body, record->kind);
    for (size_t i = 0; i < KPI_RECORD_COLUMNS; i++) {
        json_key(body, kpi_record_columns[i].name);
        write_value(body, kpi_record_columns[i].type, record->values[i]);
    }
    json_end_object(body);
    page->count++;
    return true;
}

static enum err read_records(struct page *page, struct db *db) {
    int64_t until_us = clock_monotonic_us() + BUDGET_US;
    enum err err;
    do {
        err = kpi_records_next(db, &page->records, take_record, page, &page->call->problem);
    } while (err == ERR_OK && !page->records.place.ended && !page->declined &&
             clock_monotonic_us() < until_us);
    return err;
}

static void write_next_cursor(struct buf *body, const struct page *page) {
    const struct kpi_records_place *at = &page->records.place;
    json_key(body, "next_cursor");
    if (at->ended) {
        json_put_null(body);
        return;
    }
    struct cursor_place place = {
        .time_us = at->time_us, .part = (int)at->part, .today = page->records.clock.today};
    memcpy(place.id, at->id, sizeof place.id);
    buf_add_char(body, '"');
    cursor_write(body, page->call, &place, page->limit);
    buf_add_char(body, '"');
}

static enum err answer(struct page *page, struct db *db) {
    struct call *call = page->call;
    const struct kpi_spec *spec = page->records.spec;
    struct buf *body = call_reply_json(call, 200);
    json_begin_object(body);
    json_key(body, "kpi");
    json_put_text(body, spec->name);
    json_key(body, "definition");
    json_put_text(body, spec->definition);
    json_key(body, "period");
    figures_write_period(body, &page->records.period, &page->records.clock);
    figures_write_filters(body, call);
    json_key(body, "items");
    json_begin_array(body);
    enum err err = read_records(page, db);
    json_end_array(body);
    write_next_cursor(body, page);
    json_end_object(body);
    buf_add_char(body, '\n');
    return err;
}

static void run(struct work *work, struct db *db) {
    struct call *call = call_of_work(work);
    struct page page = {.call = call,
                        .limit = PAGE_RECORDS,
                        .records = {.workspace_id = call->grant.workspace_id,
                                    .spec = kpi_find(call->name, strlen(call->name))}};
    enum err err = take_parameters(&page);
    if (err == ERR_OK)
        err = kpi_records_begin(db, &page.records, plan, &page, &call->problem);
    if (err == ERR_OK)
        err = answer(&page, db);
    call_conclude(call, err);
}

enum http_next handle_kpi_records(struct call *call) {
    if (kpi_find(call->name, strlen(call->name)) == NULL) {
        kpi_refuse_unknown(call, ERR_NOT_FOUND);
        return call_refuse(call);
    }
    return call_run_on_worker(call, run);
}
