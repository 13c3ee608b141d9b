/* until.h — a test waits for a condition; time that passes is none. */
#ifndef POSTBACKD_TEST_UNTIL_H
#define POSTBACKD_TEST_UNTIL_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { UNTIL_PATIENCE_S = 60 }; /* for a crowded machine; what is right is there at once */

/* What it waits for is looked at again and again, by any thread; a test whose condition never comes
 * ends with its words. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        for (int look_ = 0; !(condition); look_++)                                                 \
            until_next_look(look_, __FILE__, __LINE__, #condition);                                \
    } while (0)

/* Lets time pass, where time is what the test is about; each use says why. */
static inline void real_time_ms(int ms)
{
    const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
    nanosleep(&pause, NULL); /* real time: the caller's reason */
}

static inline void until_next_look(int look, const char *file, int line, const char *condition)
{
    if (look >= UNTIL_PATIENCE_S * 1000) {
        fprintf(stderr, "%s:%d: still not so after %d s: %s\n", file, line, UNTIL_PATIENCE_S,
                condition);
        abort();
    }
    real_time_ms(1); /* real time: between two looks */
}

#endif
