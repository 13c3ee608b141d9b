/* action_updates.h — what has happened to actions, a row for each part of each step, oldest first.
 *
 * The deltas of an action's updates add up to its amount and payout.
 */
#ifndef POSTBACKD_ACTION_UPDATES_H
#define POSTBACKD_ACTION_UPDATES_H

#include "store/actions.h"

struct action_update_filter { /* 0 or DATE_NONE: any */
    int64_t campaign, action;
    enum action_status status;
    int64_t created_from, created_until, event_from, event_until; /* ms; from <= x < until */
    int64_t locking_from, locking_until;
    int64_t page, page_size; /* page from 1 */
};
/* The ids of a page, newest first, and how many there are in all. */
void action_update_ids(struct db *db, const struct caller *caller,
                       const struct action_update_filter *filter, struct id_list *ids,
                       int64_t *total);
/* How many match, and the next ids, as action_ids_next() gives them. */
int64_t action_update_count(struct db *db, const struct caller *caller,
                            const struct action_update_filter *filter);
int action_update_ids_next(struct db *db, const struct caller *caller,
                           const struct action_update_filter *filter, int64_t *before, int limit,
                           struct id_list *ids);
/* One that the account may see, as the API shows it; NULL: not found. */
json_t *action_update_find(struct db *db, const struct caller *caller, int64_t id);

/* Whether the last update of this item is the same change: for action_change_apply(). */
bool action_update_repeats(struct db *db, const struct action *action,
                           const struct action_change_item *item, const char *disposition);

#endif
