/* condition.h — conditions that are waited for until a time of the steady clock. */
#ifndef POSTBACKD_CONDITION_H
#define POSTBACKD_CONDITION_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

void condition_init(pthread_cond_t *condition);
/* For pthread_cond_timedwait() on such a one: now and so long (not by base/clock.h's source). */
struct timespec condition_in(int64_t ms);

#endif
