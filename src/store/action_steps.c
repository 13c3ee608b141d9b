/* action_steps.c — the steps of an action's life on disk, the brand's and time's.
 *
 * Every step goes the same way: the action is read, the model says whether the step may be taken
 * and takes it, the row is written if nobody else has written it since (its revision), and its
 * updates and events follow.  The rule that must never break: no row changes without its update
 * and its events, and a change that changes nothing writes nothing.
 */
#include "base/fail.h"
#include "model/money.h"
#include "model/show.h"
#include "store/action_updates.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool not_found(struct job *job, const struct action_change *change)
{
    if (change->action != 0)
        error_set(&job->error, ERROR_NOT_FOUND, "There is no action %" PRId64, change->action);
    else
        error_set(&job->error, ERROR_NOT_FOUND,
                  "Action tracker %" PRId64 " has counted no order %s of yours", change->tracker,
                  change->order_id);
    return false;
}

/* By either key; with both, it has both.  False: job->error. */
static bool find_changed(struct job *job, struct db *db, const struct caller *brand,
                         const struct action_change *change, struct action *out)
{
    struct stmt *find;
    bool found;

    if (brand->kind != ACCOUNT_BRAND)
        return not_found(job, change);
    find = change->action != 0
               ? db_prepare(db, ACTION_SELECT "WHERE a.id = ? AND a.brand = ?")
               : db_prepare(db, ACTION_SELECT "WHERE a.tracker = ? AND +a.brand = ? AND "
                                              "a.order_id = ? ORDER BY a.id LIMIT 1");
    db_bind_int(find, 1, change->action != 0 ? change->action : change->tracker);
    db_bind_int(find, 2, brand->account);
    if (change->action == 0)
        db_bind_text(find, 3, change->order_id);
    found = db_step(find) == DB_ROW;
    if (found)
        action_row_read(out, find);
    db_finish(find);
    if (found && ((change->tracker != 0 && change->tracker != out->tracker) ||
                  (change->order_id != NULL && strcmp(change->order_id, out->order_id) != 0))) {
        action_free(out);
        found = false;
    }
    return found || not_found(job, change);
}

/* False: somebody else has written it since it was read. */
static bool row_update(struct db *db, struct action *action)
{
    struct stmt *update = db_prepare(
        db, "UPDATE action SET status = ?, amount = ?, payout = ?, items = ?, disposition = ?, "
            "updated_at = ?, locking_at = ?, clearing_at = ?, cleared_at = ?, revision = ? "
            "WHERE id = ? AND revision = ?");

    db_bind_int(update, 1, (int64_t)action->status);
    db_bind_opt(update, 2, action->amount, MONEY_NONE);
    db_bind_opt(update, 3, action->payout, MONEY_NONE);
    db_bind_text(update, 4, action->items != NULL && *action->items != '\0' ? action->items : NULL);
    db_bind_text(update, 5, action->disposition);
    db_bind_int(update, 6, action->updated_at);
    db_bind_opt(update, 7, action->locking_at, DATE_NONE);
    db_bind_opt(update, 8, action->clearing_at, DATE_NONE);
    db_bind_opt(update, 9, action->cleared_at, DATE_NONE);
    db_bind_int(update, 10, action->revision + 1);
    db_bind_int(update, 11, action->id);
    db_bind_int(update, 12, action->revision);
    db_run(db, update);
    action->revision++;
    return db_failed(db) || db_changes(db) == 1;
}

/* ---- the brand's ---- */

/* Takes the step in memory.  False: job->error. */
static bool change_apply(struct job *job, struct db *db, struct action_change *change,
                         struct action *action, struct action_taken *taken,
                         struct problems *problems)
{
    for (size_t i = 0; i < change->item_count; i++)
        change->items[i].repeated =
            action_update_repeats(db, action, &change->items[i], change->disposition);
    bool right = action_change_apply(change, action, db_now(db), taken, problems, &job->error);
    if (!right && job->error.kind == ERROR_NONE)
        error_set(&job->error, ERROR_INVALID, "The change has wrong fields");
    return right;
}

bool action_change(struct job *job, struct db *db, const struct caller *brand,
                   struct action_change *change, struct problems *problems, int64_t *id,
                   enum action_step *step)
{
    struct action_taken taken = { 0 };
    struct action action;
    bool done;

    if (!find_changed(job, db, brand, change, &action))
        return false;
    done = change_apply(job, db, change, &action, &taken, problems);
    if (done) {
        *id = action.id;
        *step = taken.count > 0 ? taken.step : 0;
    }
    if (done && taken.count > 0) {
        if (row_update(db, &action))
            done = action_tell(job, db, &action, &taken);
        else
            db_run_again(db, "an action was changed by another meanwhile");
    }
    action_free(&action);
    return done;
}

static void foresee_words(json_t *shown, const struct action *before, const struct action *after,
                          const struct action_taken *taken)
{
    char was[MONEY_TEXT], is[MONEY_TEXT], paid[MONEY_TEXT], pays[MONEY_TEXT];
    struct buf text = { 0 };
    const char *currency = after->currency;

    money_format(was, before->amount, currency);
    money_format(is, after->amount, currency);
    money_format(paid, before->payout != MONEY_NONE ? before->payout : 0, currency);
    money_format(pays, after->payout != MONEY_NONE ? after->payout : 0, currency);
    if (taken->count == 0)
        buf_str(&text, "The action is so already: nothing will change.");
    else if (taken->step == ACTION_APPROVE)
        buf_fmt(&text, "The action locks now: %s %s will be paid, and nothing can be changed.",
                pays, currency);
    else
        buf_fmt(&text, "The amount goes from %s to %s %s, and the payout from %s to %s %s.",
                was[0] != '\0' ? was : "nothing", is, currency, paid, pays, currency);
    show_text(shown, "Text", buf_text(&text));
    buf_free(&text);
}

/* What is likely to be a slip: it is asked about once more. */
static void foresee_doubt(json_t *shown, const struct action *after,
                          const struct action_taken *taken)
{
    enum { TIMES = 10 };
    int64_t expected = after->intended_payout;
    const char *doubt = "";

    if (taken->count > 0 && after->payout > 0) {
        if (after->amount != MONEY_NONE && after->payout > after->amount)
            doubt = "The payout would be more than the sale.";
        else if (expected > 0 && after->payout / TIMES >= expected)
            doubt = "The payout would be ten times what was expected, or more.";
    }
    show_text(shown, "Doubt", doubt);
}

json_t *action_foresee(struct job *job, struct db *db, const struct caller *brand,
                       struct action_change *change, struct problems *problems)
{
    struct action_taken taken = { 0 };
    struct action action;
    json_t *shown = NULL;

    if (!find_changed(job, db, brand, change, &action))
        return NULL;
    const struct action before = action; /* its amounts alone: the texts are the action's */
    if (change_apply(job, db, change, &action, &taken, problems)) {
        shown = action_show(&action, true);
        show_text(shown, "Step", action_step_name(taken.count > 0 ? taken.step : 0));
        show_money(shown, "PayoutBefore", before.payout, before.currency);
        show_money(shown, "AmountBefore", before.amount, before.currency);
        foresee_words(shown, &before, &action, &taken);
        foresee_doubt(shown, &action, &taken);
    }
    action_free(&action);
    return shown;
}

/* ---- time's ---- */

/* The next brand behind this one that has an action whose time has come; 0: none. */
static int64_t next_brand(struct db *db, enum action_step step, int64_t behind)
{
    struct stmt *find =
        step == ACTION_LOCK
            ? db_prepare(db, "SELECT b.id FROM account b WHERE b.kind = 2 AND b.id > ? AND "
                             "EXISTS (SELECT 1 FROM action a WHERE a.brand = b.id AND "
                             "a.status = 1 AND a.locking_at <= ?) ORDER BY b.id LIMIT 1")
            : db_prepare(db, "SELECT b.id FROM account b WHERE b.kind = 2 AND b.id > ? AND "
                             "EXISTS (SELECT 1 FROM action a WHERE a.brand = b.id AND "
                             "a.status = 2 AND a.cleared_at IS NULL AND a.clearing_at <= ?) "
                             "ORDER BY b.id LIMIT 1");

    db_bind_int(find, 1, behind);
    db_bind_int(find, 2, db_now(db));
    return db_number(find, 0);
}

enum { DUE_MOST = 100 };

/* The brand's that are due, the longest first.  All are read before the first is written, since a
 * step moves it in the index that leads here. */
static int due_read(struct db *db, enum action_step step, int64_t brand, int limit,
                    struct action due[DUE_MOST])
{
    struct stmt *list =
        step == ACTION_LOCK
            ? db_prepare(db, ACTION_SELECT "WHERE a.brand = ? AND a.status = 1 AND "
                                           "a.locking_at <= ? ORDER BY a.locking_at, a.id LIMIT ?")
            : db_prepare(db, ACTION_SELECT "WHERE a.brand = ? AND a.status = 2 AND "
                                           "a.cleared_at IS NULL AND a.clearing_at <= ? "
                                           "ORDER BY a.clearing_at, a.id LIMIT ?");
    int count = 0;

    db_bind_int(list, 1, brand);
    db_bind_int(list, 2, db_now(db));
    db_bind_int(list, 3, limit < DUE_MOST ? limit : DUE_MOST);
    while (db_step(list) == DB_ROW)
        action_row_read(&due[count++], list);
    db_finish(list);
    return count;
}

static void take_step(struct job *job, struct db *db, enum action_step step, struct action *action)
{
    struct action_taken taken = { 0 };
    struct error moved = { 0 }; /* the brand has taken a step of its own meanwhile */

    if (action_take(action, step, db_now(db), &taken, &moved) && row_update(db, action))
        action_tell(job, db, action, &taken);
}

int action_step_due(struct job *job, struct db *db, enum action_step step, int64_t *brand,
                    int limit)
{
    struct action due[DUE_MOST];
    int64_t next = next_brand(db, step, *brand);

    if (next == 0 && *brand != 0)
        next = next_brand(db, step, 0);
    *brand = next;
    if (next == 0)
        return 0;
    int count = due_read(db, step, next, limit, due);
    for (int i = 0; i < count; i++) {
        if (!db_failed(db))
            take_step(job, db, step, &due[i]);
        action_free(&due[i]);
    }
    return count;
}
