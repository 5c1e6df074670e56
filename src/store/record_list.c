/* Lists of records: the statement, written from the kind's spec and what is asked for. */
#include "vinculo/record_list.h"

#include "vinculo/timestamp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Records that a statement with filters looks at: many enough where they are not rare, and a
 * fraction of a second's work where they are. */
enum { SCAN_MAX = 20000 };
/* Fewer where the words of each one's comment have to be found first. */
enum { SEARCH_MAX = 2000 };

enum { PARAMETERS_MAX = RECORD_FIELDS_MAX + 8 };

struct statement {
    const struct record_list *list;
    const char *values[PARAMETERS_MAX];
    int count;
    bool of_customer; /* one customer's records, of which there are few */
    bool by_words;    /* comments that have the words, of which there are few */
    int scan_max;     /* records that are looked at */
    char workspace[16];
    char place[TIMESTAMP_TEXT_MAX], from[TIMESTAMP_TEXT_MAX], to[TIMESTAMP_TEXT_MAX];
};

static bool is_customer(const struct field_spec *field) {
    return strcmp(field->name, "customer_id") == 0;
}

bool record_list_takes(const struct field_spec *field) {
    return field->type == FIELD_TYPE_LABEL || is_customer(field) ||
           strcmp(field->name, "type") == 0 || strcmp(field->name, "status") == 0;
}

/* Adds a parameter; its number. */
static int bind(struct statement *statement, const char *value) {
    assert(statement->count < PARAMETERS_MAX);
    statement->values[statement->count++] = value;
    return statement->count;
}

/* The kind's time, as the index <kind>_time has it. */
static void write_time(struct buf *out, const struct kind_spec *spec) {
    if (spec->time_otherwise != NULL) {
        buf_printf(out, "coalesce(%s, %s)", spec->time_field, spec->time_otherwise);
    } else {
        buf_add_str(out, spec->time_field);
    }
}

static void write_bound(struct statement *statement, struct buf *out,
                        const struct list_bound *bound, const char *comparison,
                        char text[TIMESTAMP_TEXT_MAX]) {
    if (!bound->present) {
        return;
    }
    buf_add_str(out, " AND ");
    write_time(out, statement->list->spec);
    int number = bind(statement, text);
    if (bound->is_date) {
        date_format((int32_t)bound->at, text);
        /* As a subquery it is worked out once, and the index can be used. */
        buf_printf(out, " %s (SELECT day_start($%d::date, timezone) FROM workspace WHERE id = $1)",
                   comparison, number);
    } else {
        timestamp_format(bound->at, text);
        buf_printf(out, " %s $%d::timestamptz", comparison, number);
    }
}

/* Records without the label follow their customer's segment, their interaction's channel. */
static bool follows(const struct kind_spec *spec, const char *label) {
    return (strcmp(label, "segment") == 0 && record_field_index(spec, "customer_id") >= 0) ||
           (strcmp(label, "channel") == 0 && record_field_index(spec, "interaction_id") >= 0);
}

static void write_condition(struct statement *statement, struct buf *out, size_t field) {
    const struct kind_spec *spec = statement->list->spec;
    const char *name = spec->fields[field].name;
    int number = bind(statement, statement->list->values[field]);
    if (follows(spec, name)) {
        buf_printf(out, " AND coalesce(%s, followed_%s) = $%d", name, name, number);
    } else {
        buf_printf(out, " AND %s = $%d", name, number);
    }
}

/* The comments that have the words, as the index survey_words_<language> gives them. OFFSET 0: by
 * it alone, whatever the planner thinks of the other conditions. */
static void write_found(struct statement *statement, struct buf *out, int workspace) {
    const struct comment_filter *comments = statement->list->comments;
    buf_printf(out,
               " FROM (SELECT * FROM survey WHERE comment_language = '%s'"
               " AND comment_vector('%s', workspace_id, comment)"
               " @@ (comment_scope($%d) && $%d::tsquery) OFFSET 0) survey",
               comments->language, comments->language, workspace, bind(statement, comments->query));
}

static void write_source(struct statement *statement, struct buf *out, int workspace) {
    const struct record_list *list = statement->list;
    const struct comment_filter *comments = list->comments;
    for (size_t i = 0; i < list->spec->field_count; i++) {
        statement->of_customer = statement->of_customer ||
                                 (list->values[i] != NULL && is_customer(&list->spec->fields[i]));
    }
    statement->by_words =
        comments != NULL && comments->query != NULL && !comments->common && !statement->of_customer;
    if (statement->by_words) {
        write_found(statement, out, workspace);
    } else {
        buf_printf(out, " FROM %s", list->spec->name);
    }
}

/* What is looked at: the conditions that an index serves. The workspace is $1. */
static void write_scope(struct statement *statement, struct buf *out) {
    const struct record_list *list = statement->list;
    int workspace = bind(statement, statement->workspace);
    write_source(statement, out, workspace);
    buf_printf(out, " WHERE workspace_id = $%d", workspace);
    if (list->begun) {
        buf_add_str(out, " AND ");
        write_time(out, list->spec);
        int place = bind(statement, statement->place);
        if (list->time_done) {
            buf_printf(out, " < $%d::timestamptz", place);
        } else {
            buf_printf(out, " = $%d::timestamptz AND id > $%d", place, bind(statement, list->id));
        }
    }
    if (list->comments != NULL) {
        buf_add_str(out, " AND comment IS NOT NULL");
    }
    write_bound(statement, out, &list->from, ">=", statement->from);
    write_bound(statement, out, &list->to, "<", statement->to);
    for (size_t i = 0; i < list->spec->field_count; i++) {
        if (list->values[i] != NULL && is_customer(&list->spec->fields[i])) {
            write_condition(statement, out, i);
        }
    }
}

/* Classes of a comment's score, and their codes in the column score_class. */
static const struct {
    const char *name, *code;
} comment_classes[] = {
    {"positive", "1"}, {"neutral", "0"}, {"negative", "-1"}, {"unscored", "NULL"}};
enum { COMMENT_CLASSES = sizeof comment_classes / sizeof comment_classes[0] };

bool comment_class_is_valid(const char *text) {
    size_t i = 0;
    while (i < COMMENT_CLASSES && strcmp(comment_classes[i].name, text) != 0) {
        i++;
    }
    return i < COMMENT_CLASSES;
}

void comment_filter_clear(struct comment_filter *filter) {
    free(filter->query);
    filter->query = NULL;
}

static bool write_comment_filters(struct statement *statement, struct buf *out) {
    const struct comment_filter *comments = statement->list->comments;
    if (comments == NULL) {
        return false;
    }
    if (comments->topic != NULL) {
        buf_printf(out, " AND followed_topic = $%d", bind(statement, comments->topic));
    }
    if (comments->agent != NULL) {
        buf_printf(out, " AND followed_agent = $%d", bind(statement, comments->agent));
    }
    for (size_t i = 0; comments->score_class != NULL && i < COMMENT_CLASSES; i++) {
        if (strcmp(comment_classes[i].name, comments->score_class) == 0) {
            buf_printf(out, " AND score_class IS NOT DISTINCT FROM %s", comment_classes[i].code);
        }
    }
    bool look = comments->query != NULL && !statement->by_words;
    if (look) {
        buf_printf(out, " AND comment_lexemes('%s', comment) @@ $%d::tsquery", comments->language,
                   bind(statement, comments->query));
        statement->scan_max = SEARCH_MAX;
    }
    return look || comments->topic != NULL || comments->agent != NULL ||
           comments->score_class != NULL;
}

/* The other filters; false where there are none. */
static bool write_filters(struct statement *statement, struct buf *out) {
    const struct record_list *list = statement->list;
    buf_add_str(out, "true");
    bool any = write_comment_filters(statement, out);
    for (size_t i = 0; i < list->spec->field_count; i++) {
        if (list->values[i] != NULL && !is_customer(&list->spec->fields[i])) {
            write_condition(statement, out, i);
            any = true;
        }
    }
    return any;
}

/*
 * SELECT fields, created_at, updated_at, time AS place, fits, edge … ORDER BY time DESC, id.
 * With filters, that is an inner query over the next scan_max records, read only as far as needed,
 * and edge marks the last one of them: the place to go on from where too few of them fit.
 * The records of the time reached have a statement to themselves (time = …, id > …), so that each
 * one starts right at its place in the index <kind>_time (workspace_id, time DESC, id), however
 * many records share a time. A customer's are found by <kind>_customer, comments by survey_comment.
 * Of comments, the score's class follows.
 */
static void write_statement(struct statement *statement, size_t rows, struct buf *sql) {
    const struct kind_spec *spec = statement->list->spec;
    BUF_SCOPED scope = {0};
    BUF_SCOPED filters = {0};
    BUF_SCOPED time = {0};
    write_scope(statement, &scope);
    bool filtered = write_filters(statement, &filters);
    write_time(&time, spec);
    buf_add_str(sql, filtered ? "SELECT * FROM (SELECT " : "SELECT ");
    for (size_t i = 0; i < spec->field_count; i++) {
        buf_printf(sql, "%s, ", spec->fields[i].name);
    }
    buf_printf(sql, "created_at, updated_at, %s AS place, %s AS fits, ", buf_text(&time),
               buf_text(&filters));
    if (filtered) {
        buf_printf(sql, "row_number() OVER (ORDER BY %s DESC, id) = %d AS edge", buf_text(&time),
                   statement->scan_max);
    } else {
        buf_add_str(sql, "false AS edge");
    }
    if (statement->list->comments != NULL) {
        buf_add_str(sql, ", score_class");
    }
    buf_add_str(sql, buf_text(&scope));
    if (filtered) {
        buf_printf(sql, " ORDER BY place DESC, id LIMIT %d) s WHERE fits OR edge",
                   statement->scan_max);
    }
    /* A literal: by a parameter the planner would expect a tenth of the table. */
    buf_printf(sql, " ORDER BY place DESC, id LIMIT %zu", rows);
    sql->failed = sql->failed || !buf_ok(&scope) || !buf_ok(&filters) || !buf_ok(&time);
}

/* A statement on its way. */
struct reading {
    const struct record_list *list;
    size_t rows;
    PGresult **ret_result;
};

/* The index has a workspace's comments in its present language alone. A list that began before the
 * language was changed goes on in its own, looking through the comments. */
static enum db_status check_language(struct db *db, const struct record_list *list,
                                     const char *workspace) {
    struct comment_filter *comments = list->comments;
    if (comments == NULL || comments->query == NULL || comments->common) {
        return DB_OK;
    }
    DB_RESULT *row = NULL;
    const char *values[] = {workspace, comments->language};
    enum db_status status =
        db_query(db, "SELECT FROM workspace WHERE id = $1 AND language = $2", 2, values, &row);
    if (status == DB_OK) {
        comments->common = PQntuples(row) == 0;
    }
    return status;
}

static enum db_status read_body(struct db *db, void *context) {
    struct reading *reading = context;
    struct statement statement = {.list = reading->list, .scan_max = SCAN_MAX};
    BUF_SCOPED sql = {0};
    PQclear(*reading->ret_result); /* of an attempt before */
    *reading->ret_result = NULL;
    snprintf(statement.workspace, sizeof statement.workspace, "%d", reading->list->workspace_id);
    timestamp_format(reading->list->time_us, statement.place);
    enum db_status status = check_language(db, reading->list, statement.workspace);
    write_statement(&statement, reading->rows, &sql);
    if (status == DB_OK && !buf_ok(&sql)) {
        status = DB_LOST;
    }
    /* Right after an import, before PostgreSQL has statistics, it would take the workspace for a
     * small one, and fetch and sort all of it for each statement. Where a sort cannot be avoided,
     * its then enormous cost would have the statement compiled. */
    if (status == DB_OK && !statement.of_customer && !statement.by_words) {
        status = db_query(db, "SET LOCAL enable_sort = off; SET LOCAL jit = off", 0, NULL, NULL);
    }
    if (status == DB_OK) {
        status =
            db_query(db, buf_text(&sql), statement.count, statement.values, reading->ret_result);
    }
    return status;
}

static void set_class(struct comment_filter *comments, const PGresult *result, int row,
                      int column) {
    const char *code = PQgetisnull(result, row, column) ? "NULL" : PQgetvalue(result, row, column);
    for (size_t i = 0; i < COMMENT_CLASSES; i++) {
        if (strcmp(comment_classes[i].code, code) == 0) {
            comments->offered_class = comment_classes[i].name;
        }
    }
}

/* Reads and offers one row; *ret_taken: it was taken. */
static enum err offer(const struct record_list *list, const PGresult *result, int row,
                      bool (*take)(void *context, const struct record *record), void *context,
                      bool *ret_taken) {
    const char *columns[RECORD_FIELDS_MAX + 2];
    struct record record = {0};
    for (size_t i = 0; i < list->spec->field_count + 2; i++) {
        columns[i] = PQgetisnull(result, row, (int)i) ? NULL : PQgetvalue(result, row, (int)i);
    }
    if (list->comments != NULL) {
        set_class(list->comments, result, row, PQnfields(result) - 1);
    }
    enum err err = record_from_row(list->spec, columns, &record);
    *ret_taken = err == ERR_OK && take(context, &record);
    record_clear(&record);
    return err;
}

enum err record_list_next(struct db *db, struct record_list *list, size_t rows,
                          bool (*take)(void *context, const struct record *record), void *context,
                          struct problem *problem) {
    assert(rows > 0 && rows <= LIST_ROWS_MAX);
    bool to_the_end = !list->begun || list->time_done;
    DB_RESULT *result = NULL;
    struct reading reading = {.list = list, .rows = rows, .ret_result = &result};
    enum db_status status = db_transaction(db, DB_SNAPSHOT, read_body, &reading);
    if (status == DB_REFUSED) { /* what was asked for has been checked: not the client's fault */
        return problem_set(problem, ERR_UNAVAILABLE, "The database refused to list (SQLSTATE %s).",
                           db_sqlstate(db));
    }
    enum err err = db_problem(db, status, problem);
    if (err != ERR_OK) {
        return err;
    }
    int count = PQntuples(result);
    int place = (int)list->spec->field_count + 2, fits = place + 1, edge = place + 2;
    for (int row = 0; row < count; row++) {
        bool taken = true;
        int64_t time_us;
        if (db_is_true(result, row, fits)) {
            err = offer(list, result, row, take, context, &taken);
        }
        if (err != ERR_OK || !timestamp_parse_postgres(PQgetvalue(result, row, place), &time_us)) {
            return problem_set(problem, ERR_UNAVAILABLE, "Out of memory; try again.");
        }
        if (!taken) {
            return ERR_OK;
        }
        list->begun = true;
        list->time_done = false;
        list->time_us = time_us;
        snprintf(list->id, sizeof list->id, "%s", PQgetvalue(result, row, 0));
    }
    bool cut = (size_t)count == rows || (count > 0 && db_is_true(result, count - 1, edge));
    if (!cut) {
        list->ended = to_the_end;
        list->time_done = true;
    }
    return ERR_OK;
}
