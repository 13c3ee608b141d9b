/* action_life.c — the table of an action's steps, and the money that each moves.
 *
 *   –         TRACK    PENDING    a conversion, an accepted inquiry
 *   PENDING   MODIFY   PENDING    the brand: another amount, other items
 *   PENDING   REVERSE  REVERSED   the brand; an amount of 0 is the same
 *   PENDING   APPROVE  APPROVED   the brand, before the action locks by itself
 *   PENDING   LOCK     APPROVED   time: LockingDate
 *   APPROVED  CLEAR    APPROVED   time: ClearingDate; its ClearedDate is set, once
 *
 * The rules that must never break: anything else is refused, and whatever changes amount or payout
 * goes through move(), which tells the difference.
 */
#include "model/action_life.h"

#include "base/fail.h"
#include "base/text.h"
#include "model/date.h"
#include "model/fields.h"
#include "model/money.h"
#include "model/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_NONE = 0 };

static const struct step_rule {
    const char *name, *event;
    int from, to;    /* status; STATUS_NONE: it is not there yet */
    const char *can; /* "can be <modified>" */
} rules[ACTION_STEPS] = {
    [ACTION_TRACK] = { "TRACKED", "action.tracked", STATUS_NONE, ACTION_PENDING, "tracked" },
    [ACTION_MODIFY] = { "MODIFIED", "action.modified", ACTION_PENDING, ACTION_PENDING, "modified" },
    [ACTION_REVERSE] = { "REVERSED", "action.reversed", ACTION_PENDING, ACTION_REVERSED,
                         "reversed" },
    [ACTION_APPROVE] = { "APPROVED", "action.modified", ACTION_PENDING, ACTION_APPROVED,
                         "approved" },
    [ACTION_LOCK] = { "LOCKED", "action.modified", ACTION_PENDING, ACTION_APPROVED, "locked" },
    [ACTION_CLEAR] = { "CLEARED", "action.cleared", ACTION_APPROVED, ACTION_APPROVED, "cleared" },
};

const char *action_step_name(enum action_step step)
{
    return step >= ACTION_TRACK && step < ACTION_STEPS ? rules[step].name : "";
}

const char *action_step_event(enum action_step step)
{
    return rules[step].event;
}

static bool refused(const struct action *action, const struct step_rule *rule, struct error *error)
{
    char day[DATE_TEXT] = "";
    switch (action->status) {
    case ACTION_APPROVED:
        date_format(day, action->locking_at);
        error_set(error, ERROR_CONFLICT,
                  "Action %" PRId64 " is locked since %s; after that it cannot be %s", action->id,
                  day, rule->can);
        break;
    case ACTION_REVERSED:
        date_format(day, action->updated_at);
        error_set(error, ERROR_CONFLICT,
                  "Action %" PRId64 " was reversed on %s; it cannot be %s any more", action->id,
                  day, rule->can);
        break;
    default:
        error_set(error, ERROR_CONFLICT,
                  "Action %" PRId64 " is PENDING; only an APPROVED one can be %s", action->id,
                  rule->can);
    }
    return false;
}

bool action_may(const struct action *action, enum action_step step, struct error *error)
{
    const struct step_rule *rule = &rules[step];
    if (rule->from != (int)action->status)
        return refused(action, rule, error);
    if (step == ACTION_CLEAR && action->cleared_at != DATE_NONE) {
        char day[DATE_TEXT];
        error_set(error, ERROR_CONFLICT, "Action %" PRId64 " was cleared on %s already", action->id,
                  date_format(day, action->cleared_at));
        return false;
    }
    return true;
}

/* ---- money ---- */

static int64_t known(int64_t amount)
{
    return amount != MONEY_NONE ? amount : 0;
}

/* What it pays once its amount is this. */
static int64_t payout_of(const struct action *action, int64_t amount)
{
    if (amount == 0)
        return 0;
    if (action->payout_kind != PAYOUT_GRANTED)
        return terms_payout(action->payout_kind, action->payout_rate, amount);
    if (action->intended_amount == MONEY_NONE)
        return action->payout;
    return terms_share(action->intended_payout, amount, action->intended_amount);
}

/* Gives it this amount and payout, and a part that tells the difference. */
static void move(struct action *action, int64_t amount, int64_t payout, const char *sku,
                 int64_t quantity, struct action_taken *taken)
{
    struct action_part *part = &taken->parts[taken->count++];
    *part = (struct action_part){ .sku = sku,
                                  .quantity = quantity,
                                  .delta_amount = known(amount) - known(action->amount),
                                  .delta_payout = known(payout) - known(action->payout) };
    action->amount = amount;
    action->payout = payout;
}

/* ---- steps ---- */

/* The end of each step: the state, and the differences of all parts together. */
static void finish(struct action *action, enum action_step step, int64_t now_ms,
                   struct action_taken *taken)
{
    taken->step = step;
    action->status = (enum action_status)rules[step].to;
    action->updated_at = now_ms;
    action->delta_amount = action->delta_payout = 0;
    for (size_t i = 0; i < taken->count; i++) {
        action->delta_amount += taken->parts[i].delta_amount;
        action->delta_payout += taken->parts[i].delta_payout;
    }
    if (step == ACTION_REVERSE) /* it neither locks nor clears any more */
        action->locking_at = action->clearing_at = DATE_NONE;
    if (step == ACTION_APPROVE) {
        action->locking_at = now_ms;
        action->clearing_at = terms_clearing_at(action->clearing_days, now_ms);
    }
    if (step == ACTION_CLEAR)
        action->cleared_at = action->clearing_at;
}

bool action_take(struct action *action, enum action_step step, int64_t now_ms,
                 struct action_taken *taken, struct error *error)
{
    if (!action_may(action, step, error))
        return false;
    taken->count = 0;
    move(action, action->amount, action->payout, "", -1, taken);
    finish(action, step, now_ms, taken);
    return true;
}

static bool reverse(struct action *action, const char *disposition, int64_t now_ms,
                    struct action_taken *taken, struct error *error)
{
    taken->count = 0;
    if (action->status == ACTION_REVERSED) /* the same change again */
        return true;
    if (!action_may(action, ACTION_REVERSE, error))
        return false;
    move(action, 0, 0, "", -1, taken);
    action->disposition = disposition;
    finish(action, ACTION_REVERSE, now_ms, taken);
    return true;
}

/* ---- items ---- */

static int64_t number_of(const json_t *item, const char *name, int64_t none)
{
    const char *text = json_string_value(json_object_get(item, name));
    int64_t number;
    return text != NULL && text_int(text, 0, INT64_MAX, &number) ? number : none;
}

static int64_t amount_of(const json_t *item, const char *currency)
{
    const char *text = json_string_value(json_object_get(item, "Amount"));
    int64_t minor;
    return text != NULL && money_parse(text, currency, &minor) == NULL ? minor : MONEY_NONE;
}

/* By how much one item of the change moves the amount; MONEY_NONE with a problem. */
static int64_t item_delta(const struct action_change *change,
                          const struct action_change_item *wanted, const json_t *item,
                          const char *currency, struct problems *problems)
{
    const struct fields fields = { .label = change->label, .problems = problems };
    int64_t amount = amount_of(item, currency), delta = 0;
    int64_t quantity = number_of(item, "Quantity", 1);
    if (wanted->delta != NULL) {
        const char *wrong = money_parse(wanted->delta, currency, &delta);
        if (wrong == NULL && amount != MONEY_NONE && delta < -amount)
            wrong = "would make the item's amount less than 0";
        if (wrong != NULL) {
            problems_add(problems, fields_label(&fields, "ItemSubTotalDelta"), "%s", wrong);
            return MONEY_NONE;
        }
        return delta;
    }
    if (wanted->quantity == quantity)
        return 0;
    if (amount == MONEY_NONE || quantity == 0) {
        problems_add(problems, fields_label(&fields, "ItemSubTotalDelta"),
                     "is required: nothing says what one of %s costs", wanted->sku);
        return MONEY_NONE;
    }
    return terms_share(amount, wanted->quantity, quantity) - amount;
}

static void item_write(json_t *item, const struct action_change_item *wanted, int64_t delta,
                       const char *currency)
{
    int64_t amount = amount_of(item, currency);
    if (wanted->quantity >= 0)
        show_int(item, "Quantity", wanted->quantity);
    if (amount != MONEY_NONE)
        show_money(item, "Amount", amount + delta, currency);
}

/* One item of the change.  False: a problem. */
static bool change_item(const struct action_change *change, const struct action_change_item *wanted,
                        const json_t *items, struct action *action, struct action_taken *taken,
                        struct problems *problems)
{
    const struct fields fields = { .label = change->label, .problems = problems };
    json_t *item = action_item(items, wanted->sku);
    if (item == NULL) {
        problems_add(problems, fields_label(&fields, "Sku"), "%s is not an item of action %" PRId64,
                     wanted->sku, action->id);
        return false;
    }
    bool counts = wanted->quantity >= 0 && wanted->quantity != number_of(item, "Quantity", 1);
    if (wanted->repeated && !counts)
        return true;
    int64_t delta = item_delta(change, wanted, item, action->currency, problems);
    if (delta == MONEY_NONE)
        return false;
    if (delta == 0 && !counts)
        return true;
    int64_t amount = known(action->amount) + delta;
    if (amount < 0 || amount > fields_most(action->currency)) {
        problems_add(problems, fields_label(&fields, "ItemSubTotalDelta"),
                     amount < 0 ? "would make the action's amount less than 0"
                                : "would make the action's amount more than %d",
                     AMOUNT_MOST);
        return false;
    }
    item_write(item, wanted, delta, action->currency);
    move(action, amount, payout_of(action, amount), wanted->sku, wanted->quantity, taken);
    return true;
}

/* ---- the brand's change ---- */

/* Of a copy, which is given back when all of it is right and may be. */
static bool modify_items(const struct action_change *change, struct action *action, int64_t now_ms,
                         struct action_taken *taken, struct problems *problems, struct error *error)
{
    struct action tried = *action;
    json_t *items = action->items != NULL ? json_loads(action->items, 0, NULL) : NULL;
    bool right = true;
    for (size_t i = 0; i < change->item_count; i++)
        right = change_item(change, &change->items[i], items, &tried, taken, problems) && right;
    if (right && taken->count > 0)
        right = action_may(action, ACTION_MODIFY, error);
    if (!right)
        taken->count = 0;
    if (taken->count > 0) {
        tried.items = json_dumps(items, JSON_COMPACT);
        tried.disposition = change->disposition;
        free(action->items);
        *action = tried;
        finish(action, action->amount == 0 ? ACTION_REVERSE : ACTION_MODIFY, now_ms, taken);
    }
    json_decref(items);
    return right;
}

static bool modify_amount(const struct action_change *change, struct action *action, int64_t amount,
                          int64_t now_ms, struct action_taken *taken, struct error *error)
{
    if (amount == 0)
        return reverse(action, change->disposition, now_ms, taken, error);
    if (amount == action->amount)
        return true;
    if (!action_may(action, ACTION_MODIFY, error))
        return false;
    move(action, amount, payout_of(action, amount), "", -1, taken);
    action->disposition = change->disposition;
    finish(action, ACTION_MODIFY, now_ms, taken);
    return true;
}

bool action_change_apply(const struct action_change *change, struct action *action, int64_t now_ms,
                         struct action_taken *taken, struct problems *problems, struct error *error)
{
    const struct fields fields = { .label = change->label, .problems = problems };
    taken->count = 0;
    taken->step = change->step;
    if (change->step == ACTION_REVERSE)
        return reverse(action, change->disposition, now_ms, taken, error);
    if (change->step == ACTION_APPROVE)
        return action->status == ACTION_APPROVED ||
               action_take(action, ACTION_APPROVE, now_ms, taken, error);
    if (change->amount == NULL)
        return modify_items(change, action, now_ms, taken, problems, error);
    int64_t amount = fields_amount(&fields, "Amount", change->amount, action->currency, false);
    return amount != MONEY_NONE && modify_amount(change, action, amount, now_ms, taken, error);
}
