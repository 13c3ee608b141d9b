/* actions.c — the action table: how an action is made, found and listed.
 *
 * An action is one row, and is never there without its first update and the action.tracked events
 * of the two accounts that it concerns: all are written in the caller's transaction.
 *
 * Reading begins with the account of the caller in the WHERE.  A list by order finds it by the
 * order's index, any other goes down the account's own.
 */
#include "store/actions.h"

#include "model/show.h"
#include "store/terms.h"
#include "store/where.h"

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static void bind_life(struct stmt *add, int at, const struct action *action)
{
    db_bind_opt(add, at++, action->intended_amount, MONEY_NONE);
    db_bind_opt(add, at++, action->intended_payout, MONEY_NONE);
    db_bind_int(add, at++, (int64_t)action->payout_kind);
    db_bind_int(add, at++, action->payout_rate);
    db_bind_opt(add, at++, action->clearing_days, TERMS_NEVER);
    db_bind_int(add, at++, action->updated_at);
    db_bind_opt(add, at++, action->locking_at, DATE_NONE);
    db_bind_opt(add, at, action->clearing_at, DATE_NONE);
}

static void action_insert(struct db *db, struct action *action)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO action (partner, brand, campaign, tracker, inquiry, order_id, "
                       "customer_id, promo_code, status, amount, payout, currency, referring_type, "
                       "event_at, created_at, items, sub_id1, sub_id2, sub_id3, shared_id, "
                       "intended_amount, intended_payout, payout_kind, payout_rate, clearing_days, "
                       "updated_at, locking_at, clearing_at) "
                       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                       "?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id");

    db_bind_int(add, 1, action->partner);
    db_bind_int(add, 2, action->brand);
    db_bind_int(add, 3, action->campaign);
    db_bind_int(add, 4, action->tracker);
    db_bind_opt(add, 5, action->inquiry, 0);
    db_bind_text(add, 6, or_empty(action->order_id));
    db_bind_text(add, 7, or_empty(action->customer_id));
    db_bind_text(add, 8, or_empty(action->promo_code));
    db_bind_int(add, 9, (int64_t)action->status);
    db_bind_opt(add, 10, action->amount, MONEY_NONE);
    db_bind_opt(add, 11, action->payout, MONEY_NONE);
    db_bind_text(add, 12, action->currency);
    db_bind_text(add, 13, action->referring_type);
    db_bind_int(add, 14, action->event_at);
    db_bind_int(add, 15, action->created_at);
    db_bind_text(add, 16, action->items);
    for (int i = 0; i < ACTION_SUB_IDS; i++)
        db_bind_text(add, 17 + i, or_empty(action->sub_ids[i]));
    db_bind_text(add, 20, or_empty(action->shared_id));
    bind_life(add, 21, action);
    action->id = db_insert(add);
    if (action->id == 0 && !db_failed(db))
        db_run_again(db, "an order was tracked by another meanwhile");
}

bool action_track(struct job *job, struct db *db, struct action *action)
{
    static const struct action_taken made = { .step = ACTION_TRACK };
    struct terms terms;
    struct action_taken taken = made;
    bool ruled = terms_in_force(db, action->tracker, action->partner, action->event_at, &terms);

    action_begin(action, ruled ? &terms : NULL);
    action_insert(db, action);
    taken.count = 1;
    taken.parts[0] = (struct action_part){
        .sku = "",
        .quantity = -1,
        .delta_amount = action->amount != MONEY_NONE ? action->amount : 0,
        .delta_payout = action->payout != MONEY_NONE ? action->payout : 0,
    };
    return action_tell(job, db, action, &taken);
}

int64_t action_of_order(struct db *db, int64_t tracker, const char *order_id)
{
    struct stmt *find = db_prepare(db, "SELECT id FROM action WHERE tracker = ? AND order_id = ? "
                                       "ORDER BY id LIMIT 1");
    int64_t id = 0;

    db_bind_int(find, 1, tracker);
    db_bind_text(find, 2, order_id);
    if (db_step(find) == DB_ROW)
        id = db_int(find, 0);
    db_finish(find);
    return id;
}

/* ---- reading ---- */

void action_row_read(struct action *out, struct stmt *row)
{
    int at = 0;

    *out = (struct action){ 0 };
    out->id = db_int(row, at++);
    out->campaign = db_int(row, at++);
    out->campaign_name = db_copy(row, at++);
    out->tracker = db_int(row, at++);
    out->tracker_name = db_copy(row, at++);
    out->partner = db_int(row, at++);
    out->partner_name = db_copy(row, at++);
    out->referring_type = action_referring_type(db_text(row, at++));
    out->order_id = db_copy(row, at++);
    out->status = (enum action_status)db_int(row, at++);
    out->payout = db_opt(row, at++, MONEY_NONE);
    out->amount = db_opt(row, at++, MONEY_NONE);
    show_cut(out->currency, sizeof(out->currency), db_text(row, at++));
    out->event_at = db_int(row, at++);
    out->created_at = db_int(row, at++);
    out->customer_id = db_copy(row, at++);
    out->inquiry = db_opt(row, at++, 0);
    out->partner_customer_id = out->inquiry != 0 ? db_copy(row, at) : NULL;
    at++;
    out->promo_code = db_copy(row, at++);
    for (int i = 0; i < ACTION_SUB_IDS; i++)
        out->sub_ids[i] = db_copy(row, at++);
    out->shared_id = db_copy(row, at++);
    out->items = db_copy(row, at++);
    out->brand = db_int(row, at++);
    out->intended_amount = db_opt(row, at++, MONEY_NONE);
    out->intended_payout = db_opt(row, at++, MONEY_NONE);
    out->payout_kind = (enum payout_kind)db_int(row, at++);
    out->payout_rate = db_int(row, at++);
    out->clearing_days = (int)db_opt(row, at++, TERMS_NEVER);
    const char *disposition = action_disposition(db_text(row, at++));
    out->disposition = disposition != NULL ? disposition : "";
    out->updated_at = db_int(row, at++);
    out->locking_at = db_opt(row, at++, DATE_NONE);
    out->clearing_at = db_opt(row, at++, DATE_NONE);
    out->cleared_at = db_opt(row, at++, DATE_NONE);
    out->revision = db_int(row, at);
}

/* The row that an ACTION_SELECT stands on. */
static json_t *row_show(struct stmt *row, bool for_brand)
{
    struct action action;
    json_t *shown;

    action_row_read(&action, row);
    shown = action_show(&action, for_brand);
    action_free(&action);
    return shown;
}

json_t *action_find(struct db *db, const struct caller *caller, int64_t id)
{
    struct stmt *find = caller->kind == ACCOUNT_BRAND
                            ? db_prepare(db, ACTION_SELECT "WHERE a.id = ? AND a.brand = ?")
                            : db_prepare(db, ACTION_SELECT "WHERE a.id = ? AND a.partner = ?");
    json_t *shown = NULL;

    db_bind_int(find, 1, id);
    db_bind_int(find, 2, caller->account);
    if (db_step(find) == DB_ROW)
        shown = row_show(find, caller->kind == ACCOUNT_BRAND);
    db_finish(find);
    return shown;
}

static void where_from(struct where *where, const struct caller *caller,
                       const struct action_filter *filter)
{
    where_account(where, "a", caller, filter->order_id != NULL); /* an order's actions are few */
    where_number(where, "a.campaign = ? ", filter->campaign, 0);
    where_number(where, "a.partner = ? ", filter->partner, 0);
    where_number(where, "a.inquiry = ? ", filter->inquiry, 0);
    where_text(where, "a.order_id = ? ", filter->order_id);
    where_number(where, "a.status = ? ", (int64_t)filter->status, 0);
    where_number(where, "a.updated_at >= ? ", filter->updated_from, DATE_NONE);
    where_number(where, "a.updated_at < ? ", filter->updated_until, DATE_NONE);
    where_number(where, "a.event_at >= ? ", filter->event_from, DATE_NONE);
    where_number(where, "a.event_at < ? ", filter->event_until, DATE_NONE);
    where_number(where, "a.locking_at >= ? ", filter->locking_from, DATE_NONE);
    where_number(where, "a.locking_at < ? ", filter->locking_until, DATE_NONE);
}

void action_ids(struct db *db, const struct caller *caller, const struct action_filter *filter,
                struct id_list *ids, int64_t *total)
{
    struct where where = { 0 };

    where_from(&where, caller, filter);
    *total = where_count(db, &where, "SELECT count(*) FROM action a ");
    where_page(db, &where, "SELECT a.id FROM action a ", "ORDER BY a.id DESC ", filter->page_size,
               page_offset(filter->page, filter->page_size), ids);
    where_free(&where);
}

json_t *action_sums(struct db *db, const struct caller *caller, const struct action_filter *filter)
{
    struct where where = { 0 };
    struct stmt *list;
    json_t *sums = json_array();

    where_from(&where, caller, filter);
    list = where_prepare(db, &where,
                         "SELECT a.currency, a.status, count(*), sum(coalesce(a.amount, 0)), "
                         "sum(coalesce(a.payout, 0)) FROM action a ",
                         "GROUP BY a.currency, a.status ORDER BY a.currency, a.status");
    while (db_step(list) == DB_ROW) {
        json_t *sum = json_object();
        const char *currency = db_text(list, 0);
        show_text(sum, "Currency", currency);
        show_text(sum, "State", action_status_name((enum action_status)db_int(list, 1)));
        show_int(sum, "Count", db_int(list, 2));
        show_money(sum, "Amount", db_int(list, 3), currency);
        show_money(sum, "Payout", db_int(list, 4), currency);
        json_array_append_new(sums, sum);
    }
    db_finish(list);
    where_free(&where);
    return sums;
}

int64_t action_count(struct db *db, const struct caller *caller, const struct action_filter *filter)
{
    struct where where = { 0 };

    where_from(&where, caller, filter);
    int64_t count = where_count(db, &where, "SELECT count(*) FROM action a ");
    where_free(&where);
    return count;
}

int action_ids_next(struct db *db, const struct caller *caller, const struct action_filter *filter,
                    int64_t *before, int limit, struct id_list *ids)
{
    struct where where = { 0 };

    where_from(&where, caller, filter);
    int count = where_next(db, &where, "a.id", "SELECT a.id FROM action a ", before, limit, ids);
    where_free(&where);
    return count;
}
