/* inquiry_list.c — finding inquiries: one by id, or a page by a filter.
 *
 * The WHERE is put together from the filter, every value as a bound parameter, and always begins
 * with the account of the caller.  A page takes three queries whatever its size: how many there
 * are, the rows with their names, and the comments of them all.
 *
 * Ids, order ids, references and customer ids are found by their indexes, and state, status and
 * type are counted in the account's own.  All else, and sorting, looks at each inquiry of the
 * account once and keeps only the page: DESIGN says what that costs.
 */
#include "store/inquiries.h"

#include "base/fail.h"
#include "base/id.h"
#include "store/inquiry_rows.h"
#include "store/where.h"

#include <stdlib.h>
#include <string.h>

/* ---- what can be sorted by ---- */

/* Amounts of several currencies have no common order, so the currency goes first. */
struct inquiry_order {
    const char *name;
    enum { BOTH, PARTNER, BRAND } who;
    const char *columns[3]; /* ends with NULL; none: by id */
};
static const struct inquiry_order orders[] = {
    { "CreationDate", BOTH, { NULL } },
    { "Id", BOTH, { NULL } },
    { "TransactionDate", BOTH, { "i.transaction_at" } },
    { "TransactionAmount", BOTH, { "i.currency", "i.amount" } },
    { "ExpectedPayout", BOTH, { "i.currency", "i.expected_payout" } },
    { "FinalPayout", BOTH, { "i.currency", "i.final_payout" } },
    { "OrderId", BOTH, { "i.order_id" } },
    { "CampaignId", BOTH, { "i.campaign" } },
    { "InquiryType", BOTH, { "i.type" } },
    { "ResolutionStatus", BOTH, { "i.status" } },
    { "ResolutionDate", BOTH, { "i.resolved_at" } },
    { "ResolutionDeadlineDate", BOTH, { "i.resolution_deadline_at" } },
    { "ClosedDate", BOTH, { "i.closed_at" } },
    { "MediaPartnerInquiryId", PARTNER, { "i.reference" } },
    { "CustomerId", PARTNER, { "i.customer_id" } },
    { "InquiryDate", PARTNER, { "i.inquiry_at" } },
    { "MediaPartnerId", BRAND, { "i.partner" } },
};
enum { ORDERS = sizeof(orders) / sizeof(orders[0]) };

static bool order_is_for(const struct inquiry_order *order, bool for_brand)
{
    return order->who == BOTH || order->who == (for_brand ? BRAND : PARTNER);
}

const struct inquiry_order *inquiry_order_named(const char *name, bool for_brand)
{
    for (size_t i = 0; i < ORDERS; i++)
        if (strcmp(orders[i].name, name) == 0 && order_is_for(&orders[i], for_brand))
            return &orders[i];
    return NULL;
}

void inquiry_order_names(struct buf *out, bool for_brand)
{
    for (size_t i = 0; i < ORDERS; i++)
        if (order_is_for(&orders[i], for_brand))
            buf_fmt(out, "%s%s", i > 0 ? ", " : "", orders[i].name);
}

/* ---- the WHERE ---- */

/* One of the searched columns; `test` says whose, and what its index leaves out. */
static void where_search_in(struct where *where, const struct caller *caller, const char *test,
                            const char *column, const char *search)
{
    buf_fmt(&where->sql, "UNION ALL SELECT id FROM inquiry WHERE %s = ? %s",
            caller->kind == ACCOUNT_BRAND ? "brand" : "partner", test);
    where_value(where, caller->account, NULL);
    /* begins with it; no text that does is above it with the last character there is */
    buf_fmt(&where->sql, "AND %s >= ? AND %s < ? || char(0x10ffff) ", column, column);
    where_value(where, 0, search);
    where_value(where, 0, search);
}

static void where_search(struct where *where, const struct caller *caller, const char *search)
{
    int64_t id = 0;

    if (search == NULL)
        return;
    if (!id_parse(search, &id))
        id = 0;
    where_add(where, "i.id IN (SELECT ? ", id, NULL);
    where_search_in(where, caller, "", "order_id", search);
    if (caller->kind != ACCOUNT_BRAND) {
        where_search_in(where, caller, "AND reference <> '' ", "reference", search);
        where_search_in(where, caller, "AND customer_id <> '' ", "customer_id", search);
    }
    buf_str(&where->sql, ") ");
}

/* A search finds a few by indexes of its own: a + keeps the account's out of their way.  So it
 * does that of a brand's partner, who may have far more with others. */
static const char *account_test(enum account_kind kind, bool searching)
{
    if (kind == ACCOUNT_BRAND)
        return searching ? "+i.brand = ? " : "i.brand = ? ";
    return searching ? "+i.partner = ? " : "i.partner = ? ";
}

static void where_from(struct where *where, const struct caller *caller,
                       const struct inquiry_filter *filter)
{
    where_add(where, account_test(caller->kind, filter->search != NULL), caller->account, NULL);
    where_search(where, caller, filter->search);
    where_number(where, "i.campaign = ? ", filter->campaign, 0);
    where_number(where, "+i.partner = ? ", filter->partner, 0);
    where_text(where, "i.reference <> '' AND i.reference = ? ", filter->reference);
    where_text(where, "i.customer_id <> '' AND i.customer_id = ? ", filter->customer_id);
    where_text(where, "i.order_id = ? ", filter->order_id);
    where_number(where, "i.type = ? ", (int64_t)filter->type, 0);
    where_number(where, "i.status = ? ", (int64_t)filter->status, 0);
    where_number(where, "i.state = ? ", (int64_t)filter->state, 0);
    where_number(where, "i.created_at >= ? ", filter->created_from, DATE_NONE);
    where_number(where, "i.created_at < ? ", filter->created_until, DATE_NONE);
    where_number(where, "i.transaction_at >= ? ", filter->transaction_from, DATE_NONE);
    where_number(where, "i.transaction_at < ? ", filter->transaction_until, DATE_NONE);
}

/* "ORDER BY …": what is alike stands by id, in the same direction. */
static void order_write(struct buf *out, const struct inquiry_filter *filter)
{
    const char *way = filter->order != NULL && filter->rising ? "ASC" : "DESC";

    buf_str(out, "ORDER BY ");
    for (size_t i = 0; filter->order != NULL && filter->order->columns[i] != NULL; i++)
        buf_fmt(out, "%s %s, ", filter->order->columns[i], way);
    buf_fmt(out, "i.id %s ", way);
}

/* The rows of one page, without comments; the caller frees each and the array.  Only ids are
 * sorted; what a row is shown with is then read for the page alone. */
static size_t where_page(struct db *db, const struct where *where,
                         const struct inquiry_filter *filter, int64_t offset, struct inquiry **out)
{
    struct buf tail = { 0 };
    struct stmt *stmt;
    size_t count = 0, room = 0;

    *out = NULL;
    order_write(&tail, filter);
    buf_str(&tail, "LIMIT ? OFFSET ?) ");
    order_write(&tail, filter);
    stmt = where_prepare(db, where, INQUIRY_SELECT "WHERE i.id IN (SELECT i.id FROM inquiry i ",
                         buf_text(&tail));
    buf_free(&tail);
    db_bind_int(stmt, where->count + 1, filter->page_size);
    db_bind_int(stmt, where->count + 2, offset);
    while (db_step(stmt) == DB_ROW) {
        if (count == room) {
            room = room == 0 ? 64 : room * 2;
            *out = must_resize(*out, room * sizeof(**out));
        }
        inquiry_row_read(&(*out)[count++], stmt);
    }
    db_finish(stmt);
    return count;
}

json_t *inquiry_list(struct db *db, const struct caller *caller,
                     const struct inquiry_filter *filter, int64_t *total)
{
    struct where where = { 0 };
    struct inquiry *page = NULL;
    int64_t offset = page_offset(filter->page, filter->page_size);
    json_t *array = json_array();
    size_t count;

    where_from(&where, caller, filter);
    *total = where_count(db, &where, "SELECT count(*) FROM inquiry i ");
    if (offset < *total) {
        count = where_page(db, &where, filter, offset, &page);
        comments_load(db, page, count);
        for (size_t i = 0; i < count; i++) {
            json_array_append_new(array, inquiry_show(&page[i], caller->kind == ACCOUNT_BRAND));
            inquiry_free(&page[i]);
        }
        free(page);
    }
    where_free(&where);
    return array;
}

bool inquiry_find(struct db *db, const struct caller *caller, int64_t id, struct inquiry *out)
{
    struct stmt *find = caller->kind == ACCOUNT_BRAND
                            ? db_prepare(db, INQUIRY_SELECT "WHERE i.id = ? AND i.brand = ?")
                            : db_prepare(db, INQUIRY_SELECT "WHERE i.id = ? AND i.partner = ?");
    bool found;

    db_bind_int(find, 1, id);
    db_bind_int(find, 2, caller->account);
    found = db_step(find) == DB_ROW;
    if (found)
        inquiry_row_read(out, find);
    db_finish(find);
    if (found)
        comments_load(db, out, 1);
    return found;
}
