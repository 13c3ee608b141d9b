/* marks.h — since when an account's postbacks have not changed: for those who look on.
 *
 * A mark is a number that rises with every change anywhere; an account's is that of its own last
 * one.  Only accounts that somebody looks at have one kept, so that a change costs an addition and
 * a comparison while nobody looks.  On the loop thread, in memory: a restart begins anew.
 */
#ifndef POSTBACKD_MARKS_H
#define POSTBACKD_MARKS_H

#include "base/map.h"

#include <stdint.h>

struct marks {   /* all zeroes at the start */
    int64_t now; /* the mark of the last change of all */
    struct map looked_at;
};

/* The account's mark, of all accounts together for 0.  From now on it is kept, until nobody has
 * asked for ten minutes; then it is a later one, as if something had changed. */
int64_t marks_of(struct marks *marks, int64_t account, int64_t now_ms);
void marks_free(struct marks *marks);

void marks_note_looked_at(struct marks *marks, int64_t account);

static inline void marks_note(struct marks *marks, int64_t account)
{
    marks->now++;
    if (marks->looked_at.count > 0)
        marks_note_looked_at(marks, account);
}

#endif
