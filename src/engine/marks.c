/* marks.c — accounts by id, each with a short list of nodes; and of each node how far it is known.
 *
 * An account that is forgotten raises `all` of each node in its list to what stood there.  So
 * whoever comes with an older mark is told of a change, and whoever has seen that one is not.  The
 * same holds for what was missed: what a node tells says from which mark on it does.
 *
 * The rule: a change is told to whoever has not seen it.  That one is told which was none happens
 * only where it cannot be known: after a start, and when accounts were forgotten.
 */
#include "engine/marks.h"

#include "base/clock.h"
#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

enum {
    FORGOTTEN_AFTER_MS = 10 * 60 * 1000,
    BY_THE_MS = 1024,    /* marks begin with the time: so many changes a millisecond are too many */
    TOUCHED_MOST = 2000, /* accounts told by name at once; more: all */
};

struct mark {
    int64_t account, used_ms; /* steady clock: asked for, or changed */
    bool touched;             /* since other nodes were told */
    size_t count;
    struct at {
        int from;
        int64_t mark;
    } at[]; /* the first one is this node's; 0: not there */
};

void marks_init(struct marks *marks, int from, int64_t due_now_ms)
{
    int64_t begin = due_now_ms * BY_THE_MS;
    *marks = (struct marks){ .shared = from != 0, .node_count = 1, .told = begin };
    marks->nodes[0] = (struct marks_of_node){ from, begin, begin };
}

static void forget_all(struct marks *marks)
{
    size_t at = 0;
    for (struct mark *mark; (mark = map_each(&marks->accounts, &at)) != NULL;)
        free(mark);
    map_free(&marks->accounts);
    marks->latest = NULL;
    marks->touched = 0;
    for (size_t i = 0; i < marks->node_count; i++)
        marks->nodes[i].all = marks->nodes[i].known;
}

void marks_free(struct marks *marks)
{
    forget_all(marks);
}

void marks_forget(struct marks *marks)
{
    marks->nodes[0].known++; /* as `all` is above what was told then */
    forget_all(marks);
}

/* ---- nodes ---- */

static struct marks_of_node *node_find(struct marks *marks, int from)
{
    for (size_t i = 0; i < marks->node_count; i++) {
        if (marks->nodes[i].from == from)
            return &marks->nodes[i];
    }
    return NULL;
}

/* In the place of the one that has been still for longest, when there are too many. */
static struct marks_of_node *node_add(struct marks *marks, int from, int64_t begin)
{
    struct marks_of_node *place = &marks->nodes[1];
    if (marks->node_count < MARKS_NODES_MOST)
        place = &marks->nodes[marks->node_count++];
    else
        for (size_t i = 2; i < marks->node_count; i++)
            place = marks->nodes[i].known < place->known ? &marks->nodes[i] : place;
    *place = (struct marks_of_node){ from, begin, begin };
    return place;
}

/* ---- accounts ---- */

static void forget(struct marks *marks, struct mark *mark)
{
    for (size_t i = 0; i < mark->count && marks->shared; i++) {
        struct marks_of_node *node = node_find(marks, mark->at[i].from);
        if (node != NULL && mark->at[i].mark > node->all)
            node->all = mark->at[i].mark;
    }
    if (marks->latest == mark)
        marks->latest = NULL;
    map_remove(&marks->accounts, mark->account);
    free(mark);
}

static void forget_old(struct marks *marks, int64_t steady_ms)
{
    size_t at = 0;
    for (struct mark *mark; (mark = map_each(&marks->accounts, &at)) != NULL;) {
        if (!mark->touched && steady_ms - mark->used_ms >= FORGOTTEN_AFTER_MS)
            forget(marks, mark);
    }
}

/* Alone, what came before it was made is not known. */
static struct mark *mark_new(struct marks *marks, int64_t account)
{
    struct mark *mark = must_alloc(sizeof(*mark) + sizeof(mark->at[0]));
    if (marks->accounts.count >= MARKS_ACCOUNTS_MOST)
        forget_all(marks);
    *mark = (struct mark){ .account = account, .count = 1 };
    mark->at[0].from = marks->nodes[0].from;
    mark->at[0].mark = marks->shared ? 0 : marks->nodes[0].known;
    map_put(&marks->accounts, account, mark);
    return mark;
}

void marks_note_account(struct marks *marks, int64_t account)
{
    struct mark *mark = marks->latest;
    if (mark == NULL || mark->account != account)
        mark = map_get(&marks->accounts, account);
    if (mark == NULL && marks->shared && account != 0)
        mark = mark_new(marks, account);
    if (mark == NULL)
        return;
    mark->at[0].mark = marks->nodes[0].known;
    marks->touched += !mark->touched && marks->shared;
    mark->touched = marks->shared; /* alone, nobody is to be told */
    marks->latest = mark;
}

static struct mark *raise_at(struct marks *marks, struct mark *mark, int from, int64_t to)
{
    for (size_t i = 0; i < mark->count; i++) {
        if (mark->at[i].from == from) {
            mark->at[i].mark = to;
            return mark;
        }
    }
    size_t size = sizeof(*mark) + (mark->count + 1) * sizeof(mark->at[0]);
    struct mark *larger = must_resize(mark, size);
    larger->at[larger->count++] = (struct at){ from, to };
    map_put(&marks->accounts, larger->account, larger);
    marks->latest = NULL;
    return larger;
}

/* ---- looking on ---- */

static int64_t seen_of(const struct marks_seen *seen, int from)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (seen->of[i].from == from)
            return seen->of[i].mark;
    }
    return 0;
}

static bool nodes_have_changed(const struct marks *marks, int64_t account,
                               const struct marks_seen *seen)
{
    for (size_t i = 0; i < marks->node_count; i++) {
        const struct marks_of_node *node = &marks->nodes[i];
        int64_t mark = seen_of(seen, node->from);
        if (node->all > mark || (account == 0 && node->known > mark))
            return true;
    }
    return seen_of(seen, marks->nodes[0].from) > marks->nodes[0].known; /* it is none of ours */
}

bool marks_changed(struct marks *marks, int64_t account, const struct marks_seen *seen,
                   int64_t steady_ms)
{
    if (nodes_have_changed(marks, account, seen))
        return true;
    if (account == 0)
        return false;
    struct mark *mark = map_get(&marks->accounts, account);
    if (mark == NULL) {
        forget_old(marks, steady_ms);
        mark = mark_new(marks, account);
    }
    mark->used_ms = steady_ms;
    for (size_t i = 0; i < mark->count; i++) {
        if (mark->at[i].mark > seen_of(seen, mark->at[i].from))
            return true;
    }
    return false;
}

void marks_see(const struct marks *marks, struct marks_seen *seen)
{
    struct marks_seen out = { 0 };
    for (size_t i = 0; i < marks->node_count; i++) {
        const struct marks_of_node *node = &marks->nodes[i];
        int64_t before = i > 0 ? seen_of(seen, node->from) : 0; /* its own it knows best */
        out.of[out.count].from = node->from;
        out.of[out.count++].mark = before > node->known ? before : node->known;
    }
    for (size_t i = 0; i < seen->count && out.count < MARKS_NODES_MOST; i++) {
        if (seen->of[i].mark != 0 && seen_of(&out, seen->of[i].from) == 0)
            out.of[out.count].from = seen->of[i].from, out.of[out.count++].mark = seen->of[i].mark;
    }
    *seen = out;
}

void marks_seen_write(struct buf *out, const struct marks_seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        buf_fmt(out, "%s%x-%llx", i > 0 ? "." : "", (unsigned)seen->of[i].from,
                (unsigned long long)seen->of[i].mark);
}

bool marks_seen_read(struct marks_seen *seen, const char *text)
{
    *seen = (struct marks_seen){ 0 };
    while (seen->count < MARKS_NODES_MOST) {
        char *end;
        unsigned long from = strtoul(text, &end, 16);
        if (end == text || *end != '-' || from > INT32_MAX)
            break;
        text = end + 1;
        unsigned long long mark = strtoull(text, &end, 16);
        if (end == text || mark > INT64_MAX)
            break;
        seen->of[seen->count].from = (int)from;
        seen->of[seen->count++].mark = (int64_t)mark;
        if (*end == '\0')
            return true;
        if (*end != '.')
            break;
        text = end + 1;
    }
    *seen = (struct marks_seen){ 0 };
    return false;
}

/* ---- other nodes ---- */

/* What a node tells begins with how far that goes: from the mark due_at to id, the accounts that
 * follow, or (notification 1) any. */
static void hear_range(struct marks *marks, const struct change *change)
{
    struct marks_of_node *node = node_find(marks, change->from);
    if (node == NULL)
        node = node_add(marks, change->from, change->due_at);
    if (change->due_at > node->known) /* something was missed */
        node->all = change->due_at;
    if (change->notification == 1)
        node->all = change->id;
    node->known = change->id;
}

void marks_heard(struct marks *marks, const struct change *change)
{
    if (change->from == 0 || !marks->shared)
        return;
    if (change->account == 0) {
        hear_range(marks, change);
        return;
    }
    struct mark *mark = map_get(&marks->accounts, change->account);
    if (mark == NULL)
        mark = mark_new(marks, change->account);
    mark->used_ms = clock_steady_ms();
    raise_at(marks, mark, change->from, change->id);
}

size_t marks_tell(struct marks *marks, bool idle, struct change **out)
{
    struct marks_of_node *own = &marks->nodes[0];
    size_t count = 1, at = 0;
    bool all = marks->touched > TOUCHED_MOST || own->all > marks->told;
    if (!idle && own->known == marks->told)
        return 0;
    struct change *changes = must_alloc((marks->touched + 1) * sizeof(*changes));
    changes[0] = (struct change){ CHANGE_TOUCHED, 0, all, own->known, marks->told, 0 };
    for (struct mark *mark; (mark = map_each(&marks->accounts, &at)) != NULL;) {
        if (!mark->touched)
            continue;
        mark->touched = false;
        mark->used_ms = clock_steady_ms();
        if (!all)
            changes[count++] =
                (struct change){ CHANGE_TOUCHED, mark->account, 0, mark->at[0].mark, 0, 0 };
    }
    marks->touched = 0;
    marks->told = own->known;
    *out = changes;
    return count;
}
