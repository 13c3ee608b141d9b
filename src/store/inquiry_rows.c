/* inquiry_rows.c — an inquiry between its struct and its row.
 *
 * The columns stand once, in INQUIRY_SELECT, and inquiry_row_read() takes them in that order.
 * What is said when an inquiry is opened is never written again; inquiry_row_update() writes only
 * what a later step may change.
 */
#include "store/inquiry_rows.h"

#include "base/fail.h"
#include "base/map.h"
#include "model/show.h"

#include <string.h>

void inquiry_row_read(struct inquiry *out, struct stmt *row)
{
    int at = 0;

    memset(out, 0, sizeof(*out));
    out->id = db_int(row, at++);
    out->partner = db_int(row, at++);
    out->brand = db_int(row, at++);
    out->campaign = db_int(row, at++);
    out->campaign_name = db_copy(row, at++);
    out->partner_name = db_copy(row, at++);
    out->partner_sid = db_copy(row, at++);
    out->brand_sid = db_copy(row, at++);
    out->reference = db_copy(row, at++);
    out->order_id = db_copy(row, at++);
    out->transaction_at = db_int(row, at++);
    out->amount = db_int(row, at++);
    out->expected_payout = db_opt(row, at++, MONEY_NONE);
    out->final_payout = db_opt(row, at++, MONEY_NONE);
    show_cut(out->currency, sizeof(out->currency), db_text(row, at++));
    out->type = (enum inquiry_type)db_int(row, at++);
    out->resolution_deadline_at = db_opt(row, at++, DATE_NONE);
    out->inquiry_at = db_opt(row, at++, DATE_NONE);
    out->auto_approval_at = db_opt(row, at++, DATE_NONE);
    out->resolved_at = db_opt(row, at++, DATE_NONE);
    out->closed_at = db_opt(row, at++, DATE_NONE);
    out->created_at = db_int(row, at++);
    out->tracking_link = db_copy(row, at++);
    out->customer_id = db_copy(row, at++);
    out->notes = db_copy(row, at++);
    out->action = db_opt(row, at++, 0);
    out->status = (enum inquiry_status)db_int(row, at++);
    out->state = (enum inquiry_state)db_int(row, at++);
    out->status_read = out->status;
    out->state_read = out->state;
    out->reject_reason = (int)db_opt(row, at++, -1);
    out->resolution_notes = db_copy(row, at++);
    out->promo_code = db_copy(row, at++);
    out->reopened = db_int(row, at++) != 0;
    out->partner_assignee = db_opt(row, at++, 0);
    out->brand_assignee = db_opt(row, at++, 0);
    out->partner_assignee_name = db_copy(row, at++);
    out->brand_assignee_name = db_copy(row, at++);
    out->held_status = (enum inquiry_status)db_opt(row, at++, 0);
    out->held_until = db_opt(row, at, DATE_NONE);
}

static void bind_words(struct stmt *stmt, int at, const char *text)
{
    db_bind_text(stmt, at, text != NULL ? text : "");
}

bool inquiry_row_insert(struct db *db, struct inquiry *inquiry, int64_t rule)
{
    struct stmt *add = db_prepare(
        db, "INSERT INTO inquiry (partner, brand, campaign, reference, order_id, transaction_at, "
            "amount, currency, type, expected_payout, resolution_deadline_at, tracking_link, "
            "customer_id, inquiry_at, notes, approval_rule, auto_approval_at, status, state, "
            "created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING RETURNING id");

    db_bind_int(add, 1, inquiry->partner);
    db_bind_int(add, 2, inquiry->brand);
    db_bind_int(add, 3, inquiry->campaign);
    bind_words(add, 4, inquiry->reference);
    bind_words(add, 5, inquiry->order_id);
    db_bind_int(add, 6, inquiry->transaction_at);
    db_bind_int(add, 7, inquiry->amount);
    db_bind_text(add, 8, inquiry->currency);
    db_bind_int(add, 9, (int64_t)inquiry->type);
    db_bind_opt(add, 10, inquiry->expected_payout, MONEY_NONE);
    db_bind_opt(add, 11, inquiry->resolution_deadline_at, DATE_NONE);
    bind_words(add, 12, inquiry->tracking_link);
    bind_words(add, 13, inquiry->customer_id);
    db_bind_opt(add, 14, inquiry->inquiry_at, DATE_NONE);
    bind_words(add, 15, inquiry->notes);
    db_bind_opt(add, 16, rule, 0);
    db_bind_opt(add, 17, inquiry->auto_approval_at, DATE_NONE);
    db_bind_int(add, 18, (int64_t)inquiry->status);
    db_bind_int(add, 19, (int64_t)inquiry->state);
    db_bind_int(add, 20, inquiry->created_at);
    inquiry->id = db_insert(add);
    inquiry->status_read = inquiry->status;
    inquiry->state_read = inquiry->state;
    return inquiry->id != 0 || db_failed(db);
}

bool inquiry_row_update(struct db *db, struct inquiry *inquiry)
{
    struct stmt *change = db_prepare(
        db, "UPDATE inquiry SET transaction_at = ?, amount = ?, customer_id = ?, action = ?, "
            "auto_approval_at = ?, status = ?, state = ?, reject_reason = ?, resolution_notes = ?, "
            "promo_code = ?, final_payout = ?, resolved_at = ?, closed_at = ?, reopened = ? "
            "WHERE id = ? AND status = ? AND state = ? AND (? = 0 OR NOT EXISTS ("
            "SELECT 1 FROM inquiry o WHERE o.partner = inquiry.partner AND "
            "o.campaign = inquiry.campaign AND o.order_id = inquiry.order_id AND "
            "o.type = inquiry.type AND o.state = 1 AND o.id <> inquiry.id))");

    db_bind_int(change, 1, inquiry->transaction_at);
    db_bind_int(change, 2, inquiry->amount);
    bind_words(change, 3, inquiry->customer_id);
    db_bind_opt(change, 4, inquiry->action, 0);
    db_bind_opt(change, 5, inquiry->auto_approval_at, DATE_NONE);
    db_bind_int(change, 6, (int64_t)inquiry->status);
    db_bind_int(change, 7, (int64_t)inquiry->state);
    db_bind_opt(change, 8, inquiry->reject_reason, -1);
    bind_words(change, 9, inquiry->resolution_notes);
    bind_words(change, 10, inquiry->promo_code);
    db_bind_opt(change, 11, inquiry->final_payout, MONEY_NONE);
    db_bind_opt(change, 12, inquiry->resolved_at, DATE_NONE);
    db_bind_opt(change, 13, inquiry->closed_at, DATE_NONE);
    db_bind_int(change, 14, inquiry->reopened);
    db_bind_int(change, 15, inquiry->id);
    db_bind_int(change, 16, (int64_t)inquiry->status_read);
    db_bind_int(change, 17, (int64_t)inquiry->state_read);
    db_bind_int(change, 18, inquiry->state == INQUIRY_OPEN);
    db_run(db, change);
    if (db_changes(db) != 1)
        return false;
    inquiry->status_read = inquiry->status;
    inquiry->state_read = inquiry->state;
    return true;
}

void inquiry_row_rule(struct db *db, int64_t inquiry, int64_t rule)
{
    struct stmt *set = db_prepare(db, "UPDATE inquiry SET approval_rule = ? WHERE id = ?");

    db_bind_opt(set, 1, rule, 0);
    db_bind_int(set, 2, inquiry);
    db_run(db, set);
}

void comment_row_insert(struct db *db, int64_t inquiry, int64_t account, const char *user,
                        const char *text)
{
    struct stmt *add = db_prepare(db, "INSERT INTO comment (inquiry, account, author, text, "
                                      "created_at) VALUES (?, ?, ?, ?, ?)");

    db_bind_int(add, 1, inquiry);
    db_bind_int(add, 2, account);
    db_bind_text(add, 3, user);
    db_bind_text(add, 4, text);
    db_bind_int(add, 5, db_now(db));
    db_run(db, add);
}

void comment_append(struct inquiry *inquiry, const char *user, const char *text, int64_t at)
{
    struct comment *comment;

    inquiry->comments =
        must_resize(inquiry->comments, (inquiry->comment_count + 1) * sizeof(*comment));
    comment = &inquiry->comments[inquiry->comment_count++];
    comment->user = must_copy(user);
    comment->text = must_copy(text);
    comment->at = at;
}

/* One statement for so many inquiries, every id as a bound parameter. */
enum { COMMENTS_STEP = 32 };
#define SQL_8  "?, ?, ?, ?, ?, ?, ?, ?"
#define SQL_32 SQL_8 ", " SQL_8 ", " SQL_8 ", " SQL_8

static void comments_of(struct db *db, struct inquiry *inquiries, size_t count)
{
    struct stmt *list = db_prepare(db, "SELECT inquiry, author, text, created_at FROM comment "
                                       "WHERE inquiry IN (" SQL_32 ") ORDER BY inquiry, id");
    struct map by_id = { 0 };

    for (size_t i = 0; i < count; i++)
        map_put(&by_id, inquiries[i].id, &inquiries[i]);
    for (size_t i = 0; i < COMMENTS_STEP; i++)
        db_bind_int(list, (int)i + 1, inquiries[i < count ? i : 0].id);
    while (db_step(list) == DB_ROW) {
        struct inquiry *inquiry = map_get(&by_id, db_int(list, 0));
        if (inquiry != NULL)
            comment_append(inquiry, db_text(list, 1), db_text(list, 2), db_int(list, 3));
    }
    db_finish(list);
    map_free(&by_id);
}

void comments_load(struct db *db, struct inquiry *inquiries, size_t count)
{
    for (size_t at = 0; at < count; at += COMMENTS_STEP)
        comments_of(db, inquiries + at, count - at < COMMENTS_STEP ? count - at : COMMENTS_STEP);
}
