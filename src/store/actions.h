/* actions.h — actions on disk: conversions credited to a partner.
 *
 * Those who read name the account they read for; another account's action is not found.
 */
#ifndef POSTBACKD_ACTIONS_H
#define POSTBACKD_ACTIONS_H

#include "base/id_list.h"
#include "db/store.h"
#include "model/account.h"
#include "model/action.h"

/* Writes it, sets its id, and publishes action.tracked to its partner and its brand. */
bool action_track(struct job *job, struct db *db, struct action *action);
/* The first action of this order by this tracker; 0: none. */
int64_t action_of_order(struct db *db, int64_t tracker, const char *order_id);

/* One that the account may see, as the API shows it; NULL: not found. */
json_t *action_find(struct db *db, const struct caller *caller, int64_t id);

struct action_filter { /* 0, NULL or DATE_NONE: any */
    int64_t campaign;
    const char *order_id;
    enum action_status status;
    int64_t created_from, created_until, event_from, event_until; /* ms; from <= x < until */
    int64_t locking_from, locking_until; /* nothing locks yet, so either finds nothing */
    int64_t page, page_size;             /* page from 1 */
};
/* The ids of a page, newest first, and how many there are in all. */
void action_ids(struct db *db, const struct caller *caller, const struct action_filter *filter,
                struct id_list *ids, int64_t *total);

#endif
