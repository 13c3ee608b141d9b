/* routes.c — account → its notifications, as publishing needs them.
 *
 * A map from the account to a set that is allocated in one piece; a second map holds the few
 * notifications that are not direct.  Changes of the latter are journalled so that they can be
 * undone with their transaction; the sets are only a copy of rows, so those that a transaction may
 * have read in a changed form are dropped when it is undone.
 *
 * The rule: a set never outlives a change of a notification of its account.
 */
#include "store/routes.h"

#include "base/fail.h"
#include "base/log.h"
#include "base/map.h"
#include "db/tx.h"
#include "model/notification.h"
#include "store/events.h"
#include "store/memories.h"

#include <stdlib.h>

enum { ROUTES_MAX = 100000 }; /* in memory; past it all are dropped and read again as needed */

struct set {
    int64_t account;
    size_t count;
    struct route routes[];
};

struct direction {
    int64_t notification;
    bool was_direct;
};

struct routes {
    struct map sets;     /* account → struct set */
    struct map indirect; /* notification → itself */
    size_t count;        /* of routes, in all sets */
    bool changed;        /* notifications were changed in this transaction */
    struct direction *changes;
    size_t change_count, change_cap;
};

static void drop_set(struct routes *routes, struct set *set)
{
    routes->count -= set->count;
    for (size_t i = 0; i < set->count; i++)
        free((void *)(uintptr_t)set->routes[i].types);
    free(set);
}

static void drop_all(struct routes *routes)
{
    size_t at = 0;
    for (struct set *set; (set = map_each(&routes->sets, &at)) != NULL;)
        drop_set(routes, set);
    map_free(&routes->sets);
}

static void clear(void *memory)
{
    struct routes *routes = memory;
    drop_all(routes);
    map_free(&routes->indirect);
    free(routes->changes);
}

static struct routes *of(struct db *db)
{
    return db_memory(db, MEMORY_ROUTES);
}

/* ---- reading an account's ---- */

/* What is on disk was checked when it was saved; a type that the catalog no longer has is left out.
 */
static void read_settings(struct route *route, bool shared, const char *text, size_t len)
{
    struct notification probe = { 0 };
    struct problems problems = { 0 };
    json_t *json = json_loadb(text, len, 0, NULL);

    notification_settings_read(&probe.settings, json, &problems);
    int *wanted = must_alloc((probe.settings.type_count + 1) * sizeof(*wanted));
    for (size_t i = 0; i < probe.settings.type_count; i++)
        wanted[route->type_count++] = probe.settings.types[i]->number;
    route->types = wanted;
    route->ordered = probe.settings.ordered;
    route->by_disk = notification_by_disk(&probe.settings, shared);
    route->delay_ms = (int64_t)probe.settings.minimum_delay_s * 1000;
    if (problems.count > 0)
        log_warn("settings of an event notification are not as expected",
                 LOG_N("notification", route->notification),
                 LOG_T("field", problems.items[0].field),
                 LOG_T("problem", problems.items[0].message));
    json_decref(json);
    problems_free(&problems);
    notification_settings_free(&probe.settings);
}

static struct set *load(struct db *db, int64_t account)
{
    struct set *set = must_alloc(sizeof(*set));
    size_t cap = 0, len;
    struct stmt *list = db_prepare(
        db, "SELECT n.id, n.state, r.settings FROM notification n "
            "JOIN notification_revision r ON r.notification = n.id AND r.revision = n.revision "
            "WHERE n.account = ? AND n.deleted_at IS NULL ORDER BY n.id");

    set->account = account;
    db_bind_int(list, 1, account);
    while (db_step(list) == DB_ROW) {
        if (set->count == cap) {
            cap = cap == 0 ? 4 : cap * 2;
            set = must_resize(set, sizeof(*set) + cap * sizeof(set->routes[0]));
        }
        struct route *route = &set->routes[set->count++];
        *route = (struct route){ .notification = db_int(list, 0),
                                 .active = db_int(list, 1) == NOTIFICATION_ACTIVE };
        route->bucket = notification_bucket(route->notification);
        const char *settings = db_bytes(list, 2, &len);
        read_settings(route, db_is_remote(db), settings, len);
    }
    db_finish(list);
    return set;
}

const struct route *routes_of(struct db *db, int64_t account, size_t *count)
{
    struct routes *routes = of(db);
    struct set *set = map_get(&routes->sets, account);
    if (set == NULL) {
        if (routes->count > ROUTES_MAX)
            drop_all(routes);
        set = load(db, account);
        map_put(&routes->sets, account, set);
        routes->count += set->count;
        if (db_failed(db)) /* it may be short; undoing drops it */
            routes->changed = true;
    }
    *count = set->count;
    return set->routes;
}

bool route_is_ordered(struct db *db, int64_t account, int64_t notification)
{
    size_t count;
    const struct route *routes = routes_of(db, account, &count);
    for (size_t i = 0; i < count; i++) {
        if (routes[i].notification == notification)
            return routes[i].ordered;
    }
    return false;
}

bool route_wants(const struct route *route, const struct event_type *type)
{
    for (size_t i = 0; i < route->type_count; i++) {
        if (route->types[i] == type->number)
            return true;
    }
    return false;
}

/* ---- direct or by disk ---- */

static void set_direct(struct routes *routes, int64_t notification, bool direct)
{
    if (direct)
        map_remove(&routes->indirect, notification);
    else
        map_put(&routes->indirect, notification, routes);
}

bool routes_direct(struct db *db, int64_t notification)
{
    struct routes *routes = of(db);
    return routes->indirect.count == 0 || map_get(&routes->indirect, notification) == NULL;
}

void routes_set_direct(struct db *db, int64_t notification, bool direct)
{
    struct routes *routes = of(db);
    bool was = routes_direct(db, notification);
    if (was == direct)
        return;
    if (routes->change_count == routes->change_cap) {
        routes->change_cap = routes->change_cap == 0 ? 16 : routes->change_cap * 2;
        routes->changes =
            must_resize(routes->changes, routes->change_cap * sizeof(*routes->changes));
    }
    routes->changes[routes->change_count++] =
        (struct direction){ .notification = notification, .was_direct = was };
    set_direct(routes, notification, direct);
}

/* ---- following the transaction ---- */

static void forget(struct routes *routes, int64_t account)
{
    struct set *set = map_remove(&routes->sets, account);
    if (set != NULL)
        drop_set(routes, set);
}

void routes_forget(struct db *db, int64_t account)
{
    struct routes *routes = of(db);
    forget(routes, account);
    routes->changed = true;
}

static void hear(struct db *db, const struct change *change)
{
    if (change->kind == CHANGE_NOTIFICATION)
        forget(of(db), change->account);
    else if (change->kind == CHANGE_EVENT_TYPE || change->kind == CHANGE_EVERYTHING)
        drop_all(of(db));
}

static size_t mark(struct db *db)
{
    return of(db)->change_count;
}

static void undo(struct db *db, size_t to)
{
    struct routes *routes = of(db);
    while (routes->change_count > to) {
        struct direction *change = &routes->changes[--routes->change_count];
        set_direct(routes, change->notification, change->was_direct);
    }
    if (routes->changed)
        drop_all(routes); /* `changed` stays: an earlier part of the transaction may have set it */
}

static void committed(struct db *db)
{
    struct routes *routes = of(db);
    routes->change_count = 0;
    routes->changed = false;
}

const struct db_memory routes_memory = {
    .size = sizeof(struct routes),
    .clear = clear,
    .mark = mark,
    .undo = undo,
    .committed = committed,
    .hear = hear,
};
