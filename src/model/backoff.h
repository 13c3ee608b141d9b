/* backoff.h — when to try again. */
#ifndef POSTBACKD_BACKOFF_H
#define POSTBACKD_BACKOFF_H

#include <stdint.h>

enum { BACKOFF_RETRY_AFTER_MAX_S = 86400 };

/* The wait after the attempt-th failure (from 1): about 5 s, 30 s, 2 min, 10 min, 30 min, then
 * hourly without end, spread by 20 % either way.  `random` is any 32 bits.  A Retry-After (ms;
 * -1: none) is obeyed when longer, up to a day. */
int64_t backoff_ms(int attempt, int64_t retry_after_ms, uint32_t random);

/* A down destination's wait before its n-th probe (from 0): 1 s doubling to 5 min. */
int64_t backoff_probe_ms(int probe);

#endif
