#include "vinculo/timed_wait.h"

#include "vinculo/timestamp.h"

#include <time.h>

void cond_init(pthread_cond_t *cond) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us) {
    struct timespec until = {.tv_sec = until_us / MICROSECONDS_PER_SECOND,
                             .tv_nsec = until_us % MICROSECONDS_PER_SECOND * 1000};
    return pthread_cond_timedwait(cond, lock, &until) == 0;
}
