/* clock.c — see clock.h.
 *
 * The due clock is a point that both clocks passed, moved along while the wall clock leads.
 */
#include "base/clock.h"

#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

static const struct clock_source *source;
static _Atomic int64_t followed; /* is so far ahead of the steady clock; 0: none is */
static pthread_mutex_t due_lock = PTHREAD_MUTEX_INITIALIZER;
static struct due_clock due;

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_system_ms(void)
{
    return source != NULL ? source->wall_ms : read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_wall_ms(void)
{
    int64_t ahead = atomic_load_explicit(&followed, memory_order_relaxed);
    return ahead != 0 ? clock_steady_ms() + ahead : clock_system_ms();
}

void clock_follow(int64_t ahead_ms)
{
    atomic_store_explicit(&followed, clock_system_ms() + ahead_ms - clock_steady_ms(),
                          memory_order_relaxed);
}

int64_t clock_steady_ms(void)
{
    return clock_steady_us() / 1000;
}

int64_t clock_steady_us(void)
{
    return source != NULL ? source->steady_us : read_us(CLOCK_MONOTONIC);
}

int64_t clock_elapsed_ms(void)
{
    return (source != NULL ? source->steady_us : read_us(CLOCK_BOOTTIME)) / 1000;
}

int64_t due_clock_read(struct due_clock *clock, int64_t wall_ms, int64_t steady_ms)
{
    int64_t steady = clock->from_ms + (steady_ms - clock->steady_ms);
    int64_t held = clock->from_ms + (steady_ms - clock->steady_ms) * 9 / 10;
    if (clock->from_ms != 0 && wall_ms > steady + CLOCK_JUMP_MOST_MS)
        *clock = (struct due_clock){ .from_ms = held = steady,
                                     .steady_ms = steady_ms,
                                     .mistrusts = true };
    else if (wall_ms >= held)
        *clock = (struct due_clock){ .from_ms = held = wall_ms, .steady_ms = steady_ms };
    else
        clock->mistrusts = false;
    return held;
}

static void tell(bool mistrusts, int64_t due_ms)
{
    if (mistrusts)
        log_error("clock_mistrusted", LOG_N("clock_ms", clock_wall_ms()), LOG_N("taken_ms", due_ms),
                  LOG_T("reason",
                        "the system's clock jumped ahead by more than a year: ids and due "
                        "times go on without it until it is set right; if it is right, "
                        "restart"));
    else
        log_info("clock_trusted_again", LOG_N("clock_ms", clock_wall_ms()));
}

int64_t clock_due_ms(void)
{
    pthread_mutex_lock(&due_lock);
    bool before = due.mistrusts;
    int64_t now = due_clock_read(&due, clock_wall_ms(), clock_steady_ms());
    bool after = due.mistrusts;
    pthread_mutex_unlock(&due_lock);
    if (before != after)
        tell(after, now);
    return now;
}

bool clock_mistrusted(void)
{
    pthread_mutex_lock(&due_lock);
    bool mistrusts = due.mistrusts;
    pthread_mutex_unlock(&due_lock);
    return mistrusts;
}

void clock_due_seen(int64_t ms)
{
    pthread_mutex_lock(&due_lock);
    if (due_clock_read(&due, clock_wall_ms(), clock_steady_ms()) < ms)
        due = (struct due_clock){ .from_ms = ms, .steady_ms = clock_steady_ms() };
    pthread_mutex_unlock(&due_lock);
}

void clock_set_source(const struct clock_source *other)
{
    source = other;
    followed = 0;
    due = (struct due_clock){ 0 };
}
