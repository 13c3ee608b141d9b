/* actions.c — the action table.
 *
 * An action is one row, and is never there without the action.tracked events of the two accounts
 * that it concerns: both are written here, in the caller's transaction.
 */
#include "store/actions.h"

#include "store/events.h"

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
                       "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

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
    db_run(db, add);
    action->id = db_failed(db) ? 0 : db_last_id(db);
}

bool action_track(struct job *job, struct db *db, struct action *action)
{
    const int64_t accounts[] = { action->partner, action->brand };
    const struct event_type *tracked = catalog_type("action.tracked");
    struct buf data = { 0 };
    bool fits;

    action_insert(db, action);
    action_event_data(action, &data);
    fits = !data.failed && data.len <= EVENT_DATA_MAX;
    if (!fits)
        error_set(&job->error, ERROR_INVALID, "the action's items are more than %d bytes",
                  EVENT_DATA_MAX);
    for (size_t i = 0; fits && i < sizeof(accounts) / sizeof(accounts[0]); i++) {
        struct event *event =
            event_new(accounts[i], tracked, db_now(db), action->inquiry, buf_text(&data), data.len);
        event_publish(job, db, event);
        event_unref(event);
    }
    buf_free(&data);
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
