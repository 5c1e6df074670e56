/* Choosing cut and groups (see kpi_groups.h). */
#include "kpi_groups.h"

#include "totals_sql.h"
#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUT_SEGMENT = 1, CUT_CHANNEL = 2, CUT_SEGMENT_CHANNEL = 3 };

/* Of two labels segment is the first, channel the second. */
static int cut_of(const struct kpi_query *query) {
    bool segment = query->segment != NULL || query->by == KPI_LABEL_SEGMENT;
    bool channel = query->channel != NULL || query->by == KPI_LABEL_CHANNEL;
    if (query->by != KPI_LABEL_NONE && !segment && !channel) {
        return (int)query->by;
    }
    return (segment ? CUT_SEGMENT : 0) + (channel ? CUT_CHANNEL : 0);
}

static void add_key(struct kpi_groups *groups, const struct kpi_query *query, size_t ord,
                    const char *label) {
    const char *segment = query->by == KPI_LABEL_SEGMENT ? label : query->segment;
    const char *channel = query->by == KPI_LABEL_CHANNEL ? label : query->channel;
    const char *first = groups->cut > CUT_SEGMENT_CHANNEL ? label
                        : groups->cut == CUT_CHANNEL      ? channel
                                                          : segment;
    struct buf *out = &groups->keys;
    json_begin_object(out);
    json_key(out, "ord");
    json_put_int(out, (int64_t)ord);
    json_key(out, "label");
    json_put_text(out, first != NULL ? first : "");
    json_key(out, "second_label");
    json_put_text(out, groups->cut == CUT_SEGMENT_CHANNEL ? channel : "");
    json_end_object(out);
}

static size_t add_group(struct kpi_groups *groups, const char *label, bool other) {
    groups->groups[groups->count] = (struct kpi_group){.label = strdup(label), .other = other};
    groups->complete = groups->complete && groups->groups[groups->count].label != NULL;
    return groups->count++;
}

/* Labels beyond the largest are one group; what has no label is always its own. */
static void add_label(struct kpi_groups *groups, const struct kpi_query *query, const char *label) {
    size_t ord = 0;
    if (*label == '\0' || groups->labelled < KPI_GROUPS_MAX) {
        ord = add_group(groups, label, false);
        groups->labelled += *label != '\0';
    } else {
        while (ord < groups->count && !groups->groups[ord].other) {
            ord++;
        }
        ord = ord < groups->count ? ord : add_group(groups, "other", true);
    }
    add_key(groups, query, ord, label);
}

static enum db_status read_labels(struct db *db, const struct kpi_query *query,
                                  enum totals_source source, int cut, const int32_t span[2],
                                  PGresult **ret_rows) {
    char workspace[16], cut_text[8], from[DATE_TEXT_MAX], to[DATE_TEXT_MAX];
    snprintf(workspace, sizeof workspace, "%d", query->workspace_id);
    snprintf(cut_text, sizeof cut_text, "%d", cut);
    date_format(span[0], from);
    date_format(span[1], to);
    bool second = cut == CUT_SEGMENT_CHANNEL && query->by == KPI_LABEL_CHANNEL;
    const char *fixed = NULL;
    if (cut == CUT_SEGMENT_CHANNEL) {
        fixed = second ? query->segment : query->channel;
    }
    const char *values[] = {workspace, cut_text, fixed, second ? "true" : "false", from, to};
    return db_run(db, totals_sql_name(TOTALS_SQL_LABELS, source), 6, values, ret_rows);
}

/* The labels of all sources together, each once: those of the first source lead. */
struct label_list {
    PGresult *rows[SOURCE_COUNT];
    size_t count;
};

static bool is_listed(const struct label_list *list, const char *label) {
    for (size_t i = 0; i + 1 < list->count; i++) {
        for (int row = 0; row < PQntuples(list->rows[i]); row++) {
            if (strcmp(PQgetvalue(list->rows[i], row, 0), label) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool has_label(enum totals_source source, enum kpi_label by) {
    return (by != KPI_LABEL_REASON || source == SOURCE_LIFE) &&
           (by != KPI_LABEL_CATEGORY || source == SOURCE_COSTS);
}

static enum db_status read_all_labels(struct db *db, const struct kpi_query *query,
                                      const int32_t span[2], struct kpi_groups *groups,
                                      struct label_list *list) {
    enum db_status status = DB_OK;
    for (unsigned i = 0; status == DB_OK && i < SOURCE_COUNT; i++) {
        unsigned source = (query->ranked_by + i) % SOURCE_COUNT;
        if ((query->needs & 1U << source) == 0 ||
            !has_label((enum totals_source)source, query->by)) {
            continue;
        }
        PGresult *rows = NULL;
        status = read_labels(db, query, (enum totals_source)source, groups->cut, span, &rows);
        if (status != DB_OK) {
            break;
        }
        list->rows[list->count++] = rows;
        for (int row = 0; row < PQntuples(rows); row++) {
            const char *label = PQgetvalue(rows, row, 0);
            if (!is_listed(list, label)) {
                add_label(groups, query, label);
            }
        }
    }
    return status;
}

enum db_status kpi_groups_read(struct db *db, const struct kpi_query *query, int32_t from,
                               int32_t to, struct kpi_groups *ret_groups) {
    const int32_t span[] = {from, to};
    struct kpi_groups groups = {.cut = cut_of(query), .complete = true};
    struct label_list list = {0};
    enum db_status status = DB_OK;
    groups.groups = calloc(KPI_GROUPS_MAX + 2, sizeof *groups.groups);
    groups.complete = groups.groups != NULL;
    json_begin_array(&groups.keys);
    if (groups.complete && query->by == KPI_LABEL_NONE) {
        add_label(&groups, query, "");
    } else if (groups.complete) {
        status = read_all_labels(db, query, span, &groups, &list);
    }
    json_end_array(&groups.keys);
    groups.complete = groups.complete && buf_ok(&groups.keys);
    for (size_t i = 0; i < list.count; i++) {
        PQclear(list.rows[i]);
    }
    *ret_groups = groups;
    return status;
}
