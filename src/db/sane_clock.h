/* sane_clock.h — whether ids may be taken from the clock that the system shows at a start.
 *
 * Ids are made of the time and never go back, so those of a clock that was once wrong by decades
 * stay for ever, and the last one there is is of 2089. */
#ifndef POSTBACKD_SANE_CLOCK_H
#define POSTBACKD_SANE_CLOCK_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SANE_CLOCK_YEARS = 5,      /* that it may be ahead of the newest id */
    SANE_CLOCK_NEW_YEARS = 20, /* … of this version, where there is no id yet */
};

/* newest: the highest id in the database at `path`, 0: none.  False with words: the clock is too
 * far ahead (`trusted`: said by the operator to be right), or ids have no room behind it or behind
 * the newest. */
bool sane_clock(const char *path, int64_t newest, int64_t now_ms, bool trusted,
                struct error *error);

#endif
