/* actions.c — the action table.
 *
 * An action is one row, and is never there without the action.tracked events of the two accounts
 * that it concerns: both are written here, in the caller's transaction.
 *
 * Reading begins with the account of the caller in the WHERE.  A list by order finds it by the
 * order's index, any other goes down the account's own.
 */
#include "store/actions.h"

#include "model/show.h"
#include "store/events.h"
#include "store/where.h"

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static void action_insert(struct db *db, struct action *action)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO action (partner, brand, campaign, tracker, inquiry, order_id, "
                       "customer_id, promo_code, status, amount, payout, currency, referring_type, "
                       "event_at, created_at, items, sub_id1, sub_id2, sub_id3, shared_id) "
                       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                       "ON CONFLICT DO NOTHING RETURNING id");

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
    action->id = db_insert(add);
    if (action->id == 0 && !db_failed(db))
        db_run_again(db, "an order was tracked by another meanwhile");
}

static void publish(struct job *job, struct db *db, const struct action *action, int64_t account,
                    const struct buf *data)
{
    struct event *event = event_new(account, catalog_type("action.tracked"), db_now(db),
                                    action->inquiry, buf_text(data), data->len);
    event_publish(job, db, event);
    event_unref(event);
}

bool action_track(struct job *job, struct db *db, struct action *action)
{
    struct buf own = { 0 }, brands = { 0 };
    const struct buf *for_brand = &own;

    action_insert(db, action);
    action_event_data(action, false, &own);
    if (action->partner_customer_id != NULL) { /* each knows the customer by an id of its own */
        action_event_data(action, true, &brands);
        for_brand = &brands;
    }
    bool fits = own.len <= EVENT_DATA_MAX && for_brand->len <= EVENT_DATA_MAX && !own.failed &&
                !for_brand->failed;
    if (fits) {
        publish(job, db, action, action->partner, &own);
        publish(job, db, action, action->brand, for_brand);
    } else {
        error_set(&job->error, ERROR_INVALID, "the action's items are more than %d bytes",
                  EVENT_DATA_MAX);
    }
    buf_free(&own);
    buf_free(&brands);
    return fits;
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

#define ACTION_SELECT                                                                              \
    "SELECT a.id, a.campaign, c.name, a.tracker, t.name, a.partner, p.name, a.referring_type, "    \
    "a.order_id, a.status, a.payout, a.amount, a.currency, a.event_at, a.created_at, "             \
    "a.customer_id, a.inquiry, q.customer_id, a.promo_code, a.sub_id1, a.sub_id2, a.sub_id3, "     \
    "a.shared_id, a.items "                                                                        \
    "FROM action a LEFT JOIN inquiry q ON q.id = a.inquiry JOIN campaign c ON c.id = a.campaign "  \
    "JOIN tracker t ON t.id = a.tracker "                                                          \
    "JOIN account p ON p.id = a.partner "

/* The row that an ACTION_SELECT stands on. */
static json_t *row_show(struct stmt *row, bool for_brand)
{
    struct action action = { 0 };
    json_t *shown;
    int at = 0;

    action.id = db_int(row, at++);
    action.campaign = db_int(row, at++);
    action.campaign_name = db_copy(row, at++);
    action.tracker = db_int(row, at++);
    action.tracker_name = db_copy(row, at++);
    action.partner = db_int(row, at++);
    action.partner_name = db_copy(row, at++);
    action.referring_type = action_referring_type(db_text(row, at++));
    action.order_id = db_copy(row, at++);
    action.status = (enum action_status)db_int(row, at++);
    action.payout = db_opt(row, at++, MONEY_NONE);
    action.amount = db_opt(row, at++, MONEY_NONE);
    show_cut(action.currency, sizeof(action.currency), db_text(row, at++));
    action.event_at = db_int(row, at++);
    action.created_at = db_int(row, at++);
    action.customer_id = db_copy(row, at++);
    action.inquiry = db_opt(row, at++, 0);
    action.partner_customer_id = action.inquiry != 0 ? db_copy(row, at) : NULL;
    at++;
    action.promo_code = db_copy(row, at++);
    for (int i = 0; i < ACTION_SUB_IDS; i++)
        action.sub_ids[i] = db_copy(row, at++);
    action.shared_id = db_copy(row, at++);
    action.items = db_copy(row, at);
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

/* An order's actions are few: a + keeps the account's index out of the way. */
static const char *account_test(enum account_kind kind, bool of_order)
{
    if (kind == ACCOUNT_BRAND)
        return of_order ? "+a.brand = ? " : "a.brand = ? ";
    return of_order ? "+a.partner = ? " : "a.partner = ? ";
}

static void where_from(struct where *where, const struct caller *caller,
                       const struct action_filter *filter)
{
    where_add(where, account_test(caller->kind, filter->order_id != NULL), caller->account, NULL);
    where_number(where, "a.campaign = ? ", filter->campaign, 0);
    where_text(where, "a.order_id = ? ", filter->order_id);
    where_number(where, "a.status = ? ", (int64_t)filter->status, 0);
    where_number(where, "a.created_at >= ? ", filter->created_from, DATE_NONE);
    where_number(where, "a.created_at < ? ", filter->created_until, DATE_NONE);
    where_number(where, "a.event_at >= ? ", filter->event_from, DATE_NONE);
    where_number(where, "a.event_at < ? ", filter->event_until, DATE_NONE);
    where_number(where, "NULL >= ? ", filter->locking_from, DATE_NONE);
    where_number(where, "NULL < ? ", filter->locking_until, DATE_NONE);
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
