/* alarms.c — one heap of times and one libuv timer armed for the least of them.
 *
 * The timer is moved only when an earlier time comes in: exchanges that end before their deadline
 * (nearly all) leave it where it is, and a ring that finds nothing due arms it for what is next.
 *
 * The rule: while the heap is not empty, the timer is armed for its least key or earlier.
 */
#include "courier/alarms.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/list.h"

#include <stdbool.h>
#include <stdlib.h>

struct alarms {
    uv_timer_t timer;
    struct heap heap;
    int64_t armed_for; /* INT64_MAX: not armed */
    bool ringing;
    int64_t ringing_at;
};

static void ring_due(uv_timer_t *timer);

static void arm(struct alarms *alarms)
{
    struct heap_node *least = heap_min(&alarms->heap);
    if (alarms->ringing || least == NULL || least->key >= alarms->armed_for)
        return;
    int64_t now = clock_steady_ms();
    int64_t wait = least->key > now ? least->key - now : 0;
    uv_update_time(alarms->timer.loop); /* a timer counts from the loop's idea of now */
    uv_timer_start(&alarms->timer, ring_due, (uint64_t)wait, 0);
    alarms->armed_for = least->key;
}

static void ring_due(uv_timer_t *timer)
{
    struct alarms *alarms = timer->data;
    int64_t now = clock_steady_ms();
    struct heap_node *least;
    alarms->armed_for = INT64_MAX;
    alarms->ringing = true;
    alarms->ringing_at = now;
    while ((least = heap_min(&alarms->heap)) != NULL && least->key <= now) {
        struct alarm *alarm = container_of(least, struct alarm, node);
        heap_remove(&alarms->heap, least);
        alarm->ring(alarm);
    }
    alarms->ringing = false;
    arm(alarms);
}

struct alarms *alarms_new(uv_loop_t *loop)
{
    struct alarms *alarms = must_alloc(sizeof(*alarms));
    if (uv_timer_init(loop, &alarms->timer) != 0)
        die("no timer");
    alarms->timer.data = alarms;
    alarms->armed_for = INT64_MAX;
    return alarms;
}

static void free_alarms(uv_handle_t *handle)
{
    free(handle->data);
}

void alarms_free(struct alarms *alarms)
{
    heap_free(&alarms->heap);
    uv_close((uv_handle_t *)&alarms->timer, free_alarms);
}

void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t at_ms)
{
    /* A ring that sets what is due at once would otherwise keep the loop in here for good. */
    if (alarms->ringing && at_ms <= alarms->ringing_at)
        at_ms = alarms->ringing_at + 1;
    heap_put(&alarms->heap, &alarm->node, at_ms);
    arm(alarms);
}

void alarm_soon(struct alarms *alarms, struct alarm *alarm)
{
    alarm_set(alarms, alarm, 0);
}

void alarm_clear(struct alarms *alarms, struct alarm *alarm)
{
    heap_remove(&alarms->heap, &alarm->node);
}
