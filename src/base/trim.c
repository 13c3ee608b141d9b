/* trim.c — when a thread gives memory back: each time it rests, and now and then while it works.
 *
 * How it is done is the program's affair (cli/memory.c): tests have the system's malloc().
 */
#include "base/trim.h"

#include "base/clock.h"

#include <stddef.h>

static void (*give_back)(void);
static _Thread_local int64_t trimmed_ms;

void trim_by(void (*how)(void))
{
    give_back = how;
}

void trim_idle(void)
{
    if (give_back == NULL)
        return;
    give_back();
    trimmed_ms = clock_steady_ms();
}

void trim_busy(void)
{
    if (give_back != NULL && clock_steady_ms() - trimmed_ms >= TRIM_EVERY_MS)
        trim_idle();
}
