/* alarms.h — every point in time that the client waits for, in one heap under one timer.
 *
 * An alarm stands inside what it belongs to and rings once, from the loop, at its time or soon
 * after; setting it again moves it.  Nothing rings from inside alarm_set().
 */
#ifndef POSTBACKD_ALARMS_H
#define POSTBACKD_ALARMS_H

#include "base/heap.h"

#include <stdint.h>
#include <uv.h>

struct alarm { /* all zeroes but for ring: not set */
    struct heap_node node;
    void (*ring)(struct alarm *alarm);
};

struct alarms;
struct alarms *alarms_new(uv_loop_t *loop);
void alarms_free(struct alarms *alarms); /* what is still set never rings */

void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t at_ms); /* steady clock */
void alarm_soon(struct alarms *alarms, struct alarm *alarm);  /* in the loop's next turn */
void alarm_clear(struct alarms *alarms, struct alarm *alarm); /* nothing if not set */

#endif
