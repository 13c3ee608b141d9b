/* actions.h — actions on disk: conversions credited to a partner, and each step of their life.
 *
 * A step, its rows of updates (action_updates.h) and its events to partner and brand commit
 * together or not at all.  Those who read or change name the account they do it for; another
 * account's action is not found.
 */
#ifndef POSTBACKD_ACTIONS_H
#define POSTBACKD_ACTIONS_H

#include "base/id_list.h"
#include "db/store.h"
#include "model/account.h"
#include "model/action_life.h"

/* Writes it by the terms in force for its tracker, partner and date, sets its id, and publishes
 * action.tracked to its partner and its brand.  A payout that it has already is kept. */
bool action_track(struct job *job, struct db *db, struct action *action);
/* The brand's change.  *id is the action's; *step is what it was, 0: all is so already, and nothing
 * was written.  False: ERROR_NOT_FOUND, ERROR_CONFLICT, or ERROR_INVALID with problems. */
bool action_change(struct job *job, struct db *db, const struct caller *brand,
                   struct action_change *change, struct problems *problems, int64_t *id,
                   enum action_step *step);
/* Takes the step (ACTION_LOCK or ACTION_CLEAR) for up to `limit` actions whose time has come, of
 * the next brand behind *brand that has such ones, and moves *brand there.  Gives how many; 0: no
 * brand has any. */
int action_step_due(struct job *job, struct db *db, enum action_step step, int64_t *brand,
                    int limit);
/* The first action of this order by this tracker; 0: none. */
int64_t action_of_order(struct db *db, int64_t tracker, const char *order_id);

/* One that the account may see, as the API shows it; NULL: not found. */
json_t *action_find(struct db *db, const struct caller *caller, int64_t id);
/* What a change would do to it, without a trace: the action as it would be, with "Step", "Text",
 * and "Doubt" about what is likely to be a slip.
 * NULL: as action_change(). */
json_t *action_foresee(struct job *job, struct db *db, const struct caller *brand,
                       struct action_change *change, struct problems *problems);

struct action_filter { /* 0, NULL or DATE_NONE: any */
    int64_t campaign, partner /* for a brand */, inquiry;
    const char *order_id;
    enum action_status status;
    int64_t updated_from, updated_until, event_from, event_until; /* ms; from <= x < until */
    int64_t locking_from, locking_until;
    int64_t page, page_size; /* page from 1 */
};
/* The ids of a page, newest first, and how many there are in all. */
void action_ids(struct db *db, const struct caller *caller, const struct action_filter *filter,
                struct id_list *ids, int64_t *total);

/* How many match; and the next `limit` ids under *before (0: from the newest), newest first, which
 * moves.  Gives how many there were: fewer than `limit` at the end. */
int64_t action_count(struct db *db, const struct caller *caller,
                     const struct action_filter *filter);
int action_ids_next(struct db *db, const struct caller *caller, const struct action_filter *filter,
                    int64_t *before, int limit, struct id_list *ids);
/* The sums of all that the filter finds: [{"Currency", "State", "Count", "Amount", "Payout"}], by
 * currency and state. */
json_t *action_sums(struct db *db, const struct caller *caller, const struct action_filter *filter);

/* ---- for the files of actions alone ---- */

#define ACTION_SELECT                                                                              \
    "SELECT a.id, a.campaign, c.name, a.tracker, t.name, a.partner, p.name, a.referring_type, "    \
    "a.order_id, a.status, a.payout, a.amount, a.currency, a.event_at, a.created_at, "             \
    "a.customer_id, a.inquiry, q.customer_id, a.promo_code, a.sub_id1, a.sub_id2, a.sub_id3, "     \
    "a.shared_id, a.items, a.brand, a.intended_amount, a.intended_payout, a.payout_kind, "         \
    "a.payout_rate, a.clearing_days, a.disposition, a.updated_at, a.locking_at, a.clearing_at, "   \
    "a.cleared_at, a.revision "                                                                    \
    "FROM action a LEFT JOIN inquiry q ON q.id = a.inquiry JOIN campaign c ON c.id = a.campaign "  \
    "JOIN tracker t ON t.id = a.tracker "                                                          \
    "JOIN account p ON p.id = a.partner "
/* The row that an ACTION_SELECT stands on; out owns its strings. */
void action_row_read(struct action *out, struct stmt *row);
/* Writes rows of updates and events of a step that has been taken, and written.  False:
 * job->error. */
bool action_tell(struct job *job, struct db *db, const struct action *action,
                 const struct action_taken *taken);

#endif
