/* action_updates.c — the action_update table, and the events that go with its rows.
 *
 * A step's rows and its two events, the partner's and the brand's, are written together by
 * action_tell(); the first row of a step names the events, so an action's history leads to its
 * postbacks.  No row is ever changed.
 */
#include "store/action_updates.h"

#include "db/tx.h"
#include "model/date.h"
#include "model/money.h"
#include "model/show.h"
#include "store/events.h"
#include "store/where.h"

#include <string.h>

/* ---- writing ---- */

/* Gives the event's id. */
static int64_t publish(struct job *job, struct db *db, const struct action *action,
                       const char *type, int64_t account, const struct buf *data)
{
    struct event *event = event_new(account, catalog_type(type), db_now(db), action->inquiry,
                                    buf_text(data), data->len);
    int64_t id;

    event_publish(job, db, event);
    id = event->id;
    event_unref(event);
    tx_note(db_tx(db), (struct change){ CHANGE_ACCOUNT, .account = account });
    return id;
}

struct told {
    int64_t partner_event, brand_event;
};

static bool publish_both(struct job *job, struct db *db, const struct action *action,
                         const char *type, struct told *told)
{
    struct buf own = { 0 }, brands = { 0 };
    const struct buf *for_brand = &own;

    action_event_data(action, false, &own);
    if (action_sides_differ(action)) {
        action_event_data(action, true, &brands);
        for_brand = &brands;
    }
    bool fits = own.len <= EVENT_DATA_MAX && for_brand->len <= EVENT_DATA_MAX && !own.failed &&
                !for_brand->failed;
    if (fits) {
        told->partner_event = publish(job, db, action, type, action->partner, &own);
        told->brand_event = publish(job, db, action, type, action->brand, for_brand);
    } else {
        error_set(&job->error, ERROR_INVALID, "the action's items are more than %d bytes",
                  EVENT_DATA_MAX);
    }
    buf_free(&own);
    buf_free(&brands);
    return fits;
}

static void add_row(struct db *db, const struct action *action, enum action_step step,
                    const struct action_part *part, const struct told *told)
{
    struct stmt *add = db_prepare(
        db, "INSERT INTO action_update (action, partner, brand, campaign, step, status, "
            "disposition, delta_amount, delta_payout, sku, quantity, locking_at, clearing_at, "
            "partner_event, brand_event, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    db_bind_int(add, 1, action->id);
    db_bind_int(add, 2, action->partner);
    db_bind_int(add, 3, action->brand);
    db_bind_int(add, 4, action->campaign);
    db_bind_int(add, 5, (int64_t)step);
    db_bind_int(add, 6, (int64_t)action->status);
    db_bind_text(add, 7, action->disposition);
    db_bind_int(add, 8, part->delta_amount);
    db_bind_int(add, 9, part->delta_payout);
    db_bind_text(add, 10, part->sku);
    db_bind_opt(add, 11, part->quantity, -1);
    db_bind_opt(add, 12, action->locking_at, DATE_NONE);
    db_bind_opt(add, 13, action->clearing_at, DATE_NONE);
    db_bind_opt(add, 14, told->partner_event, 0);
    db_bind_opt(add, 15, told->brand_event, 0);
    db_bind_int(add, 16, db_now(db));
    db_run(db, add);
}

bool action_tell(struct job *job, struct db *db, const struct action *action,
                 const struct action_taken *taken)
{
    struct told told = { 0 };

    if (!publish_both(job, db, action, action_step_event(taken->step), &told))
        return false;
    for (size_t i = 0; i < taken->count; i++) {
        add_row(db, action, taken->step, &taken->parts[i], &told);
        told = (struct told){ 0 };
    }
    return true;
}

bool action_update_repeats(struct db *db, const struct action *action,
                           const struct action_change_item *item, const char *disposition)
{
    struct stmt *find = db_prepare(db, "SELECT delta_amount, quantity, disposition "
                                       "FROM action_update WHERE action = ? AND sku = ? "
                                       "ORDER BY id DESC LIMIT 1");
    int64_t delta = 0;
    bool same = false;

    if (item->delta != NULL && money_parse(item->delta, action->currency, &delta) != NULL)
        return false;
    db_bind_int(find, 1, action->id);
    db_bind_text(find, 2, item->sku);
    if (db_step(find) == DB_ROW)
        same = (item->delta == NULL || db_int(find, 0) == delta) &&
               db_opt(find, 1, -1) == item->quantity && strcmp(db_text(find, 2), disposition) == 0;
    db_finish(find);
    return same;
}

/* ---- reading ---- */

#define UPDATE_SELECT                                                                              \
    "SELECT u.id, u.action, u.campaign, a.tracker, u.partner, u.status, u.step, u.disposition, "   \
    "u.delta_payout, u.delta_amount, a.currency, u.sku, u.quantity, u.created_at, u.locking_at, "  \
    "u.clearing_at, a.event_at, a.order_id, a.customer_id, a.shared_id, q.customer_id, a.inquiry " \
    "FROM action_update u JOIN action a ON a.id = u.action LEFT JOIN inquiry q "                   \
    "ON q.id = a.inquiry "

/* What the brand calls the customer is the brand's; the partner sees what it said itself. */
static json_t *row_show(struct stmt *row, const struct caller *caller)
{
    bool brand = caller->kind == ACCOUNT_BRAND;
    const char *base = brand ? "Advertisers" : "Mediapartners";
    char currency[4];
    json_t *shown = json_object();

    show_cut(currency, sizeof(currency), db_text(row, 10));
    show_int(shown, "Id", db_int(row, 0));
    show_int(shown, "ActionId", db_int(row, 1));
    show_int(shown, "CampaignId", db_int(row, 2));
    show_int(shown, "ActionTrackerId", db_int(row, 3));
    show_int(shown, "MediaPartnerId", db_int(row, 4));
    show_text(shown, "State", action_status_name((enum action_status)db_int(row, 5)));
    show_text(shown, "StateDetail", action_step_name((enum action_step)db_int(row, 6)));
    show_text(shown, "Disposition", db_text(row, 7));
    show_money(shown, "DeltaPayout", db_int(row, 8), currency);
    show_money(shown, "DeltaAmount", db_int(row, 9), currency);
    show_text(shown, "Currency", currency);
    show_text(shown, "Sku", db_text(row, 11));
    if (db_opt(row, 12, -1) < 0)
        show_text(shown, "Quantity", "");
    else
        show_int(shown, "Quantity", db_int(row, 12));
    show_date(shown, "UpdateDate", db_int(row, 13));
    show_date(shown, "LockingDate", db_opt(row, 14, DATE_NONE));
    show_date(shown, "ClearingDate", db_opt(row, 15, DATE_NONE));
    show_date(shown, "ActionDate", db_int(row, 16));
    show_text(shown, "Oid", db_text(row, 17));
    show_text(shown, "CustomerId", db_text(row, brand ? 18 : 20));
    show_text(shown, "SharedId", db_text(row, 19));
    show_uri(shown, "ActionUri", "/%s/%s/Actions/%s", base, caller->sid,
             json_string_value(json_object_get(shown, "ActionId")));
    show_uri(shown, "Uri", "/%s/%s/ActionUpdates/%s", base, caller->sid,
             json_string_value(json_object_get(shown, "Id")));
    return shown;
}

json_t *action_update_find(struct db *db, const struct caller *caller, int64_t id)
{
    struct stmt *find = caller->kind == ACCOUNT_BRAND
                            ? db_prepare(db, UPDATE_SELECT "WHERE u.id = ? AND u.brand = ?")
                            : db_prepare(db, UPDATE_SELECT "WHERE u.id = ? AND u.partner = ?");
    json_t *shown = NULL;

    db_bind_int(find, 1, id);
    db_bind_int(find, 2, caller->account);
    if (db_step(find) == DB_ROW)
        shown = row_show(find, caller);
    db_finish(find);
    return shown;
}

static void where_from(struct where *where, const struct caller *caller,
                       const struct action_update_filter *filter)
{
    where_account(where, "u", caller, filter->action != 0); /* an action's updates are few */
    where_number(where, "u.campaign = ? ", filter->campaign, 0);
    where_number(where, "u.action = ? ", filter->action, 0);
    where_number(where, "u.status = ? ", (int64_t)filter->status, 0);
    where_number(where, "u.created_at >= ? ", filter->created_from, DATE_NONE);
    where_number(where, "u.created_at < ? ", filter->created_until, DATE_NONE);
    where_number(where, "a.event_at >= ? ", filter->event_from, DATE_NONE);
    where_number(where, "a.event_at < ? ", filter->event_until, DATE_NONE);
    where_number(where, "u.locking_at >= ? ", filter->locking_from, DATE_NONE);
    where_number(where, "u.locking_at < ? ", filter->locking_until, DATE_NONE);
}

#define UPDATES "FROM action_update u JOIN action a ON a.id = u.action "

void action_update_ids(struct db *db, const struct caller *caller,
                       const struct action_update_filter *filter, struct id_list *ids,
                       int64_t *total)
{
    struct where where = { 0 };

    where_from(&where, caller, filter);
    *total = where_count(db, &where, "SELECT count(*) " UPDATES);
    where_page(db, &where, "SELECT u.id " UPDATES, "ORDER BY u.id DESC ", filter->page_size,
               page_offset(filter->page, filter->page_size), ids);
    where_free(&where);
}

int64_t action_update_count(struct db *db, const struct caller *caller,
                            const struct action_update_filter *filter)
{
    struct where where = { 0 };

    where_from(&where, caller, filter);
    int64_t count = where_count(db, &where, "SELECT count(*) " UPDATES);
    where_free(&where);
    return count;
}

int action_update_ids_next(struct db *db, const struct caller *caller,
                           const struct action_update_filter *filter, int64_t *before, int limit,
                           struct id_list *ids)
{
    struct where where = { 0 };

    where_from(&where, caller, filter);
    int count = where_next(db, &where, "u.id", "SELECT u.id " UPDATES, before, limit, ids);
    where_free(&where);
    return count;
}
