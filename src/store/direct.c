/* direct.c — the list of an event's direct postbacks, and rows for those that have none.
 *
 * The list has an event notification's id for each place, or nothing where the postback has had its
 * row from the start: "7,,9".  Whether a place has its row is not kept anywhere: a row is added
 * unless it is there (ON CONFLICT), so whoever comes second finds the first one's.
 *
 * Each node has a floor of its own, for the events that it took: their ids tell whose they are.  It
 * is a row of `meta`, "fresh_floor.17" for node 17.  A server that has its database for itself has
 * one floor for all ids, "fresh_floor", as its number may be another one at each start.
 *
 * The rule: a floor is never above an event of its node that has a direct postback without a row.
 */
#include "store/direct.h"

#include "base/fail.h"
#include "base/log.h"
#include "base/text.h"
#include "model/notification.h"
#include "store/ledger.h"
#include "store/meta.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEP = 256 }; /* events read at once */

int64_t direct_id(int64_t event, size_t place)
{
    return event + 1 + (int64_t)place;
}

void direct_list(struct buf *list, size_t place, int64_t notification)
{
    if (place > 0)
        buf_char(list, ',');
    if (notification != 0)
        buf_int(list, notification);
}

int64_t direct_next(const char **list)
{
    char *end;
    int64_t notification = strtoll(*list, &end, 10);
    *list = *end == ',' ? end + 1 : NULL;
    return notification;
}

static int64_t at_place(const char *list, int64_t place)
{
    int64_t notification = 0;
    for (; list != NULL && place >= 0; place--)
        notification = direct_next(&list);
    return place < 0 ? notification : 0;
}

bool direct_find(struct db *db, int64_t id, struct direct *out)
{
    *out = (struct direct){ .id = id };
    struct stmt *find = db_prepare(db, "SELECT id, account, direct FROM event WHERE id < ? "
                                       "ORDER BY id DESC LIMIT 1");
    db_bind_int(find, 1, id);
    if (db_step(find) == DB_ROW) {
        out->event = db_int(find, 0);
        out->account = db_int(find, 1);
        out->notification = at_place(db_text(find, 2), id - direct_id(out->event, 0));
    }
    db_finish(find);
    return out->notification != 0 && out->event >= direct_floor_of(db, id_node(out->event));
}

bool direct_write(struct db *db, const struct direct *direct, enum postback_state state)
{
    struct stmt *add = db_prepare(
        db, "INSERT INTO postback (id, bucket, account, notification, event, state, due_at, "
            "finished_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    db_bind_int(add, 1, direct->id);
    db_bind_int(add, 2, notification_bucket(direct->notification));
    db_bind_int(add, 3, direct->account);
    db_bind_int(add, 4, direct->notification);
    db_bind_int(add, 5, direct->event);
    db_bind_int(add, 6, state);
    db_bind_int(add, 7, id_time_ms(direct->event));
    db_bind_opt(add, 8, state == POSTBACK_CANCELLED ? db_now(db) : -1, -1);
    db_run(db, add);
    return db_changes(db) == 1;
}

struct lists { /* of some events, as read */
    int64_t event[STEP], account[STEP];
    char *list[STEP];
    size_t count;
};

static void read_lists(struct db *db, int64_t from, int64_t before, struct lists *out)
{
    struct stmt *read = db_prepare(db, "SELECT id, account, direct FROM event WHERE id >= ? AND "
                                       "id < ? AND direct IS NOT NULL ORDER BY id LIMIT ?");
    out->count = 0;
    db_bind_int(read, 1, from);
    db_bind_int(read, 2, before);
    db_bind_int(read, 3, STEP);
    while (out->count < STEP && db_step(read) == DB_ROW) {
        out->event[out->count] = db_int(read, 0);
        out->account[out->count] = db_int(read, 1);
        out->list[out->count++] = db_copy(read, 2);
    }
    db_finish(read);
}

/* What is done to each; true: it counts. */
struct visit {
    bool (*each)(const struct visit *visit, struct db *db, const struct direct *direct);
    int64_t before, most; /* events below the one; and no further ones after so many that count */
    int64_t notification; /* 0: of all */
    enum postback_state state;
    void (*tell)(void *context, const struct direct *direct);
    void *context;
};

static int64_t visit_event(const struct visit *visit, struct db *db, const struct lists *lists,
                           size_t i)
{
    struct direct direct = { .event = lists->event[i], .account = lists->account[i] };
    int64_t counted = 0;
    const char *list = lists->list[i];
    for (size_t place = 0; list != NULL; place++) {
        direct.notification = direct_next(&list);
        direct.id = direct_id(direct.event, place);
        if (direct.notification != 0 &&
            (visit->notification == 0 || direct.notification == visit->notification))
            counted += visit->each(visit, db, &direct);
    }
    return counted;
}

/* Where events of each node may have some without a row; INT64_MAX: nowhere. */
struct floors {
    int64_t of[ID_NODES], lowest;
};

static void read_floors(struct db *db, struct floors *out);

/* One for this node (DIRECT_ALL: for each), none for others. */
static void set_floors(struct floors *out, int node, int64_t floor)
{
    for (int i = 0; i < ID_NODES; i++)
        out->of[i] = node == DIRECT_ALL || i == node ? floor : INT64_MAX;
    out->lowest = floor;
}

static int64_t visit_from(const struct visit *visit, struct db *db, const struct floors *floors)
{
    struct lists *lists = must_alloc(sizeof(*lists));
    int64_t from = floors->lowest, counted = 0;
    lists->count = from != INT64_MAX ? STEP : 0;
    while (lists->count == STEP && counted < visit->most) {
        read_lists(db, from, visit->before, lists);
        for (size_t i = 0; i < lists->count; i++) {
            int64_t event = lists->event[i];
            if (counted < visit->most && event >= floors->of[id_node(event)])
                counted += visit_event(visit, db, lists, i);
            from = event + 1;
            free(lists->list[i]);
        }
    }
    free(lists);
    return counted;
}

static int64_t visit_all(const struct visit *visit, struct db *db)
{
    struct floors floors;
    read_floors(db, &floors);
    return visit_from(visit, db, &floors);
}

static bool write_it(const struct visit *visit, struct db *db, const struct direct *direct)
{
    return direct_write(db, direct, visit->state);
}

int64_t direct_write_all(struct db *db, int64_t notification, enum postback_state state,
                         int64_t most)
{
    const struct visit visit = { .each = write_it,
                                 .before = INT64_MAX,
                                 .most = most,
                                 .notification = notification,
                                 .state = state };
    return visit_all(&visit, db);
}

static bool make_wait(const struct visit *visit, struct db *db, const struct direct *direct)
{
    if (!direct_write(db, direct, visit->state))
        return false;
    ledger_wait(db, direct->notification, direct->account, db_due_now(db));
    return true;
}

int64_t direct_make_wait(struct db *db, int node, int64_t floor)
{
    const struct visit visit = {
        .each = make_wait, .before = INT64_MAX, .most = INT64_MAX, .state = POSTBACK_WAITING
    };
    struct floors floors;
    set_floors(&floors, node, floor);
    return visit_from(&visit, db, &floors);
}

void direct_write_before(struct db *db, int64_t event)
{
    const struct visit visit = {
        .each = write_it, .before = event, .most = INT64_MAX, .state = POSTBACK_FRESH
    };
    visit_all(&visit, db);
}

static bool tell_without_row(const struct visit *visit, struct db *db, const struct direct *direct)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM postback WHERE id = ?");
    db_bind_int(find, 1, direct->id);
    bool without = db_number(find, 0) == 0;
    if (without)
        visit->tell(visit->context, direct);
    return without;
}

void direct_without_rows(struct db *db, void (*tell)(void *context, const struct direct *direct),
                         void *context)
{
    const struct visit visit = { .each = tell_without_row,
                                 .before = INT64_MAX,
                                 .most = INT64_MAX,
                                 .tell = tell,
                                 .context = context };
    visit_all(&visit, db);
}

/* ---- the floors ---- */

static const char alone[] = "fresh_floor";

struct floor_key {
    char text[24];
};

static struct floor_key key_of(const struct db *db, int node)
{
    struct floor_key key;
    if (db_is_remote(db))
        snprintf(key.text, sizeof(key.text), "%s.%d", alone, node);
    else
        snprintf(key.text, sizeof(key.text), "%s", alone);
    return key;
}

void direct_set_floor(struct db *db, int64_t id)
{
    struct floor_key key = key_of(db, db_node(db));
    meta_put(db, key.text, id);
}

static int64_t floor_from(const char *text)
{
    int64_t floor;
    if (id_parse(text, &floor))
        return floor;
    log_warn("a floor is unreadable: all postbacks are looked at", LOG_T("value", text));
    return 0;
}

static int64_t read_floor(struct stmt *find, const char *key, int64_t none)
{
    db_bind_text(find, 1, key);
    int64_t floor = db_step(find) == DB_ROW ? floor_from(db_text(find, 0)) : none;
    db_finish(find);
    return floor;
}

/* A server that is alone has had its floor from its first start on, or its database was written by
 * a version without one. */
static int64_t floor_without_row(const struct db *db)
{
    return db_is_remote(db) ? INT64_MAX : 0;
}

int64_t direct_floor_of(struct db *db, int node)
{
    struct floor_key key = key_of(db, node);
    return read_floor(db_prepare(db, "SELECT value FROM meta WHERE key = ?"), key.text,
                      floor_without_row(db));
}

int64_t direct_end_floor(struct db *db, int node)
{
    struct floor_key key = key_of(db, node);
    return read_floor(db_prepare(db, "DELETE FROM meta WHERE key = ? RETURNING value"),
                      node == DIRECT_ALL ? alone : key.text, INT64_MAX);
}

static void read_floors(struct db *db, struct floors *out)
{
    set_floors(out, DIRECT_ALL, db_is_remote(db) ? INT64_MAX : direct_floor_of(db, DIRECT_ALL));
    if (!db_is_remote(db))
        return;
    struct stmt *list =
        db_prepare(db, "SELECT key, value FROM meta WHERE key LIKE 'fresh_floor.%'");
    while (db_step(list) == DB_ROW) {
        int64_t node, floor = floor_from(db_text(list, 1));
        if (!text_int(db_text(list, 0) + sizeof(alone), 0, ID_NODES - 1, &node))
            continue;
        out->of[node] = floor;
        out->lowest = floor < out->lowest ? floor : out->lowest;
    }
    db_finish(list);
}

int64_t direct_floor(struct db *db)
{
    struct floors floors;
    read_floors(db, &floors);
    return floors.lowest;
}
