/* inquiry_list.c — finding inquiries: one by id, or a page by a filter.
 *
 * The WHERE is put together from the filter, every value as a bound parameter, and always begins
 * with the account of the caller.  A page takes three queries whatever its size: how many there
 * are, the rows with their names, and the comments of them all.
 */
#include "store/inquiries.h"

#include "base/fail.h"
#include "store/inquiry_rows.h"

#include <stdlib.h>

enum { WHERE_MAX = 16 };

struct where {
    struct buf sql;
    struct {
        const char *text; /* NULL: number */
        int64_t number;
    } values[WHERE_MAX];
    int count;
};

static void where_add(struct where *where, const char *test, int64_t number, const char *text)
{
    if (where->count == WHERE_MAX)
        bug("an inquiry filter has more than %d tests", WHERE_MAX);
    buf_str(&where->sql, where->count == 0 ? "WHERE " : "AND ");
    buf_str(&where->sql, test);
    where->values[where->count].text = text;
    where->values[where->count++].number = number;
}

static void where_number(struct where *where, const char *test, int64_t number, int64_t any)
{
    if (number != any)
        where_add(where, test, number, NULL);
}

static void where_text(struct where *where, const char *test, const char *text)
{
    if (text != NULL)
        where_add(where, test, 0, text);
}

static void where_from(struct where *where, const struct caller *caller,
                       const struct inquiry_filter *filter)
{
    where_add(where, caller->kind == ACCOUNT_BRAND ? "i.brand = ? " : "i.partner = ? ",
              caller->account, NULL);
    where_number(where, "i.campaign = ? ", filter->campaign, 0);
    where_number(where, "i.partner = ? ", filter->partner, 0);
    where_text(where, "i.reference = ? ", filter->reference);
    where_text(where, "i.customer_id = ? ", filter->customer_id);
    where_text(where, "i.order_id = ? ", filter->order_id);
    where_number(where, "i.status = ? ", (int64_t)filter->status, 0);
    where_number(where, "i.state = ? ", (int64_t)filter->state, 0);
    where_number(where, "i.created_at >= ? ", filter->created_from, DATE_NONE);
    where_number(where, "i.created_at < ? ", filter->created_until, DATE_NONE);
    where_number(where, "i.transaction_at >= ? ", filter->transaction_from, DATE_NONE);
    where_number(where, "i.transaction_at < ? ", filter->transaction_until, DATE_NONE);
}

/* head and tail around the WHERE, with its values bound. */
static struct stmt *where_prepare(struct db *db, const struct where *where, const char *head,
                                  const char *tail)
{
    struct buf sql = { 0 };
    struct stmt *stmt;

    buf_str(&sql, head);
    buf_add(&sql, where->sql.data, where->sql.len);
    buf_str(&sql, tail);
    stmt = db_prepare_once(db, buf_text(&sql));
    buf_free(&sql);
    for (int i = 0; i < where->count; i++) {
        if (where->values[i].text != NULL)
            db_bind_text(stmt, i + 1, where->values[i].text);
        else
            db_bind_int(stmt, i + 1, where->values[i].number);
    }
    return stmt;
}

static int64_t where_count(struct db *db, const struct where *where)
{
    struct stmt *stmt = where_prepare(db, where, "SELECT count(*) FROM inquiry i ", "");
    int64_t count = 0;

    if (db_step(stmt) == DB_ROW)
        count = db_int(stmt, 0);
    db_finish(stmt);
    return count;
}

/* The rows of one page, without comments; the caller frees each and the array. */
static size_t where_page(struct db *db, const struct where *where, int64_t limit, int64_t offset,
                         struct inquiry **out)
{
    struct stmt *stmt =
        where_prepare(db, where, INQUIRY_SELECT, "ORDER BY i.id DESC LIMIT ? OFFSET ?");
    size_t count = 0, room = 0;

    *out = NULL;
    db_bind_int(stmt, where->count + 1, limit);
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
    int64_t size = filter->page_size > 0 ? filter->page_size : 1, offset;
    json_t *array = json_array();
    size_t count;

    where_from(&where, caller, filter);
    *total = where_count(db, &where);
    if (__builtin_mul_overflow(filter->page > 1 ? filter->page - 1 : 0, size, &offset))
        offset = INT64_MAX;
    if (offset < *total) {
        count = where_page(db, &where, size, offset, &page);
        comments_load(db, page, count);
        for (size_t i = 0; i < count; i++) {
            json_array_append_new(array, inquiry_show(&page[i], caller->kind == ACCOUNT_BRAND));
            inquiry_free(&page[i]);
        }
        free(page);
    }
    buf_free(&where.sql);
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
