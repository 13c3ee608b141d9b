/* pace.h — so many a second and no more: a token bucket.
 *
 * Never more than `most` are taken in any second, whatever came before; 99 % of that when it is
 * always asked in time.  All times are ms of the steady clock.
 */
#ifndef POSTBACKD_PACE_H
#define POSTBACKD_PACE_H

#include <stdint.h>

struct pace {
    int most; /* a second; 0: any number */
    int64_t tokens, filled_at;
};

/* Nothing has been taken since since_ms; what went before is not known. */
void pace_start(struct pace *pace, int most, int64_t since_ms);
/* A new limit never makes room at once: the second that is under way counts. */
void pace_limit(struct pace *pace, int most, int64_t now_ms);
/* When the next one may be taken: now_ms or later. */
int64_t pace_ready_at(struct pace *pace, int64_t now_ms);
void pace_take(struct pace *pace); /* only when it is ready */

#endif
