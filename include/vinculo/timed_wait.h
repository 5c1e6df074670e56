/* Conditions that are waited for until a moment of a clock that is never set. */
#ifndef VINCULO_TIMED_WAIT_H
#define VINCULO_TIMED_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void cond_init(pthread_cond_t *cond);
/* until_us: of clock_monotonic_us. False once it has passed; true where it was woken, perhaps for
 * nothing. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us);

#endif
