/*
 * The service's own metrics for GET /metrics: one table of names, lock-free counters and
 * histograms, Prometheus text format 0.0.4. No workspace names, ids or keys become labels.
 */
#ifndef VINCULO_METRICS_REGISTRY_H
#define VINCULO_METRICS_REGISTRY_H

#include "vinculo/buf.h"
#include "vinculo/err.h"

#include <stdint.h>

enum metric {
    METRIC_HTTP_REQUESTS,        /* counter by route, method, status class */
    METRIC_HTTP_DURATION,        /* histogram, seconds */
    METRIC_HTTP_CONNECTIONS,     /* gauge */
    METRIC_RECORDS,              /* counter by kind and outcome */
    METRIC_WRITER_BATCH_RECORDS, /* histogram, records per transaction */
    METRIC_WRITER_COMMIT,        /* histogram, seconds from BEGIN to the end of COMMIT */
    METRIC_WRITER_QUEUE,         /* gauge, records waiting */
    METRIC_WRITER_FAILURES,      /* counter, transactions that did not commit */
    METRIC_WORKER_QUEUE,         /* gauge, requests waiting for a worker */
    METRIC_DATABASE_UP,          /* gauge 0/1: the writer's connection */
    METRIC_DATABASE_RECONNECTS,  /* counter */
    METRIC_BUILD_INFO,           /* gauge 1 with label version */
    METRIC_START_TIME,           /* gauge, unix seconds */
    METRIC_COUNT
};

enum { METRIC_SERIES_MAX = 256 };

/* Label values must be static strings (a route's pattern, a kind's name); at most
 * METRIC_SERIES_MAX different combinations per metric are kept, further ones are dropped. NULL for
 * unused labels. metric_set is for gauges without labels, metric_observe for histograms. */
void metric_add(enum metric metric, uint64_t amount, const char *label1, const char *label2,
                const char *label3);
void metric_set(enum metric metric, int64_t value);
void metric_observe(enum metric metric, double value);
void metrics_write(struct buf *out);

#endif
