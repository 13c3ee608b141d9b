/* postback_walk.c — ids of postbacks, newest first, from one of five sources.
 *
 * No index has an account's postbacks in order; each notification's are, in postback_of.  So:
 *   - of an inquiry, an action, or an order that one of them has: its events are few, and an
 * event's postbacks have the ids behind its own (see events.c); those sent again, and those of
 * later steps of its fan-out, have an index.  All ids are gathered and sorted, also those of
 * postbacks that have no row yet, or none any more.
 *   - of an order that only events which were sent in may have: those of a stretch of the events by
 * id whose data has it, and then it stops.
 *   - only WAITING ones, when they are few: gathered from the partial index and sorted.
 *   - those that failed, were cancelled or given up: few of all as a rule, so partial indexes have
 * them (postback_failed, postback_ended), which one that is delivered at once never touches.
 *   - else a merge: a cursor a notification, each with a few ids read ahead, in a heap by its next
 *     id.  A page costs a step of the index a notification and one a row.
 *
 * The rule: nothing here reads more than a page's worth of any one source.
 */
#include "store/postback_walk.h"

#include "base/fail.h"
#include "store/direct.h"
#include "store/events.h"

#include <stdlib.h>
#include <string.h>

enum {
    AHEAD_MOST = 64,        /* ids read at once for one notification */
    AHEAD_ALL = 256,        /* … and for all together */
    WAITING_MOST = 50000,   /* more WAITING ids than that are not gathered: about 10 ms */
    GATHERED_MOST = 100000, /* ids of one inquiry, action or order */
    STRETCH = 25000,        /* events whose data is looked at for a page: about 25 ms */
    STRETCH_AGAIN = 5000,   /* … and postbacks that do not follow their events */
    ORDERS_MOST = 1000,     /* inquiries, and actions, of one order */
    STATUS_MOST = 999,
};

/* What a cursor goes along: the postbacks of a notification, or of the account those whose last
 * attempt failed, by the answer's status, or those that ended otherwise than delivered. */
enum source { OF_NOTIFICATION, OF_STATUS, OF_NO_ANSWER, OF_ENDED, SOURCES };

struct cursor {
    struct heap_node node; /* by -id: the newest is the least */
    int64_t key;           /* the notification, the status, the state */
    enum source source;
    int64_t *ahead; /* ids, newest first */
    int count, at;
};

struct ids { /* a growing array */
    int64_t *items;
    size_t count, cap;
};

struct walk {
    struct db *db;
    int64_t account;
    int64_t from, before; /* from <= id < before */
    struct ids keys;      /* each with its source */
    bool reads_data;
    int64_t stopped;
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
}

/* What is left are those that the filters before found too (NULL: there was none), once each: one
 * sent again right after its event is found both ways. */
static void keep_common(struct walk *walk, const struct ids *before)
{
    size_t kept = 0, at = 0;
    sort_gathered(walk);
    same_ids_once(&walk->ids);
    if (before == NULL)
        return;
    for (size_t i = 0; i < walk->ids.count; i++) {
        while (at < before->count && before->items[at] > walk->ids.items[i])
            at++;
        if (at < before->count && before->items[at] == walk->ids.items[i])
            walk->ids.items[kept++] = walk->ids.items[i];
    }
    walk->ids.count = kept;
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

/* Of a statement that gives ids, which is finished. */
static struct ids ids_of(struct stmt *list)
{
    struct ids ids = { 0 };
    while (db_step(list) == DB_ROW)
        ids_add(&ids, db_int(list, 0));
    db_finish(list);
    return ids;
}

/* A brand and a partner are two accounts, so it is at most one of both. */
static struct ids inquiries_of_order(struct walk *walk, const char *order)
{
    struct stmt *list =
        db_prepare(walk->db, "SELECT id FROM inquiry WHERE partner = ?1 AND order_id = ?2 UNION "
                             "SELECT id FROM inquiry WHERE brand = ?1 AND order_id = ?2 LIMIT ?3");
    db_bind_int(list, 1, walk->account);
    db_bind_text(list, 2, order);
    db_bind_int(list, 3, ORDERS_MOST);
    return ids_of(list);
}

static struct ids actions_of_order(struct walk *walk, const char *order)
{
    struct stmt *list =
        db_prepare(walk->db, "SELECT id FROM action WHERE order_id = ?2 AND (partner = ?1 OR "
                             "brand = ?1) LIMIT ?3");
    db_bind_int(list, 1, walk->account);
    db_bind_text(list, 2, order);
    db_bind_int(list, 3, ORDERS_MOST);
    return ids_of(list);
}

/* False: no inquiry and no action of the account has it. */
static bool gather_order(struct walk *walk, const char *order)
{
    struct ids inquiries = inquiries_of_order(walk, order), actions = actions_of_order(walk, order);
    for (size_t i = 0; i < inquiries.count; i++)
        gather_inquiry(walk, walk->account, inquiries.items[i]);
    for (size_t i = 0; i < actions.count; i++)
        gather_action(walk, walk->account, actions.items[i]);
    bool known = inquiries.count + actions.count > 0;
    free(inquiries.items);
    free(actions.items);
    return known;
}

/* ---- of an order that events were sent in with ---- */

/* Where a stretch begins that ends under the cursor. */
static int64_t stretch_begin(struct walk *walk)
{
    struct stmt *find = db_prepare(walk->db, "SELECT id FROM event WHERE id < ? AND id >= ? "
                                             "ORDER BY id DESC LIMIT 1 OFFSET ?");
    db_bind_int(find, 1, walk->before);
    db_bind_int(find, 2, walk->from);
    db_bind_int(find, 3, STRETCH);
    return db_number(find, walk->from);
}

/* Those that have the text in their data; a superset, as LIKE takes either case. */
static void gather_data(struct walk *walk, const char *like)
{
    struct stmt *list =
        db_prepare(walk->db, "SELECT id, postbacks FROM event WHERE id >= ? AND id < ? AND "
                             "account = ? AND data LIKE ? ORDER BY id DESC LIMIT ?");
    db_bind_int(list, 1, walk->from);
    db_bind_int(list, 2, walk->before);
    db_bind_int(list, 3, walk->account);
    db_bind_text(list, 4, like);
    db_bind_int(list, 5, GATHERED_MOST);
    while (db_step(list) == DB_ROW) {
        int64_t event = db_int(list, 0), places = db_opt(list, 1, -1);
        for (int64_t place = 0; place < places; place++)
            gather(walk, direct_id(event, (size_t)place));
        if (places == -1)
            gather_behind(walk, event);
    }
    db_finish(list);
}

/* All that do not follow their events, for the caller to look at those.  When there are many, the
 * stretch begins later. */
static void gather_again(struct walk *walk)
{
    struct stmt *list =
        db_prepare(walk->db, "SELECT id FROM postback WHERE id >= ? AND id < ? AND account = ? AND "
                             "resent IS NOT NULL ORDER BY id DESC LIMIT ?");
    int64_t last = 0;
    int count = 0;
    db_bind_int(list, 1, walk->from);
    db_bind_int(list, 2, walk->before);
    db_bind_int(list, 3, walk->account);
    db_bind_int(list, 4, STRETCH_AGAIN);
    for (; db_step(list) == DB_ROW; count++) {
        last = db_int(list, 0);
        gather(walk, last);
    }
    db_finish(list);
    if (count == STRETCH_AGAIN)
        walk->from = last;
}

/* What is looked at of an account's events is in order of ids, whatever notification they are for:
 * one stretch of the tables, which are read from there on without an index. */
static void gather_stretch(struct walk *walk, const char *order)
{
    struct buf like = { 0 };
    int64_t end = walk->from;
    walk->from = stretch_begin(walk);
    gather_again(walk);
    buf_char(&like, '%');
    buf_add(&like, order, strcspn(order, "\"\\/%_")); /* as it stands in JSON, and in a LIKE */
    buf_char(&like, '%');
    gather_data(walk, buf_text(&like));
    buf_free(&like);
    keep_common(walk, NULL);
    walk->gathered = true;
    walk->stopped = walk->from > end ? walk->from : 0;
}

/* ---- only WAITING ---- */

/* False: there are many, so that a walk of all finds them soon. */
static bool gather_waiting(struct walk *walk)
{
    size_t looked = 0;
    for (size_t i = 0; i < walk->keys.count && looked <= WAITING_MOST; i += 2) {
        struct stmt *list = db_prepare(
            walk->db, "SELECT id FROM postback WHERE notification = ? AND state = 1 LIMIT ?");
        db_bind_int(list, 1, walk->keys.items[i]);
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
    walk->gathered = true;
    return true;
}

/* ---- merged ---- */

/* A partial index is taken for a statement that says its condition as it stands there. */
#define SQL_FAILED "(last_error IS NOT NULL OR last_status >= 300) "
#define SQL_NEXT   "AND id < ?3 AND id >= ?4 ORDER BY id DESC LIMIT ?5"

static const char *const source_sql[SOURCES] = {
    [OF_NOTIFICATION] = "SELECT id FROM postback WHERE notification = ?2 AND ?1 > 0 " SQL_NEXT,
    [OF_STATUS] =
        "SELECT id FROM postback WHERE account = ?1 AND last_status = ?2 AND " SQL_FAILED SQL_NEXT,
    [OF_NO_ANSWER] = "SELECT id FROM postback WHERE account = ?1 AND last_status IS NULL AND "
                     "?2 = 0 AND " SQL_FAILED SQL_NEXT,
    [OF_ENDED] =
        "SELECT id FROM postback WHERE account = ?1 AND state = ?2 AND state >= 3 " SQL_NEXT,
};

static void read_ahead(struct walk *walk, struct cursor *cursor, int64_t before)
{
    struct stmt *list = db_prepare(walk->db, source_sql[cursor->source]);
    cursor->count = cursor->at = 0;
    db_bind_int(list, 1, walk->account);
    db_bind_int(list, 2, cursor->key);
    db_bind_int(list, 3, before);
    db_bind_int(list, 4, walk->from);
    db_bind_int(list, 5, walk->ahead);
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
    size_t count = walk->keys.count / 2;
    walk->ahead = count == 0 ? 1 : (int)(AHEAD_ALL / count);
    walk->ahead = walk->ahead < 1 ? 1 : walk->ahead > AHEAD_MOST ? AHEAD_MOST : walk->ahead;
    walk->cursors = must_alloc((count + 1) * sizeof(*walk->cursors));
    for (size_t i = 0; i < count; i++) {
        struct cursor *cursor = &walk->cursors[i];
        cursor->key = walk->keys.items[2 * i];
        cursor->source = (enum source)walk->keys.items[2 * i + 1];
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

/* ---- what it goes along ---- */

static void add_source(struct walk *walk, enum source source, int64_t key)
{
    ids_add(&walk->keys, key);
    ids_add(&walk->keys, source);
}

/* Each status of the span that a failed one has: one step of the index a status. */
static void list_statuses(struct walk *walk, int64_t from, int64_t until)
{
    for (int64_t status = from; status <= until; status++) {
        struct stmt *next =
            db_prepare(walk->db, "SELECT last_status FROM postback WHERE account = ? AND "
                                 "last_status >= ? AND last_status <= ? AND " SQL_FAILED
                                 "ORDER BY last_status LIMIT 1");
        db_bind_int(next, 1, walk->account);
        db_bind_int(next, 2, status);
        db_bind_int(next, 3, until);
        status = db_number(next, until + 1);
        if (status <= until)
            add_source(walk, OF_STATUS, status);
    }
}

/* True: all that match are in postback_failed, along which it goes. */
static bool list_failed(struct walk *walk, const struct postback_filter *filter)
{
    int64_t from = filter->status_from, until = filter->status_until;
    if (from == POSTBACK_NO_ANSWER || (from == 0 && filter->error != NULL))
        add_source(walk, OF_NO_ANSWER, 0);
    if (from == 0 && filter->error != NULL)
        list_statuses(walk, 1, STATUS_MOST);
    else if (from >= 300 || (from > 0 && filter->error != NULL))
        list_statuses(walk, from, until);
    return filter->error != NULL || from == POSTBACK_NO_ANSWER || from >= 300;
}

/* Deleted ones too: their postbacks are still in the log. */
static void list_notifications(struct walk *walk, int64_t notification)
{
    struct stmt *list =
        notification != 0
            ? db_prepare(walk->db, "SELECT id FROM notification WHERE account = ? AND id = ?")
            : db_prepare(walk->db, "SELECT id FROM notification WHERE account = ? ORDER BY id");
    db_bind_int(list, 1, walk->account);
    if (notification != 0)
        db_bind_int(list, 2, notification);
    while (db_step(list) == DB_ROW)
        add_source(walk, OF_NOTIFICATION, db_int(list, 0));
    db_finish(list);
}

enum named { BY_ID, BY_ACTION, BY_INQUIRY, BY_ORDER, NAMED };

/* False: the filter has none of that. */
static bool gather_by(struct walk *walk, enum named by, const struct postback_filter *filter)
{
    switch (by) {
    case BY_ID:
        if (filter->id != 0)
            gather(walk, filter->id);
        return filter->id != 0;
    case BY_ACTION:
        if (filter->action != 0)
            gather_action(walk, walk->account, filter->action);
        return filter->action != 0;
    case BY_INQUIRY:
        if (filter->inquiry != 0)
            gather_inquiry(walk, walk->account, filter->inquiry);
        return filter->inquiry != 0;
    case BY_ORDER:
        walk->reads_data = filter->order != NULL && !gather_order(walk, filter->order);
        return filter->order != NULL && !walk->reads_data;
    case NAMED:
        break;
    }
    return false;
}

/* True: the filter names what has few, and they are gathered. */
static bool gather_named(struct walk *walk, const struct postback_filter *filter)
{
    for (int by = 0; by < NAMED; by++) {
        struct ids before = walk->ids;
        walk->ids = (struct ids){ 0 };
        if (gather_by(walk, (enum named)by, filter)) {
            keep_common(walk, walk->gathered ? &before : NULL);
            free(before.items);
            walk->gathered = true;
        } else {
            walk->ids = before;
        }
    }
    return walk->gathered;
}

struct walk *walk_new(struct db *db, int64_t account, const struct postback_filter *filter)
{
    struct walk *walk = must_alloc(sizeof(*walk));
    walk->db = db;
    walk->account = account;
    walk->before = filter->before > 0 ? filter->before : INT64_MAX;
    if (filter->until != 0 && id_first_at(filter->until) < walk->before)
        walk->before = id_first_at(filter->until);
    walk->from = filter->from != 0 ? id_first_at(filter->from) : 0;
    if (gather_named(walk, filter))
        return walk;
    if (walk->reads_data) {
        gather_stretch(walk, filter->order);
        return walk;
    }
    int64_t floor = filter->state == POSTBACK_FRESH ? direct_floor(db) : 0;
    if (floor > walk->from)
        walk->from = floor;
    if (list_failed(walk, filter)) {
        merge_new(walk);
        return walk;
    }
    if (filter->state >= POSTBACK_CANCELLED)
        add_source(walk, OF_ENDED, filter->state);
    else
        list_notifications(walk, filter->notification);
    if (filter->state != POSTBACK_WAITING || !gather_waiting(walk))
        merge_new(walk);
    return walk;
}

int64_t walk_stopped(const struct walk *walk)
{
    return walk->stopped;
}

bool walk_reads_data(const struct walk *walk)
{
    return walk->reads_data;
}

int64_t walk_next(struct walk *walk)
{
    if (!walk->gathered)
        return merge_next(walk);
    return walk->at < walk->ids.count ? walk->ids.items[walk->at++] : 0;
}

void walk_free(struct walk *walk)
{
    for (size_t i = 0; walk->cursors != NULL && i < walk->keys.count / 2; i++)
        free(walk->cursors[i].ahead);
    free(walk->cursors);
    heap_free(&walk->heap);
    free(walk->keys.items);
    free(walk->ids.items);
    free(walk);
}
