/* changes.c — an array of what was noted, in order; it is given away with the commit.
 *
 * An import notes its two accounts a row, a batch of inquiries the same ones again and again: what
 * is among the last few of its part is not noted anew; but behind another change of the same
 * notification it is, as that one may have taken it back (a lane that is down, answers, is down).
 *
 * The rule: a part is compared with nothing before it, or undoing it would lose what stays.
 */
#include "db/changes.h"

#include "base/fail.h"

#include <stdbool.h>
#include <stdlib.h>

enum { COMPARED = 8 }; /* with so many of the last ones */

static bool change_is(const struct change *a, const struct change *b)
{
    return a->kind == b->kind && a->account == b->account && a->notification == b->notification &&
           a->id == b->id && a->due_at == b->due_at && a->from == b->from;
}

static bool is_noted(const struct changes *changes, const struct change *change)
{
    size_t own = changes->count - changes->part, most = own < COMPARED ? own : COMPARED;
    for (size_t i = 1; i <= most; i++) {
        const struct change *noted = &changes->items[changes->count - i];
        if (change_is(noted, change))
            return true;
        if (noted->notification != 0 && noted->notification == change->notification)
            return false;
    }
    return false;
}

void changes_note(struct changes *changes, const struct change *change)
{
    if (is_noted(changes, change))
        return;
    if (changes->count == changes->cap) {
        changes->cap = changes->cap == 0 ? 16 : changes->cap * 2;
        changes->items = must_resize(changes->items, changes->cap * sizeof(*changes->items));
    }
    changes->items[changes->count++] = *change;
}

size_t changes_mark(struct changes *changes)
{
    changes->part = changes->count;
    return changes->count;
}

void changes_undo(struct changes *changes, size_t mark)
{
    changes->count = changes->part = mark;
}

size_t changes_take(struct changes *changes, struct change **out)
{
    size_t count = changes->count;
    *out = NULL;
    if (count == 0)
        return 0;
    *out = changes->items;
    *changes = (struct changes){ 0 };
    return count;
}
