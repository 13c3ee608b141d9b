/* routes.h — who wants which events: the writer's memory of every account's notifications.
 *
 * Read from the notifications' current revisions when an account's first event comes, and forgotten
 * when one of them changes.  Belongs to the writer's connection.
 */
#ifndef POSTBACKD_ROUTES_H
#define POSTBACKD_ROUTES_H

#include "db/nouns.h"
#include "model/catalog.h"

struct route { /* an event notification, as far as publishing goes */
    int64_t notification;
    int bucket;
    bool active; /* not paused, not held */
    bool ordered;
    bool by_disk; /* it has a promise that one server alone can keep: never straight to a lane */
    int64_t delay_ms; /* Minimum Delay */
    const int *types; /* numbers of the event types it wants */
    size_t type_count;
};

/* An account's, by id; the array is valid until the next call of any function here. */
const struct route *routes_of(struct db *db, int64_t account, size_t *count);
bool route_is_ordered(struct db *db, int64_t account, int64_t notification); /* now */
bool route_wants(const struct route *route, const struct event_type *type);

/* Lanes that take no fresh postbacks (all do unless told otherwise). */
bool routes_direct(struct db *db, int64_t notification);
void routes_set_direct(struct db *db, int64_t notification, bool direct);

void routes_forget(struct db *db, int64_t account);

extern const struct db_memory routes_memory;

#endif
