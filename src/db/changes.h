/* changes.h — a list of what a write transaction has changed, to be told once it is committed. */
#ifndef POSTBACKD_CHANGES_H
#define POSTBACKD_CHANGES_H

#include "model/change.h"

#include <stddef.h>

struct changes { /* all zeroes is an empty list */
    struct change *items;
    size_t count, cap;
    size_t part; /* those before it belong to earlier parts */
};

/* Kept once, in the order of what was noted, however often it is noted within a few others, none of
 * which is of the same notification. */
void changes_note(struct changes *changes, const struct change *change);
size_t changes_mark(struct changes *changes);            /* where a part begins */
void changes_undo(struct changes *changes, size_t mark); /* back to there; 0: all */
/* All of them, and the list is empty.  The caller frees *out. */
size_t changes_take(struct changes *changes, struct change **out);

#endif
