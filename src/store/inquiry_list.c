/* inquiry_list.c — finding inquiries: one by id, or a page by a filter.
 *
 * The WHERE is put together from the filter, every value as a bound parameter, and always begins
 * with the account of the caller.  A page is a count and its ids; each inquiry is then read by its
 * id, as the answer goes out.
 *
 * Ids, order ids, references and customer ids are found by their indexes, and state, status and
 * type are counted in the account's own.  All else, and sorting, looks at each inquiry of the
 * account once and keeps only the page: DESIGN says what that costs.
 */
#include "store/inquiries.h"

#include "base/id.h"
#include "store/inquiry_rows.h"
#include "store/inquiry_words.h"
#include "store/terms.h"
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
    { "Urgency", BOTH, { NULL } }, /* order_write() */
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
    buf_fmt(&where->sql, "AND %s >= ? AND %s < ? || '\U0010ffff' ", column, column);
    where_value(where, 0, search);
    where_value(where, 0, search);
}

static void where_search(struct where *where, const struct caller *caller, const char *search,
                         struct buf *pattern)
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
    inquiry_words_where(where, caller->account, search, pattern);
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

/* `pattern` holds a text of its values. */
static void where_from(struct where *where, const struct caller *caller,
                       const struct inquiry_filter *filter, struct buf *pattern)
{
    where_add(where, account_test(caller->kind, filter->search != NULL), caller->account, NULL);
    where_search(where, caller, filter->search, pattern);
    where_number(where, "i.campaign = ? ", filter->campaign, 0);
    where_number(where, "+i.partner = ? ", filter->partner, 0);
    where_text(where, "i.reference <> '' AND i.reference = ? ", filter->reference);
    where_text(where, "i.customer_id <> '' AND i.customer_id = ? ", filter->customer_id);
    where_text(where, "i.order_id = ? ", filter->order_id);
    where_number(where, "i.type = ? ", (int64_t)filter->type, 0);
    where_number(where, "i.status = ? ", (int64_t)filter->status, 0);
    where_number(where, "i.state = ? ", (int64_t)filter->state, 0);
    if (filter->held != HELD_ANY)
        buf_fmt(&where->sql, "AND %sEXISTS (SELECT 1 FROM held_decision h WHERE h.inquiry = i.id) ",
                filter->held == HELD_NO ? "NOT " : "");
    where_number(
        where, caller->kind == ACCOUNT_BRAND ? "i.brand_assignee = ? " : "i.partner_assignee = ? ",
        filter->assignee, 0);
    where_number(where, "i.created_at >= ? ", filter->created_from, DATE_NONE);
    where_number(where, "i.created_at < ? ", filter->created_until, DATE_NONE);
    where_number(where, "i.transaction_at >= ? ", filter->transaction_from, DATE_NONE);
    where_number(where, "i.transaction_at < ? ", filter->transaction_until, DATE_NONE);
}

/* "ORDER BY …": what is alike stands by id, in the same direction; what is not given comes first
 * when it rises. */
static void order_write(struct buf *out, const struct inquiry_filter *filter)
{
    bool rising = filter->order != NULL && filter->rising;
    const char *way = rising ? "ASC" : "DESC", *nulls = rising ? "FIRST" : "LAST";

    buf_str(out, "ORDER BY ");
    if (filter->order != NULL && strcmp(filter->order->name, "Urgency") == 0) {
        /* most urgent is the first deadline, then what waits longest; those without one are least
         */
        buf_str(out, rising ? "i.resolution_deadline_at DESC NULLS FIRST, i.id DESC "
                            : "i.resolution_deadline_at ASC NULLS LAST, i.id ASC ");
        return;
    }
    for (size_t i = 0; filter->order != NULL && filter->order->columns[i] != NULL; i++)
        buf_fmt(out, "%s %s NULLS %s, ", filter->order->columns[i], way, nulls);
    buf_fmt(out, "i.id %s ", way);
}

void inquiry_ids(struct db *db, const struct caller *caller, const struct inquiry_filter *filter,
                 struct id_list *ids, int64_t *total)
{
    struct where where = { 0 };
    struct buf pattern = { 0 };
    int64_t offset = page_offset(filter->page, filter->page_size);

    where_from(&where, caller, filter, &pattern);
    *total = where_count(db, &where, "SELECT count(*) FROM inquiry i ");
    if (offset < *total) {
        struct buf tail = { 0 };
        order_write(&tail, filter);
        where_page(db, &where, "SELECT i.id FROM inquiry i ", buf_text(&tail), filter->page_size,
                   offset, ids);
        buf_free(&tail);
    }
    where_free(&where);
    buf_free(&pattern);
}

int64_t inquiry_count(struct db *db, const struct caller *caller,
                      const struct inquiry_filter *filter)
{
    struct where where = { 0 };
    struct buf pattern = { 0 };
    where_from(&where, caller, filter, &pattern);
    int64_t count = where_count(db, &where, "SELECT count(*) FROM inquiry i ");
    where_free(&where);
    buf_free(&pattern);
    return count;
}

static int64_t campaign_of(struct db *db, int64_t brand, int64_t inquiry)
{
    struct stmt *find = db_prepare(db, "SELECT campaign FROM inquiry WHERE id = ? AND brand = ?");
    db_bind_int(find, 1, inquiry);
    db_bind_int(find, 2, brand);
    return db_number(find, 0);
}

int inquiry_ids_next(struct db *db, const struct caller *caller,
                     const struct inquiry_filter *filter, struct inquiry_place *place, int limit,
                     struct id_list *ids)
{
    struct where where = { 0 };
    struct buf pattern = { 0 };
    size_t had = ids->count;
    bool brand = caller->kind == ACCOUNT_BRAND;
    if (place->until == 0) {
        place->until =
            db_number(db_prepare(db, "SELECT id FROM inquiry ORDER BY id DESC LIMIT 1"), 0) + 1;
        place->id = place->until;
        place->campaign = INT64_MAX;
    }
    where_from(&where, caller, filter, &pattern);
    where_add(&where, "i.id < ? ", brand ? place->until : place->id, NULL);
    if (brand) {
        where_add(&where, "(i.campaign, i.id) < (?, ?) ", place->campaign, NULL);
        where_value(&where, place->id, NULL);
    }
    where_page(db, &where, "SELECT i.id FROM inquiry i ",
               brand ? "ORDER BY i.campaign DESC, i.id DESC " : "ORDER BY i.id DESC ", limit, 0,
               ids);
    where_free(&where);
    buf_free(&pattern);
    if (ids->count > had)
        place->id = ids->last;
    if (ids->count > had && brand)
        place->campaign = campaign_of(db, caller->account, place->id);
    return (int)(ids->count - had);
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

int64_t inquiry_pending_count(struct db *db, const struct caller *caller)
{
    struct stmt *count =
        caller->kind == ACCOUNT_BRAND
            ? db_prepare(db, "SELECT count(*) FROM (SELECT 1 FROM inquiry WHERE brand = ? "
                             "AND state = 1 AND status = 1 LIMIT ?) pending")
            : db_prepare(db, "SELECT count(*) FROM (SELECT 1 FROM inquiry WHERE partner = ? "
                             "AND state = 1 AND status = 1 LIMIT ?) pending");
    db_bind_int(count, 1, caller->account);
    db_bind_int(count, 2, INQUIRY_PENDING_MOST);
    return db_number(count, 0);
}

int64_t inquiry_payout(struct db *db, const struct caller *brand, int64_t id, int64_t tracker,
                       bool *by_terms, char currency[4])
{
    struct inquiry inquiry = { 0 };
    struct terms terms;
    int64_t payout;

    *by_terms = false;
    currency[0] = '\0';
    if (brand->kind != ACCOUNT_BRAND || !inquiry_find(db, brand, id, &inquiry))
        return MONEY_NONE;
    payout = inquiry.expected_payout;
    memcpy(currency, inquiry.currency, 4);
    if (terms_in_force(db, tracker, inquiry.partner, inquiry.transaction_at, &terms)) {
        *by_terms = true;
        payout =
            terms_payout(terms.payout_kind, terms_rate(&terms, inquiry.currency), inquiry.amount);
    }
    inquiry_free(&inquiry);
    return payout;
}
