/* Quantiles out of a DDSketch (Masson, Rim and Lee 2019, PVLDB 12). */
#include "vinculo/stats.h"

#include <assert.h>
#include <math.h>

static const double MICROSECONDS = 1e6;

static double bucket_seconds(int32_t bucket) {
    if (bucket == SKETCH_ZERO_BUCKET)
        return 0;
    const double gamma = (1 + SKETCH_ALPHA) / (1 - SKETCH_ALPHA);
    return 2 * pow(gamma, bucket) / (gamma + 1) / MICROSECONDS;
}

int64_t stats_sketch_count(const struct sketch *sketch) {
    int64_t count = 0;
    for (size_t i = 0; i < sketch->size; i++)
        count += sketch->count[i];
    return count;
}

double stats_sketch_at(const struct sketch *sketch, int64_t rank) {
    int64_t below = 0;
    size_t i = 0;
    while (i < sketch->size && below + sketch->count[i] <= rank)
        below += sketch->count[i++];
    assert(rank >= 0 && i < sketch->size);
    return bucket_seconds(sketch->bucket[i]);
}

double stats_sketch_quantile(const struct sketch *sketch, double p) {
    assert(p >= 0 && p <= 1);
    double rank = p * (double)(stats_sketch_count(sketch) - 1);
    double floor_rank = floor(rank);
    double low = stats_sketch_at(sketch, (int64_t)floor_rank);
    if (rank == floor_rank)
        return low;
    double high = stats_sketch_at(sketch, (int64_t)floor_rank + 1);
    return low + (rank - floor_rank) * (high - low);
}
