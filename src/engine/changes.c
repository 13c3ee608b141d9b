/* changes.c — a mark for each account that somebody looks at.
 *
 * The marks of accounts are values of the one that counts all changes.  So one that was forgotten
 * and is made again is never under what it was: whoever comes with the old one is told of a change,
 * unless there has been none anywhere.  Those that nobody asks for are forgotten when a further one
 * is made, so there are no more than accounts looked at within ten minutes, and one.
 */
#include "engine/changes.h"

#include "base/fail.h"

#include <stdlib.h>

enum { FORGOTTEN_AFTER_MS = 10 * 60 * 1000 };

struct mark {
    int64_t account, at, asked_ms;
};

static void forget_old(struct changes *changes, int64_t now_ms)
{
    size_t at = 0;
    struct mark *mark;
    while ((mark = map_each(&changes->looked_at, &at)) != NULL) {
        if (now_ms - mark->asked_ms < FORGOTTEN_AFTER_MS)
            continue;
        map_remove(&changes->looked_at, mark->account);
        free(mark);
    }
}

int64_t changes_mark(struct changes *changes, int64_t account, int64_t now_ms)
{
    if (account == 0)
        return changes->now;
    struct mark *mark = map_get(&changes->looked_at, account);
    if (mark == NULL) {
        forget_old(changes, now_ms);
        mark = must_alloc(sizeof(*mark));
        *mark = (struct mark){ .account = account, .at = changes->now };
        map_put(&changes->looked_at, account, mark);
    }
    mark->asked_ms = now_ms;
    return mark->at;
}

void changes_note_looked_at(struct changes *changes, int64_t account)
{
    struct mark *mark = map_get(&changes->looked_at, account);
    if (mark != NULL)
        mark->at = changes->now;
}

void changes_free(struct changes *changes)
{
    size_t at = 0;
    struct mark *mark;
    while ((mark = map_each(&changes->looked_at, &at)) != NULL)
        free(mark);
    map_free(&changes->looked_at);
}
