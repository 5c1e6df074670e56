/*
 * Counters, gauges and histograms. Updates are atomic and take no lock; only the first use of a
 * label combination does, to enter it in its metric's hash table.
 */
#include "vinculo/metrics_registry.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { LABELS_MAX = 3, BUCKETS_MAX = 16 };

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

struct metric_spec {
    const char *name;
    enum metric_type type;
    const char *help;
    const char *labels[LABELS_MAX];
    double bounds[BUCKETS_MAX]; /* rising, closed by 0 */
};

#define DURATION_BOUNDS                                                                            \
    { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10 }

static const struct metric_spec specs[METRIC_COUNT] = {
    [METRIC_HTTP_REQUESTS] = {"vinculo_http_requests_total",
                              COUNTER,
                              "Answered requests.",
                              {"route", "method", "status"},
                              {0}},
    [METRIC_HTTP_DURATION] = {"vinculo_http_request_duration_seconds",
                              HISTOGRAM,
                              "Seconds from complete headers to the end of the answer.",
                              {0},
                              DURATION_BOUNDS},
    [METRIC_HTTP_CONNECTIONS] =
        {"vinculo_http_connections", GAUGE, "Open client connections.", {0}, {0}},
    [METRIC_RECORDS] = {"vinculo_records_total",
                        COUNTER,
                        "Records by what became of them.",
                        {"kind", "outcome"},
                        {0}},
    [METRIC_WRITER_BATCH_RECORDS] = {"vinculo_writer_batch_records",
                                     HISTOGRAM,
                                     "Records in one transaction.",
                                     {0},
                                     {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000}},
    [METRIC_WRITER_COMMIT] = {"vinculo_writer_commit_duration_seconds",
                              HISTOGRAM,
                              "Seconds from BEGIN to the end of COMMIT.",
                              {0},
                              DURATION_BOUNDS},
    [METRIC_WRITER_QUEUE] =
        {"vinculo_writer_queue_records", GAUGE, "Records that wait for the writer.", {0}, {0}},
    [METRIC_WRITER_FAILURES] =
        {"vinculo_writer_failures_total", COUNTER, "Transactions that did not commit.", {0}, {0}},
    [METRIC_WORKER_QUEUE] =
        {"vinculo_worker_queue_requests", GAUGE, "Requests that wait for a worker.", {0}, {0}},
    [METRIC_DATABASE_UP] = {"vinculo_database_up",
                            GAUGE,
                            "1 while the writer is connected to the database.",
                            {0},
                            {0}},
    [METRIC_DATABASE_RECONNECTS] = {"vinculo_database_reconnects_total",
                                    COUNTER,
                                    "Database connections made again after a loss.",
                                    {0},
                                    {0}},
    [METRIC_BUILD_INFO] = {"vinculo_build_info", GAUGE, "1, with the version.", {"version"}, {0}},
    [METRIC_START_TIME] = {"vinculo_start_time_seconds",
                           GAUGE,
                           "When the process started, in seconds since 1970.",
                           {0},
                           {0}},
};

struct series {
    const char *labels[LABELS_MAX];
    _Atomic int64_t value;
};

/* Twice as many slots as series, so that probing ends soon. */
struct series_table {
    struct series series[METRIC_SERIES_MAX];
    size_t count; /* under series_lock */
    struct series *_Atomic slots[2 * METRIC_SERIES_MAX];
};

struct histogram {
    _Atomic uint64_t counts[BUCKETS_MAX]; /* not cumulative; the one after the last bound is +Inf */
    _Atomic double sum;
};

static struct series_table tables[METRIC_COUNT];
static struct histogram histograms[METRIC_COUNT];
static pthread_mutex_t series_lock = PTHREAD_MUTEX_INITIALIZER;

/* FNV-1a over the labels. */
static size_t hash_labels(const char *const labels[LABELS_MAX]) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int i = 0; i < LABELS_MAX; i++) {
        for (const char *at = labels[i] == NULL ? "" : labels[i]; *at != '\0'; at++)
            hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
        hash = (hash ^ 0xFF) * UINT64_C(1099511628211);
    }
    return (size_t)(hash % (2 * METRIC_SERIES_MAX));
}

static bool labels_equal(const char *const a[LABELS_MAX], const char *const b[LABELS_MAX]) {
    for (int i = 0; i < LABELS_MAX; i++) {
        if (a[i] != b[i] && (a[i] == NULL || b[i] == NULL || strcmp(a[i], b[i]) != 0))
            return false;
    }
    return true;
}

/* The series with these labels, or NULL and the free slot where it belongs. */
static struct series *find_series(struct series_table *table, const char *const labels[LABELS_MAX],
                                  size_t *ret_slot) {
    for (size_t slot = hash_labels(labels);; slot = (slot + 1) % (2 * METRIC_SERIES_MAX)) {
        struct series *series = atomic_load_explicit(&table->slots[slot], memory_order_acquire);
        *ret_slot = slot;
        if (series == NULL || labels_equal(series->labels, labels))
            return series;
    }
}

/* NULL where the metric has METRIC_SERIES_MAX series already. */
static struct series *get_series(enum metric metric, const char *const labels[LABELS_MAX]) {
    struct series_table *table = &tables[metric];
    size_t slot;
    struct series *series = find_series(table, labels, &slot);
    if (series != NULL)
        return series;
    pthread_mutex_lock(&series_lock);
    series = find_series(table, labels, &slot); /* another thread may have been first */
    if (series == NULL && table->count < METRIC_SERIES_MAX) {
        series = &table->series[table->count++];
        memcpy(series->labels, labels, sizeof series->labels);
        atomic_store_explicit(&table->slots[slot], series, memory_order_release);
    }
    pthread_mutex_unlock(&series_lock);
    return series;
}

void metric_add(enum metric metric, uint64_t amount, const char *label1, const char *label2,
                const char *label3) {
    assert(specs[metric].type != HISTOGRAM);
    const char *const labels[LABELS_MAX] = {label1, label2, label3};
    struct series *series = get_series(metric, labels);
    if (series != NULL)
        atomic_fetch_add_explicit(&series->value, (int64_t)amount, memory_order_relaxed);
}

void metric_set(enum metric metric, int64_t value) {
    assert(specs[metric].type == GAUGE);
    const char *const labels[LABELS_MAX] = {0};
    struct series *series = get_series(metric, labels);
    if (series != NULL)
        atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

void metric_observe(enum metric metric, double value) {
    const struct metric_spec *spec = &specs[metric];
    assert(spec->type == HISTOGRAM);
    size_t bucket = 0;
    while (spec->bounds[bucket] != 0 && value > spec->bounds[bucket])
        bucket++;
    struct histogram *histogram = &histograms[metric];
    atomic_fetch_add_explicit(&histogram->counts[bucket], 1, memory_order_relaxed);
    double sum = atomic_load_explicit(&histogram->sum, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&histogram->sum, &sum, sum + value,
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

static void write_label(struct buf *out, const char *name, const char *value) {
    buf_printf(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            buf_add(out, "\\n", 2);
        else if (*value == '"' || *value == '\\')
            buf_printf(out, "\\%c", *value);
        else
            buf_add_char(out, *value);
    }
    buf_add_char(out, '"');
}

static void write_series(struct buf *out, const struct metric_spec *spec,
                         const struct series *series) {
    buf_add_str(out, spec->name);
    char separator = '{';
    for (int i = 0; i < LABELS_MAX; i++) {
        if (spec->labels[i] == NULL || series->labels[i] == NULL)
            continue;
        buf_add_char(out, separator);
        write_label(out, spec->labels[i], series->labels[i]);
        separator = ',';
    }
    buf_printf(out, "%s %" PRId64 "\n", separator == ',' ? "}" : "",
               atomic_load_explicit(&series->value, memory_order_relaxed));
}

static void write_histogram(struct buf *out, const struct metric_spec *spec,
                            struct histogram *histogram) {
    uint64_t total = 0;
    for (size_t i = 0; i < BUCKETS_MAX; i++) {
        total += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        if (spec->bounds[i] == 0)
            break;
        buf_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", spec->name, spec->bounds[i], total);
    }
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", spec->name, total);
    buf_printf(out, "%s_sum %.9g\n", spec->name,
               atomic_load_explicit(&histogram->sum, memory_order_relaxed));
    buf_printf(out, "%s_count %" PRIu64 "\n", spec->name, total);
}

static void write_metric(struct buf *out, enum metric metric) {
    static const char *const type_names[] = {
        [COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
    const struct metric_spec *spec = &specs[metric];
    /* Without labels there is one series from the start, at 0. */
    if (spec->type != HISTOGRAM && spec->labels[0] == NULL)
        metric_add(metric, 0, NULL, NULL, NULL);
    pthread_mutex_lock(&series_lock);
    size_t count = tables[metric].count;
    pthread_mutex_unlock(&series_lock);
    if (count == 0 && spec->type != HISTOGRAM)
        return;
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", spec->name, spec->help, spec->name,
               type_names[spec->type]);
    if (spec->type == HISTOGRAM)
        write_histogram(out, spec, &histograms[metric]);
    for (size_t i = 0; i < count; i++)
        write_series(out, spec, &tables[metric].series[i]);
}

void metrics_write(struct buf *out) {
    for (size_t i = 0; i < METRIC_COUNT; i++)
        write_metric(out, (enum metric)i);
}
