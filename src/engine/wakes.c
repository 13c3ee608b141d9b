/* wakes.c — a heap by time, and a periodic for the first. */
#include "engine/wakes.h"

#include "base/clock.h"

enum { SLEEP_MOST_MS = 1000 };

static void timer_set(struct wakes *wakes)
{
    struct heap_node *first = heap_min(&wakes->heap);
    if (first == NULL) {
        periodic_rest(wakes->timer);
        return;
    }
    int64_t wait = first->key - clock_due_ms();
    periodic_in(wakes->timer, wait < SLEEP_MOST_MS ? wait : SLEEP_MOST_MS);
}

static void wake_due(void *context)
{
    struct wakes *wakes = context;
    int64_t now = clock_due_ms();
    struct heap_node *first;
    while ((first = heap_min(&wakes->heap)) != NULL && first->key <= now) {
        struct wake *wake = container_of(first, struct wake, node);
        wake_never(wake);
        wakes->due(wake);
    }
    timer_set(wakes);
}

void wakes_init(struct wakes *wakes, struct work *work, void (*due)(struct wake *wake))
{
    *wakes = (struct wakes){ .due = due };
    wakes->timer = periodic_new(&work->timers, 0, wake_due, wakes);
}

void wakes_free(struct wakes *wakes)
{
    periodic_free(wakes->timer);
    heap_free(&wakes->heap);
}

void wake_init(struct wake *wake, struct wakes *wakes)
{
    *wake = (struct wake){ .wakes = wakes, .at = -1 };
}

void wake_by(struct wake *wake, int64_t due_at)
{
    struct wakes *wakes = wake->wakes;
    if (wake->at != -1 && wake->at <= due_at)
        return;
    wake->at = due_at;
    heap_put(&wakes->heap, &wake->node, due_at);
    if (heap_min(&wakes->heap) == &wake->node)
        timer_set(wakes);
}

void wake_never(struct wake *wake)
{
    wake->at = -1;
    heap_remove(&wake->wakes->heap, &wake->node);
}
