/* wakes.h — who is to be woken when something of its on disk comes due.
 *
 * One periodic for all.  Times are wall ms by the due clock (base/clock.h), which jumps ahead with
 * the system's time: so it never sleeps for more than a second.  On the loop thread.
 */
#ifndef POSTBACKD_WAKES_H
#define POSTBACKD_WAKES_H

#include "base/heap.h"
#include "engine/work.h"

struct wake { /* a member of whoever is woken */
    struct heap_node node;
    struct wakes *wakes;
    int64_t at; /* -1: never */
};

struct wakes {
    struct heap heap;
    struct periodic *timer;
    void (*due)(struct wake *wake); /* its time has come, and is forgotten */
};

void wakes_init(struct wakes *wakes, struct work *work, void (*due)(struct wake *wake));
void wakes_free(struct wakes *wakes);

void wake_init(struct wake *wake, struct wakes *wakes);
void wake_by(struct wake *wake, int64_t due_at); /* by then, unless it is to be earlier already */
void wake_never(struct wake *wake);

#endif
