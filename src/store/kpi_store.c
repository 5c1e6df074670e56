/* From the rows of the totals tables to one struct totals per period and group. */
#include "vinculo/kpi_store.h"

#include "kpi_groups.h"
#include "totals_sql.h"
#include "vinculo/buf.h"
#include "vinculo/target_store.h"
#include "vinculo/timeline.h"
#include "vinculo/timestamp.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKSPACE_TEXT_MAX = 16, CUT_TEXT_MAX = 4 };

/* Figures of one answer at most: what it takes in memory and on the wire stays bounded. */
enum { FIGURES_MAX = 20000 };

struct reading;

/* A statement that has been asked, and who takes its rows: `what` is the taker's. */
struct question {
    enum db_status (*take)(struct reading *reading, unsigned what, const PGresult *rows);
    unsigned what;
};

/* One per source and its whole, three sketches and months of buyers, each of them stored and
 * waiting; buyers of other periods, targets, losses, actions. */
enum { QUESTIONS_MAX = 2 * (2 * SOURCE_COUNT + 4) + 4 };

struct reading {
    const struct kpi_query *query;
    struct kpi_answer *answer;
    struct problem *problem;
    enum err err;
    struct db *db;
    struct kpi_groups groups;
    struct timeline timeline;
    struct sums *sums; /* of group g and stretch s at g × bound_count + s */
    char workspace[WORKSPACE_TEXT_MAX], cut[CUT_TEXT_MAX];
    struct buf slices[4];        /* arrays for SUMS: stretch, grain, from, to */
    struct buf slices_within[4]; /* … without what lies before the first boundary */
    struct question questions[QUESTIONS_MAX];
    size_t question_count;
};

void kpi_answer_clear(struct kpi_answer *answer) {
    for (size_t i = 0; answer->totals != NULL && i < answer->count * answer->group_count; i++) {
        totals_clear(&answer->totals[i]);
    }
    for (size_t i = 0; answer->groups != NULL && i < answer->group_count; i++) {
        free(answer->groups[i].label);
    }
    free(answer->groups);
    free(answer->totals);
    free(answer->periods);
    *answer = (struct kpi_answer){0};
}

static enum db_status short_of_memory(struct reading *reading) {
    reading->err = problem_set(reading->problem, ERR_UNAVAILABLE, "Out of memory; try again.");
    return DB_STOP;
}

/* What does not depend on one another's answers is asked in one round trip. */
static enum db_status ask(struct reading *reading, const char *statement, int count,
                          const char *const *values,
                          enum db_status (*take)(struct reading *, unsigned, const PGresult *),
                          unsigned what) {
    assert(reading->question_count < QUESTIONS_MAX);
    reading->questions[reading->question_count++] = (struct question){take, what};
    return db_ask(reading->db, statement, count, values);
}

/* Asks for what is stored, and for the changes that wait to be added to it, if there are any. */
static enum db_status ask_with(struct reading *reading, const char *stored, const char *waiting,
                               bool any_wait, int count, const char *const *values,
                               enum db_status (*take)(struct reading *, unsigned, const PGresult *),
                               unsigned what) {
    enum db_status status = ask(reading, stored, count, values, take, what);
    return status == DB_OK && any_wait ? ask(reading, waiting, count, values, take, what) : status;
}

/* -- sums ---------------------------------------------------------------------------------- */

static void add_day(struct buf *out, int32_t day) {
    char text[DATE_TEXT_MAX];
    if (day == TIMELINE_BEGINNING) {
        buf_add_str(out, "-infinity");
        return;
    }
    date_format(day, text);
    buf_add_str(out, text);
}

static void add_slice(struct buf arrays[4], const struct timeline_slice *slice) {
    for (size_t i = 0; i < 4; i++) {
        buf_add_char(&arrays[i], arrays[i].length == 0 ? '{' : ',');
    }
    buf_printf(&arrays[0], "%zu", slice->stretch);
    buf_add_char(&arrays[1], slice->grain);
    add_day(&arrays[2], slice->from);
    add_day(&arrays[3], slice->to);
}

static bool end_slices(struct buf arrays[4]) {
    bool good = true;
    for (size_t i = 0; i < 4; i++) {
        buf_add_char(&arrays[i], '}');
        good = good && buf_ok(&arrays[i]);
    }
    return good;
}

static bool write_slices(struct reading *reading) {
    const struct timeline *timeline = &reading->timeline;
    for (size_t i = 0; i < timeline->slice_count; i++) {
        add_slice(reading->slices, &timeline->slices[i]);
        if (timeline->slices[i].stretch > 0) {
            add_slice(reading->slices_within, &timeline->slices[i]);
        }
    }
    return end_slices(reading->slices) && end_slices(reading->slices_within);
}

static bool period_needs(const struct kpi_query *query, size_t period, enum kpi_need need) {
    return (query->needs & need) != 0 &&
           (query->period_needs == NULL || (query->period_needs[period] & need) != 0);
}

/* Does the stretch lie in this period, and that one need it? */
static bool is_needed(const struct reading *reading, size_t stretch, size_t period,
                      enum kpi_need need) {
    const struct timeline *timeline = &reading->timeline;
    const struct period *within = &reading->answer->periods[period];
    return stretch > 0 && within->from <= timeline->bounds[stretch - 1] &&
           timeline->bounds[stretch] <= within->to && period_needs(reading->query, period, need);
}

/* The slices of the periods that need it; *ret_any: there are some. */
static bool write_needed_slices(const struct reading *reading, enum kpi_need need,
                                struct buf arrays[4], bool *ret_any) {
    const struct timeline *timeline = &reading->timeline;
    *ret_any = false;
    for (size_t i = 0; i < timeline->slice_count; i++) {
        bool needed = false;
        for (size_t period = 0; !needed && period < reading->answer->count; period++) {
            needed = is_needed(reading, timeline->slices[i].stretch, period, need);
        }
        if (needed) {
            add_slice(arrays, &timeline->slices[i]);
            *ret_any = true;
        }
    }
    return end_slices(arrays);
}

static void add_cell(struct sums *sums, const struct totals_column *column, const char *text) {
    char *place = (char *)sums + column->offset;
    if (column->is_sum) {
        *(double *)(void *)place += strtod(text, NULL);
    } else {
        *(int64_t *)(void *)place += strtoll(text, NULL, 10);
    }
}

/* Of losses by reason and costs by category only these columns are the group's own; what they are
 * held against, customers, has no such label. */
static bool is_of_group(enum kpi_label by, const struct totals_column *column) {
    return (by != KPI_LABEL_REASON || strncmp(column->name, "lost_", 5) == 0) &&
           (by != KPI_LABEL_CATEGORY || column->source == SOURCE_COSTS);
}

/* Adds the rows' columns that are (not) the groups' own; the whole's go to every group. */
static void add_rows(struct reading *reading, enum totals_source source, const PGresult *rows,
                     bool whole) {
    size_t stretches = reading->timeline.bound_count;
    for (int row = 0; row < PQntuples(rows); row++) {
        size_t stretch = strtoul(PQgetvalue(rows, row, 0), NULL, 10);
        size_t first = whole ? 0 : strtoul(PQgetvalue(rows, row, 1), NULL, 10);
        size_t end = whole ? reading->answer->group_count : first + 1;
        int column = 2;
        for (size_t i = 0; i < totals_column_count; i++) {
            if (totals_columns[i].source != source) {
                continue;
            }
            const char *text = PQgetvalue(rows, row, column++);
            if (is_of_group(reading->query->by, &totals_columns[i]) == whole) {
                continue;
            }
            for (size_t group = first; group < end; group++) {
                add_cell(&reading->sums[group * stretches + stretch], &totals_columns[i], text);
            }
        }
    }
}

static enum db_status take_sums(struct reading *reading, unsigned source, const PGresult *rows) {
    add_rows(reading, (enum totals_source)source, rows, false);
    return DB_OK;
}

static enum db_status take_whole(struct reading *reading, unsigned source, const PGresult *rows) {
    add_rows(reading, (enum totals_source)source, rows, true);
    return DB_OK;
}

static enum db_status ask_sums(struct reading *reading, enum totals_source source) {
    static const char everything[] = "[{\"ord\":0,\"label\":\"\",\"second_label\":\"\"}]";
    enum kpi_label by = reading->query->by;
    const char *stored = totals_sql_name(TOTALS_SQL_SUMS, source);
    const char *waiting = totals_sql_name(TOTALS_SQL_SUMS_WAITING, source);
    bool any_wait = reading->answer->clock.waiting.source[source];
    const struct buf *slices =
        totals_has_balances(source) ? reading->slices : reading->slices_within;
    const char *values[] = {reading->workspace,
                            buf_text(&slices[0]),
                            buf_text(&slices[1]),
                            buf_text(&slices[2]),
                            buf_text(&slices[3]),
                            reading->cut,
                            buf_text(&reading->groups.keys)};
    enum db_status status = DB_OK;
    if (by != KPI_LABEL_CATEGORY || source == SOURCE_COSTS) {
        status = ask_with(reading, stored, waiting, any_wait, 7, values, take_sums, source);
    }
    if (status == DB_OK && source == SOURCE_LIFE &&
        (by == KPI_LABEL_REASON || by == KPI_LABEL_CATEGORY)) {
        values[5] = "0";
        values[6] = everything;
        status = ask_with(reading, stored, waiting, any_wait, 7, values, take_whole, source);
    }
    return status;
}

/* -- sketches ------------------------------------------------------------------------------ */

/* Counts the members of an array literal such as {1,2,3}. */
static size_t array_size(const char *literal) {
    size_t size = 1;
    for (const char *c = literal; *c != '\0'; c++) {
        size += *c == ',';
    }
    return literal[0] == '{' && literal[1] != '}' && literal[1] != '\0' ? size : 0;
}

/* Takes as many as both texts have; false where memory is short. */
static bool read_sketch(const char *buckets, const char *counts, struct sketch *ret_sketch) {
    size_t size = array_size(buckets), count_size = array_size(counts);
    struct sketch sketch = {.size = size < count_size ? size : count_size};
    sketch.bucket = calloc(sketch.size, sizeof *sketch.bucket);
    sketch.count = calloc(sketch.size, sizeof *sketch.count);
    if (sketch.bucket == NULL || sketch.count == NULL) {
        sketch_clear(&sketch);
        return false;
    }
    for (size_t i = 0; i < sketch.size; i++) {
        char *end;
        sketch.bucket[i] = (int32_t)strtol(buckets + 1, &end, 10);
        buckets = end;
        sketch.count[i] = strtoll(counts + 1, &end, 10);
        counts = end;
    }
    *ret_sketch = sketch;
    return true;
}

static struct sketch *sketch_of(struct totals *totals, enum kpi_need need) {
    if (need == NEED_RESPONSE) {
        return &totals->response;
    }
    return need == NEED_RESOLUTION ? &totals->resolution : &totals->follow_up;
}

/* Adds one stretch's sketch to every period that it lies in and that needs it. */
static bool add_sketch(struct reading *reading, enum kpi_need need, size_t group, size_t stretch,
                       const struct sketch *sketch) {
    struct kpi_answer *answer = reading->answer;
    bool good = true;
    for (size_t i = 0; good && i < answer->count; i++) {
        if (is_needed(reading, stretch, i, need)) {
            good = sketch_add(sketch_of(&answer->totals[group * answer->count + i], need), sketch);
        }
    }
    return good;
}

static enum db_status take_sketches(struct reading *reading, unsigned need, const PGresult *rows) {
    bool good = true;
    for (int row = 0; good && row < PQntuples(rows); row++) {
        struct sketch sketch;
        good = read_sketch(PQgetvalue(rows, row, 2), PQgetvalue(rows, row, 3), &sketch);
        if (good) {
            good = add_sketch(reading, (enum kpi_need)need,
                              strtoul(PQgetvalue(rows, row, 1), NULL, 10),
                              strtoul(PQgetvalue(rows, row, 0), NULL, 10), &sketch);
            sketch_clear(&sketch);
        }
    }
    return good ? DB_OK : short_of_memory(reading);
}

static enum db_status ask_sketches(struct reading *reading, enum kpi_need need) {
    bool of_surveys = need == NEED_FOLLOW_UP;
    const char *metric = of_surveys ? "u" : need == NEED_RESPONSE ? "f" : "r";
    const char *stored = of_surveys ? "follow_up_sketch" : "duration_sketch";
    const char *waiting = of_surveys ? "follow_up_sketch_waiting" : "duration_sketch_waiting";
    bool any_wait =
        reading->answer->clock.waiting.source[of_surveys ? SOURCE_SURVEYS : SOURCE_INTERACTIONS];
    struct buf slices[4] = {{0}};
    bool any = false;
    enum db_status status = DB_OK;
    if (!write_needed_slices(reading, need, slices, &any)) {
        status = short_of_memory(reading);
    } else if (any) {
        const char *values[] = {reading->workspace,
                                buf_text(&slices[0]),
                                buf_text(&slices[1]),
                                buf_text(&slices[2]),
                                buf_text(&slices[3]),
                                reading->cut,
                                buf_text(&reading->groups.keys),
                                metric};
        status = ask_with(reading, stored, waiting, any_wait, 8, values, take_sketches, need);
    }
    for (size_t i = 0; i < 4; i++) {
        buf_free(&slices[i]);
    }
    return status;
}

/* -- losses and purchases ------------------------------------------------------------------ */

/* Arrays of those periods that a statement is asked about. */
struct period_arrays {
    struct buf number, before, from, to;
    size_t count;
};

static void period_arrays_clear(struct period_arrays *arrays) {
    buf_free(&arrays->number);
    buf_free(&arrays->before);
    buf_free(&arrays->from);
    buf_free(&arrays->to);
}

#define PERIOD_ARRAYS __attribute__((cleanup(period_arrays_clear))) struct period_arrays

static void period_arrays_add(struct period_arrays *arrays, size_t number,
                              const struct period *period) {
    const char *comma = arrays->count++ == 0 ? "{" : ",";
    struct period previous;
    period_previous(period, &previous);
    buf_printf(&arrays->number, "%s%zu", comma, number);
    buf_add_str(&arrays->before, comma);
    buf_add_str(&arrays->from, comma);
    buf_add_str(&arrays->to, comma);
    add_day(&arrays->before, previous.from);
    add_day(&arrays->from, period->from);
    add_day(&arrays->to, period->to);
}

static bool period_arrays_end(struct period_arrays *arrays) {
    buf_add_char(&arrays->number, '}');
    buf_add_char(&arrays->before, '}');
    buf_add_char(&arrays->from, '}');
    buf_add_char(&arrays->to, '}');
    return buf_ok(&arrays->number) && buf_ok(&arrays->before) && buf_ok(&arrays->from) &&
           buf_ok(&arrays->to);
}

/* Puts the counts of rows (number, ord, counts …) into members of the totals they belong to. */
static void take_counts(struct reading *reading, const PGresult *rows, const size_t *offsets,
                        int count) {
    for (int row = 0; row < PQntuples(rows); row++) {
        size_t number = strtoul(PQgetvalue(rows, row, 0), NULL, 10);
        size_t group = strtoul(PQgetvalue(rows, row, 1), NULL, 10);
        struct totals *totals = &reading->answer->totals[group * reading->answer->count + number];
        for (int i = 0; i < count; i++) {
            *(int64_t *)(void *)((char *)totals + offsets[i]) +=
                strtoll(PQgetvalue(rows, row, 2 + i), NULL, 10);
        }
    }
}

static bool has_own_losses(const struct period *period) {
    return period->granularity == GRANULARITY_MONTH || period->granularity == GRANULARITY_QUARTER ||
           period->granularity == GRANULARITY_YEAR || period_is_trailing_year(period);
}

static enum db_status take_losses(struct reading *reading, unsigned what, const PGresult *rows) {
    static const size_t offsets[] = {
        offsetof(struct totals, lost), offsetof(struct totals, lost_new),
        offsetof(struct totals, lost_voluntary), offsetof(struct totals, lost_involuntary)};
    (void)what;
    take_counts(reading, rows, offsets, 4);
    return DB_OK;
}

static enum db_status ask_losses(struct reading *reading) {
    const struct kpi_answer *answer = reading->answer;
    PERIOD_ARRAYS arrays = {0};
    for (size_t i = 0; i < answer->count; i++) {
        if (period_needs(reading->query, i, NEED_LOSSES) && !has_own_losses(&answer->periods[i])) {
            period_arrays_add(&arrays, i, &answer->periods[i]);
        }
    }
    if (arrays.count == 0) {
        return DB_OK;
    }
    if (!period_arrays_end(&arrays)) {
        return short_of_memory(reading);
    }
    const char *values[] = {reading->workspace,     buf_text(&arrays.number),
                            buf_text(&arrays.from), buf_text(&arrays.to),
                            reading->cut,           buf_text(&reading->groups.keys)};
    return ask(reading, "kpi_losses", 6, values, take_losses, 0);
}

static enum db_status take_purchases(struct reading *reading, unsigned what, const PGresult *rows) {
    static const size_t offsets[] = {
        offsetof(struct totals, buyers), offsetof(struct totals, repeat_buyers),
        offsetof(struct totals, previous_buyers), offsetof(struct totals, returning_buyers)};
    (void)what;
    take_counts(reading, rows, offsets, 4);
    return DB_OK;
}

static enum db_status take_months(struct reading *reading, unsigned what, const PGresult *rows) {
    struct kpi_answer *answer = reading->answer;
    (void)what;
    for (int row = 0; row < PQntuples(rows); row++) {
        size_t number = strtoul(PQgetvalue(rows, row, 0), NULL, 10);
        size_t group = strtoul(PQgetvalue(rows, row, 1), NULL, 10);
        struct sketch pairs;
        if (!read_sketch(PQgetvalue(rows, row, 3), PQgetvalue(rows, row, 4), &pairs)) {
            return short_of_memory(reading);
        }
        totals_add_buyers(&answer->totals[group * answer->count + number], &answer->periods[number],
                          (int32_t)strtol(PQgetvalue(rows, row, 2), NULL, 10), &pairs);
        sketch_clear(&pairs);
    }
    return DB_OK;
}

static enum db_status ask_purchases(struct reading *reading, bool whole_months) {
    const struct kpi_answer *answer = reading->answer;
    PERIOD_ARRAYS arrays = {0};
    for (size_t i = 0; i < answer->count; i++) {
        struct period previous;
        period_previous(&answer->periods[i], &previous);
        bool whole =
            period_is_whole_months(&answer->periods[i]) && period_is_whole_months(&previous);
        if (period_needs(reading->query, i, NEED_PURCHASES) && whole == whole_months) {
            period_arrays_add(&arrays, i, &answer->periods[i]);
        }
    }
    if (arrays.count == 0) {
        return DB_OK;
    }
    if (!period_arrays_end(&arrays)) {
        return short_of_memory(reading);
    }
    const char *values[] = {reading->workspace,
                            buf_text(&arrays.number),
                            buf_text(&arrays.before),
                            buf_text(&arrays.from),
                            buf_text(&arrays.to),
                            reading->cut,
                            buf_text(&reading->groups.keys)};
    return whole_months ? ask_with(reading, "kpi_purchases", "kpi_purchases_waiting",
                                   answer->clock.waiting.buyers, 7, values, take_months, 0)
                        : ask(reading, "kpi_purchases_range", 7, values, take_purchases, 0);
}

/* -- one totals per period and group ------------------------------------------------------- */

static void add_stretches(const struct timeline *timeline, const struct sums *sums, int32_t from,
                          int32_t to, struct sums *ret_sums) {
    size_t first, end;
    timeline_find(timeline, from, to, &first, &end);
    for (size_t i = first; i < end; i++) {
        sums_add(ret_sums, &sums[i]);
    }
}

static void assemble(const struct reading *reading, const struct sums *sums,
                     const struct period *period, struct totals *totals) {
    const struct timeline *timeline = &reading->timeline;
    const struct kpi_clock *clock = &reading->answer->clock;
    struct sums within = {0}, before = {0}, previous = {0}, last = {0};
    struct period period_before, last_month;
    period_previous(period, &period_before);
    add_stretches(timeline, sums, period->from, period->to, &within);
    add_stretches(timeline, sums, TIMELINE_BEGINNING, period->from, &before);
    add_stretches(timeline, sums, period_before.from, period->from, &previous);
    bool trailing = period_is_trailing_year(period);
    if (trailing) {
        period_containing(GRANULARITY_MONTH, period->to - 1, &last_month);
        add_stretches(timeline, sums, last_month.from, period->to, &last);
    }
    totals_add_sums(totals, &within);
    totals_derive(totals, period, &before, &previous, trailing ? &last : NULL);
    totals->response.sum_us = totals->response_us;
    totals->resolution.sum_us = totals->resolution_us;
    totals->surveys_before = clock->surveys_from < period->to;
    totals->interactions_before = clock->interactions_from < period->to;
    totals->payments_before = clock->payments_from < period->to;
    totals->cancellations_stored = clock->cancellations_stored;
}

static void assemble_all(struct reading *reading) {
    struct kpi_answer *answer = reading->answer;
    for (size_t group = 0; group < answer->group_count; group++) {
        const struct sums *sums = reading->sums + group * reading->timeline.bound_count;
        for (size_t i = 0; i < answer->count; i++) {
            assemble(reading, sums, &answer->periods[i],
                     &answer->totals[group * answer->count + i]);
        }
    }
}

static enum db_status take_actions(struct reading *reading, unsigned what, const PGresult *row) {
    struct kpi_actions *ret_actions = reading->query->ret_actions;
    (void)what;
    if (PQntuples(row) == 1) {
        ret_actions->open = strtoll(PQgetvalue(row, 0, 0), NULL, 10);
        ret_actions->overdue = strtoll(PQgetvalue(row, 0, 1), NULL, 10);
        ret_actions->done = strtoll(PQgetvalue(row, 0, 2), NULL, 10);
    }
    return DB_OK;
}

static enum db_status ask_actions(struct reading *reading) {
    char from[DATE_TEXT_MAX], to[DATE_TEXT_MAX];
    const char *values[] = {reading->workspace, from, to};
    if (reading->query->ret_actions == NULL) {
        return DB_OK;
    }
    date_format(reading->answer->periods[0].from, from);
    date_format(reading->answer->periods[0].to, to);
    return ask(reading, "kpi_actions", 3, values, take_actions, 0);
}

static enum db_status take_targets(struct reading *reading, unsigned what, const PGresult *rows) {
    (void)what;
    return target_store_take(rows, &reading->answer->targets);
}

static enum db_status ask_rest(struct reading *reading) {
    const char *values[] = {reading->workspace};
    enum db_status status = ask(reading, "target_list", 1, values, take_targets, 0);
    status = status == DB_OK ? ask_sketches(reading, NEED_RESPONSE) : status;
    status = status == DB_OK ? ask_sketches(reading, NEED_RESOLUTION) : status;
    status = status == DB_OK ? ask_sketches(reading, NEED_FOLLOW_UP) : status;
    status = status == DB_OK ? ask_losses(reading) : status;
    status = status == DB_OK ? ask_purchases(reading, true) : status;
    status = status == DB_OK ? ask_purchases(reading, false) : status;
    return status == DB_OK ? ask_actions(reading) : status;
}

static enum db_status read_totals(struct reading *reading) {
    struct kpi_answer *answer = reading->answer;
    reading->sums =
        calloc(answer->group_count * reading->timeline.bound_count, sizeof *reading->sums);
    answer->totals = calloc(answer->group_count * answer->count, sizeof *answer->totals);
    if (reading->sums == NULL || answer->totals == NULL || !write_slices(reading)) {
        return short_of_memory(reading);
    }
    enum db_status status = DB_OK;
    reading->question_count = 0;
    for (unsigned source = 0; status == DB_OK && source < SOURCE_COUNT; source++) {
        if ((reading->query->needs & 1U << source) != 0) {
            status = ask_sums(reading, (enum totals_source)source);
        }
    }
    size_t sums = reading->question_count;
    status = status == DB_OK ? ask_rest(reading) : status;
    for (size_t i = 0; status == DB_OK && i <= reading->question_count; i++) {
        if (i == sums) {
            assemble_all(reading); /* the others' answers add to it */
        }
        if (i < reading->question_count) {
            const struct question *question = &reading->questions[i];
            DB_RESULT *rows = NULL;
            status = db_answer(reading->db, &rows);
            status = status == DB_OK ? question->take(reading, question->what, rows) : status;
        }
    }
    return status;
}

static enum db_status read_groups(struct reading *reading) {
    struct kpi_answer *answer = reading->answer;
    int32_t from = INT32_MAX, to = INT32_MIN;
    for (size_t i = 0; i < answer->count; i++) {
        from = answer->periods[i].from < from ? answer->periods[i].from : from;
        to = answer->periods[i].to > to ? answer->periods[i].to : to;
    }
    enum db_status status =
        kpi_groups_read(reading->db, reading->query, from, to, &reading->groups);
    snprintf(reading->cut, sizeof reading->cut, "%d", reading->groups.cut);
    answer->groups = reading->groups.groups;
    answer->group_count = reading->groups.count;
    if (status == DB_OK && !reading->groups.complete) {
        return short_of_memory(reading);
    }
    if (status == DB_OK && answer->group_count * answer->count > FIGURES_MAX) {
        reading->err = problem_add_parameter(
            reading->problem, ERR_INVALID_PARAMETER, "granularity",
            "The answer would have %zu figures: ask for a shorter range or a coarser granularity.",
            answer->group_count * answer->count);
        return DB_STOP;
    }
    return status;
}

static enum db_status read_answer(struct reading *reading) {
    struct kpi_answer *answer = reading->answer;
    const struct kpi_query *query = reading->query;
    enum db_status status = kpi_store_read_clock(reading->db, query->workspace_id, &answer->clock);
    if (status != DB_OK) {
        return status;
    }
    reading->err = query->plan(query->context, &answer->clock, &answer->periods, &answer->count,
                               reading->problem);
    if (reading->err == ERR_OK) {
        reading->err =
            timeline_make(answer->periods, answer->count, &reading->timeline, reading->problem);
    }
    if (reading->err != ERR_OK) {
        return DB_STOP;
    }
    status = read_groups(reading);
    return status == DB_OK ? read_totals(reading) : status;
}

static enum db_status read_body(struct db *db, void *context) {
    struct reading *reading = context;
    kpi_answer_clear(reading->answer); /* of an earlier attempt */
    reading->db = db;
    snprintf(reading->workspace, sizeof reading->workspace, "%d", reading->query->workspace_id);
    enum db_status status = read_answer(reading);
    for (size_t i = 0; i < 4; i++) {
        buf_free(&reading->slices[i]);
        buf_free(&reading->slices_within[i]);
    }
    buf_free(&reading->groups.keys);
    timeline_clear(&reading->timeline);
    free(reading->sums);
    reading->sums = NULL;
    return status;
}

enum err kpi_store_read(struct db *db, const struct kpi_query *query, struct kpi_answer *ret_answer,
                        struct problem *problem) {
    struct reading reading = {.query = query, .answer = ret_answer, .problem = problem};
    *ret_answer = (struct kpi_answer){0};
    enum db_status status = db_transaction(db, DB_SNAPSHOT, read_body, &reading);
    enum err err = status == DB_STOP ? reading.err : db_problem(db, status, problem);
    if (err != ERR_OK) {
        kpi_answer_clear(ret_answer);
    }
    return err;
}
