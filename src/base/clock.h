/* clock.h — the clocks.  Only the outermost callers read them; everything below takes time as an
 * argument.
 *
 * The due clock is the wall clock made fit for due times, their order, and ids: it never goes back.
 * When the system's time is set back, it goes on at nine tenths of its pace until the wall clock
 * has come up to it: what waits takes a ninth longer, and what comes later still comes after.
 * When it jumps ahead by more than CLOCK_JUMP_MOST_MS it is not followed, for ids taken from a
 * clock that was once wrong by decades would stay for ever: the due clock goes on by the steady one
 * until the wall clock is near it again.
 */
#ifndef POSTBACKD_CLOCK_H
#define POSTBACKD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_wall_ms(void);   /* since 1970-01-01 UTC; may jump when the system's time is set */
int64_t clock_system_ms(void); /* the same as this machine has it: see clock_follow() */
int64_t clock_steady_ms(void); /* from an unspecified start; never goes back */
int64_t clock_steady_us(void);
int64_t clock_elapsed_ms(void); /* as steady, and goes on while the machine is suspended */
int64_t clock_due_ms(void);     /* as the wall clock; any thread */

/* The due clock is not before this: what was written before a restart stays in the past. */
void clock_due_seen(int64_t ms);

/* Another machine's clock is so far ahead of this one's just now, ms: from now on that is the wall
 * clock (and the due clock follows it), which goes on by the steady one, whatever becomes of this
 * machine's.  Any thread. */
void clock_follow(int64_t ahead_ms);

/* More than a machine is put to sleep for. */
#define CLOCK_JUMP_MOST_MS ((int64_t)366 * 24 * 3600 * 1000)
bool clock_mistrusted(void); /* the wall clock is not followed just now; any thread */

/* The due clock by itself, without a clock. */
struct due_clock {
    int64_t from_ms, steady_ms; /* it was from_ms when the steady clock was steady_ms; 0: new */
    bool mistrusts;             /* the wall clock jumped too far ahead */
};
int64_t due_clock_read(struct due_clock *clock, int64_t wall_ms, int64_t steady_ms);

/* For tests: reads these instead of the system's; NULL, the system's again.  A test may set them
 * while other threads read. */
struct clock_source {
    _Atomic int64_t wall_ms, steady_us;
};
void clock_set_source(const struct clock_source *source);

#endif
