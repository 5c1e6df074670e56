/* The registry: counting from several threads, label limits, and the text format, which promtool
 * checks where it is installed. */
#include "vinculo/metrics_registry.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 20000 };

static void *count(void *closure) {
    (void)closure;
    static const char *const statuses[] = {"2xx", "4xx", "5xx"};
    for (int i = 0; i < ROUNDS; i++) {
        metric_add(METRIC_HTTP_REQUESTS, 1, "/v1/surveys", "POST", statuses[i % 3]);
        metric_observe(METRIC_WRITER_BATCH_RECORDS, 3);
    }
    return NULL;
}

static bool has_line(const struct buf *text, const char *line) {
    const char *at = strstr(buf_text(text), line);
    return at != NULL && (at == text->data || at[-1] == '\n') && at[strlen(line)] == '\n';
}

Test(metrics_registry, loses_no_count_between_threads) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        cr_assert(pthread_create(&threads[i], NULL, count, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    BUF_SCOPED out = {0};
    metrics_write(&out);
    cr_assert(has_line(&out, "vinculo_http_requests_total{route=\"/v1/surveys\",method=\"POST\","
                             "status=\"5xx\"} 26664"));
    cr_assert(has_line(&out, "vinculo_writer_batch_records_count 80000"));
    cr_assert(has_line(&out, "vinculo_writer_batch_records_sum 240000"));
    cr_assert(has_line(&out, "vinculo_writer_batch_records_bucket{le=\"2\"} 0"));
    cr_assert(has_line(&out, "vinculo_writer_batch_records_bucket{le=\"5\"} 80000"));
}

Test(metrics_registry, treats_equal_labels_at_other_addresses_as_one_series) {
    char copy[] = "survey";
    metric_add(METRIC_RECORDS, 2, "survey", "created", NULL);
    metric_add(METRIC_RECORDS, 3, copy, "created", NULL);
    BUF_SCOPED out = {0};
    metrics_write(&out);
    cr_assert(has_line(&out, "vinculo_records_total{kind=\"survey\",outcome=\"created\"} 5"));
}

Test(metrics_registry, keeps_a_bounded_number_of_series) {
    static char labels[2 * METRIC_SERIES_MAX][16];
    for (int i = 0; i < 2 * METRIC_SERIES_MAX; i++) {
        snprintf(labels[i], sizeof labels[i], "k%d", i);
        metric_add(METRIC_RECORDS, 1, labels[i], "created", NULL);
    }
    BUF_SCOPED out = {0};
    metrics_write(&out);
    int lines = 0;
    for (const char *at = buf_text(&out); (at = strstr(at, "vinculo_records_total{")) != NULL; at++)
        lines++;
    cr_assert(lines == METRIC_SERIES_MAX);
}

Test(metrics_registry, puts_a_value_on_a_bound_into_its_bucket) {
    metric_observe(METRIC_HTTP_DURATION, 0.001);
    metric_observe(METRIC_HTTP_DURATION, 100);
    BUF_SCOPED out = {0};
    metrics_write(&out);
    cr_assert(has_line(&out, "vinculo_http_request_duration_seconds_bucket{le=\"0.0005\"} 0"));
    cr_assert(has_line(&out, "vinculo_http_request_duration_seconds_bucket{le=\"0.001\"} 1"));
    cr_assert(has_line(&out, "vinculo_http_request_duration_seconds_bucket{le=\"10\"} 1"));
    cr_assert(has_line(&out, "vinculo_http_request_duration_seconds_bucket{le=\"+Inf\"} 2"));
}

Test(metrics_registry, writes_what_promtool_accepts) {
    if (system("command -v promtool >/dev/null") != 0)
        cr_skip("promtool (Debian's package prometheus) is not installed");
    metric_add(METRIC_HTTP_REQUESTS, 1, "/v1/{kind}", "GET", "2xx");
    metric_add(METRIC_BUILD_INFO, 1, "0.1.0 \"quoted\\\n", NULL, NULL);
    metric_set(METRIC_WRITER_QUEUE, 17);
    metric_set(METRIC_START_TIME, 1767225600);
    metric_observe(METRIC_WRITER_COMMIT, 0.004);
    BUF_SCOPED out = {0};
    metrics_write(&out);
    cr_assert(has_line(&out, "vinculo_writer_queue_records 17"));
    FILE *promtool = popen("promtool check metrics", "w");
    cr_assert(promtool != NULL);
    cr_assert(fwrite(out.data, 1, out.length, promtool) == out.length);
    cr_assert(pclose(promtool) == 0, "%s", buf_text(&out));
}
