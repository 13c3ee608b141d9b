/* catchup.h — how far a catch-up is, how fast it goes, and when it will be done.  Pure.
 *
 * It is told now and then how many are left, and remembers the last few such samples.
 */
#ifndef POSTBACKD_CATCHUP_H
#define POSTBACKD_CATCHUP_H

#include <stddef.h>
#include <stdint.h>

enum { CATCHUP_SAMPLES = 16 };

struct catchup { /* all zeroes: nothing known */
    int64_t total, left;
    struct {
        int64_t at_ms, left;
    } samples[CATCHUP_SAMPLES];
    size_t count; /* of samples ever taken */
};

/* `at_ms`: any clock that does not jump.  The total grows if more are left than it has. */
void catchup_sample(struct catchup *catchup, int64_t at_ms, int64_t left);
int64_t catchup_done(const struct catchup *catchup);
double catchup_rate(const struct catchup *catchup); /* a second; 0: not known, or it stands */
/* Milliseconds until done; -1: not known. */
int64_t catchup_remaining_ms(const struct catchup *catchup);

#endif
