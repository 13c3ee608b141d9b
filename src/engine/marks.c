/* marks.c — a mark for each account that somebody looks at.
 *
 * The marks of accounts are values of the one that counts all changes.  So one that was forgotten
 * and is made again is never under what it was: whoever comes with the old one is told of a change,
 * unless there has been none anywhere.  Those that nobody asks for are forgotten when a further one
 * is made, so there are no more than accounts looked at within ten minutes, and one.
 */
#include "engine/marks.h"

#include "base/fail.h"

#include <stdlib.h>

enum { FORGOTTEN_AFTER_MS = 10 * 60 * 1000 };

struct mark {
    int64_t account, at, asked_ms;
};

static void forget_old(struct marks *marks, int64_t now_ms)
{
    size_t at = 0;
    struct mark *mark;
    while ((mark = map_each(&marks->looked_at, &at)) != NULL) {
        if (now_ms - mark->asked_ms < FORGOTTEN_AFTER_MS)
            continue;
        map_remove(&marks->looked_at, mark->account);
        free(mark);
    }
}

int64_t marks_of(struct marks *marks, int64_t account, int64_t now_ms)
{
    if (account == 0)
        return marks->now;
    struct mark *mark = map_get(&marks->looked_at, account);
    if (mark == NULL) {
        forget_old(marks, now_ms);
        mark = must_alloc(sizeof(*mark));
        *mark = (struct mark){ .account = account, .at = marks->now };
        map_put(&marks->looked_at, account, mark);
    }
    mark->asked_ms = now_ms;
    return mark->at;
}

void marks_note_looked_at(struct marks *marks, int64_t account)
{
    struct mark *mark = map_get(&marks->looked_at, account);
    if (mark != NULL)
        mark->at = marks->now;
}

void marks_free(struct marks *marks)
{
    size_t at = 0;
    struct mark *mark;
    while ((mark = map_each(&marks->looked_at, &at)) != NULL)
        free(mark);
    map_free(&marks->looked_at);
}
