/* postback_walk.c — ids of postbacks, newest first, from one of three sources.
 *
 * No index has an account's postbacks in order; each notification's are, in postback_of.  So:
 *   - of an inquiry or an action: its events are few, and an event's postbacks have the ids behind
 * its own (see events.c); those sent again, and those of later steps of its fan-out, have an index.
 * All ids are gathered and sorted, also those of postbacks that have no row yet, or none any more.
 *   - only WAITING ones, when they are few: gathered from the partial index and sorted.
 *   - else a merge: a cursor a notification, each with a few ids read ahead, in a heap by its next
 *     id.  A page costs a step of the index a notification and one a row.
 *
 * The rule: nothing here reads more than a page's worth of any one notification.
 */
#include "store/postback_walk.h"

#include "base/fail.h"
#include "store/direct.h"
#include "store/events.h"

#include <stdlib.h>

enum {
    AHEAD_MOST = 64,       /* ids read at once for one notification */
    AHEAD_ALL = 256,       /* … and for all together */
    WAITING_MOST = 10000,  /* more WAITING ids than that are not gathered */
    GATHERED_MOST = 100000 /* ids of one inquiry, or action */
};

struct cursor {
    struct heap_node node; /* by -id: the newest is the least */
    int64_t notification;
    int64_t *ahead; /* ids, newest first */
    int count, at;
};

struct ids { /* a growing array */
    int64_t *items;
    size_t count, cap;
};

struct walk {
    struct db *db;
    int64_t from, before; /* from <= id < before */
    struct ids notifications;
    /* gathered and sorted */
    bool gathered;
    struct ids ids;
    size_t at;
    /* merged */
    struct cursor *cursors;
    struct heap heap;
    int ahead;
};

static void ids_add(struct ids *ids, int64_t id)
{
    if (ids->count == ids->cap) {
        ids->cap = ids->cap == 0 ? 64 : ids->cap * 2;
        ids->items = must_resize(ids->items, ids->cap * sizeof(*ids->items));
    }
    ids->items[ids->count++] = id;
}

static int newest_first(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left < right) - (left > right);
}

static void gather(struct walk *walk, int64_t id)
{
    if (id >= walk->from && id < walk->before && walk->ids.count < GATHERED_MOST)
        ids_add(&walk->ids, id);
}

static void sort_gathered(struct walk *walk)
{
    walk->gathered = true;
    if (walk->ids.count > 1)
        qsort(walk->ids.items, walk->ids.count, sizeof(*walk->ids.items), newest_first);
}

/* ---- of an inquiry, or an action ---- */

/* Of an earlier version: there one process wrote an event's postbacks right behind it. */
static void gather_behind(struct walk *walk, int64_t event)
{
    struct stmt *after = db_prepare(walk->db, "SELECT id, event FROM postback WHERE id > ? "
                                              "ORDER BY id LIMIT ?");
    db_bind_int(after, 1, event);
    db_bind_int(after, 2, FAN_OUT_STEP);
    while (db_step(after) == DB_ROW && db_int(after, 1) == event)
        gather(walk, db_int(after, 0));
    db_finish(after);
}

static void gather_event(struct walk *walk, int64_t event, int64_t places)
{
    for (int64_t place = 0; place < places; place++)
        gather(walk, direct_id(event, (size_t)place));
    if (places == -1)
        gather_behind(walk, event);
    struct stmt *again =
        db_prepare(walk->db, "SELECT id FROM postback WHERE event = ? AND resent IS NOT NULL");
    db_bind_int(again, 1, event);
    while (db_step(again) == DB_ROW)
        gather(walk, db_int(again, 0));
    db_finish(again);
}

static void same_ids_once(struct ids *ids)
{
    size_t kept = 0;
    for (size_t i = 0; i < ids->count; i++) {
        if (kept == 0 || ids->items[kept - 1] != ids->items[i])
            ids->items[kept++] = ids->items[i];
    }
    ids->count = kept;
}

/* Of the events that a statement of their ids and places gives, and finishes it. */
static void gather_events(struct walk *walk, struct stmt *list)
{
    struct ids events = { 0 }; /* each with its places */
    while (db_step(list) == DB_ROW) {
        ids_add(&events, db_int(list, 0));
        ids_add(&events, db_opt(list, 1, -1));
    }
    db_finish(list);
    for (size_t i = 0; i < events.count; i += 2)
        gather_event(walk, events.items[i], events.items[i + 1]);
    free(events.items);
    sort_gathered(walk);
    same_ids_once(&walk->ids); /* one sent again right after its event is found both ways */
}

static void gather_inquiry(struct walk *walk, int64_t account, int64_t inquiry)
{
    struct stmt *list = db_prepare(walk->db, "SELECT id, postbacks FROM event WHERE inquiry = ? "
                                             "AND account = ? ORDER BY id");
    db_bind_int(list, 1, inquiry);
    db_bind_int(list, 2, account);
    gather_events(walk, list);
}

/* An action's updates name the events of its steps, each account's own. */
static void gather_action(struct walk *walk, int64_t account, int64_t action)
{
    struct stmt *list =
        db_prepare(walk->db, "SELECT e.id, e.postbacks FROM action_update u JOIN event e "
                             "ON e.id = u.partner_event OR e.id = u.brand_event "
                             "WHERE u.action = ? AND e.account = ? ORDER BY e.id");
    db_bind_int(list, 1, action);
    db_bind_int(list, 2, account);
    gather_events(walk, list);
}

/* ---- only WAITING ---- */

/* False: there are many, so that a walk of all finds them soon. */
static bool gather_waiting(struct walk *walk)
{
    size_t looked = 0;
    for (size_t i = 0; i < walk->notifications.count && looked <= WAITING_MOST; i++) {
        struct stmt *list = db_prepare(
            walk->db, "SELECT id FROM postback WHERE notification = ? AND state = 1 LIMIT ?");
        db_bind_int(list, 1, walk->notifications.items[i]);
        db_bind_int(list, 2, (int64_t)(WAITING_MOST + 1 - looked));
        for (; db_step(list) == DB_ROW; looked++)
            gather(walk, db_int(list, 0));
        db_finish(list);
    }
    if (looked > WAITING_MOST) {
        walk->ids.count = 0;
        return false;
    }
    sort_gathered(walk);
    return true;
}

/* ---- merged ---- */

static void read_ahead(struct walk *walk, struct cursor *cursor, int64_t before)
{
    struct stmt *list = db_prepare(walk->db, "SELECT id FROM postback WHERE notification = ? AND "
                                             "id < ? AND id >= ? ORDER BY id DESC LIMIT ?");
    cursor->count = cursor->at = 0;
    db_bind_int(list, 1, cursor->notification);
    db_bind_int(list, 2, before);
    db_bind_int(list, 3, walk->from);
    db_bind_int(list, 4, walk->ahead);
    while (db_step(list) == DB_ROW)
        cursor->ahead[cursor->count++] = db_int(list, 0);
    db_finish(list);
    if (cursor->count > 0)
        heap_put(&walk->heap, &cursor->node, -cursor->ahead[0]);
    else
        heap_remove(&walk->heap, &cursor->node);
}

static void merge_new(struct walk *walk)
{
    size_t count = walk->notifications.count;
    walk->ahead = count == 0 ? 1 : (int)(AHEAD_ALL / count);
    walk->ahead = walk->ahead < 1 ? 1 : walk->ahead > AHEAD_MOST ? AHEAD_MOST : walk->ahead;
    walk->cursors = must_alloc((count + 1) * sizeof(*walk->cursors));
    for (size_t i = 0; i < count; i++) {
        struct cursor *cursor = &walk->cursors[i];
        cursor->notification = walk->notifications.items[i];
        cursor->ahead = must_alloc((size_t)walk->ahead * sizeof(*cursor->ahead));
        read_ahead(walk, cursor, walk->before);
    }
}

static int64_t merge_next(struct walk *walk)
{
    struct heap_node *node = heap_min(&walk->heap);
    if (node == NULL)
        return 0;
    struct cursor *cursor = container_of(node, struct cursor, node);
    int64_t id = cursor->ahead[cursor->at++];
    if (cursor->at < cursor->count)
        heap_put(&walk->heap, &cursor->node, -cursor->ahead[cursor->at]);
    else if (cursor->count < walk->ahead)
        heap_remove(&walk->heap, &cursor->node);
    else
        read_ahead(walk, cursor, id);
    return id;
}

/* ---- */

/* Deleted ones too: their postbacks are still in the log. */
static void list_notifications(struct walk *walk, int64_t account, int64_t notification)
{
    struct stmt *list =
        notification != 0
            ? db_prepare(walk->db, "SELECT id FROM notification WHERE account = ? AND id = ?")
            : db_prepare(walk->db, "SELECT id FROM notification WHERE account = ? ORDER BY id");
    db_bind_int(list, 1, account);
    if (notification != 0)
        db_bind_int(list, 2, notification);
    while (db_step(list) == DB_ROW)
        ids_add(&walk->notifications, db_int(list, 0));
    db_finish(list);
}

struct walk *walk_new(struct db *db, int64_t account, const struct postback_filter *filter)
{
    struct walk *walk = must_alloc(sizeof(*walk));
    walk->db = db;
    walk->before = filter->before > 0 ? filter->before : INT64_MAX;
    if (filter->until != 0 && id_first_at(filter->until) < walk->before)
        walk->before = id_first_at(filter->until);
    walk->from = filter->from != 0 ? id_first_at(filter->from) : 0;
    if (filter->action != 0) {
        gather_action(walk, account, filter->action);
        return walk;
    }
    if (filter->inquiry != 0) {
        gather_inquiry(walk, account, filter->inquiry);
        return walk;
    }
    int64_t floor = filter->state == POSTBACK_FRESH ? direct_floor(db) : 0;
    if (floor > walk->from)
        walk->from = floor;
    list_notifications(walk, account, filter->notification);
    if (filter->state != POSTBACK_WAITING || !gather_waiting(walk))
        merge_new(walk);
    return walk;
}

int64_t walk_next(struct walk *walk)
{
    if (!walk->gathered)
        return merge_next(walk);
    return walk->at < walk->ids.count ? walk->ids.items[walk->at++] : 0;
}

void walk_free(struct walk *walk)
{
    for (size_t i = 0; walk->cursors != NULL && i < walk->notifications.count; i++)
        free(walk->cursors[i].ahead);
    free(walk->cursors);
    heap_free(&walk->heap);
    free(walk->notifications.items);
    free(walk->ids.items);
    free(walk);
}
