/* where.c — a WHERE put together at run time.
 *
 * No value is ever part of the SQL: what a caller of the API wrote is only bound.
 */
#include "store/where.h"

#include "base/fail.h"

#include <stdio.h>

void where_value(struct where *where, int64_t number, const char *text)
{
    if (where->count == WHERE_MAX)
        bug("a filter has more than %d values", WHERE_MAX);
    where->values[where->count].text = text;
    where->values[where->count++].number = number;
}

void where_add(struct where *where, const char *test, int64_t number, const char *text)
{
    buf_str(&where->sql, where->count == 0 ? "WHERE " : "AND ");
    buf_str(&where->sql, test);
    where_value(where, number, text);
}

void where_account(struct where *where, const char *row, const struct caller *caller, bool few)
{
    char test[40];

    snprintf(test, sizeof(test), "%s%s.%s = ? ", few ? "+" : "", row,
             caller->kind == ACCOUNT_BRAND ? "brand" : "partner");
    where_add(where, test, caller->account, NULL);
}

void where_number(struct where *where, const char *test, int64_t number, int64_t any)
{
    if (number != any)
        where_add(where, test, number, NULL);
}

void where_text(struct where *where, const char *test, const char *text)
{
    if (text != NULL)
        where_add(where, test, 0, text);
}

struct stmt *where_prepare(struct db *db, const struct where *where, const char *head,
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

int64_t where_count(struct db *db, const struct where *where, const char *select)
{
    return db_number(where_prepare(db, where, select, ""), 0);
}

void where_page(struct db *db, const struct where *where, const char *select, const char *order,
                int64_t size, int64_t offset, struct id_list *ids)
{
    struct buf tail = { 0 };
    buf_fmt(&tail, "%sLIMIT ? OFFSET ?", order);
    struct stmt *list = where_prepare(db, where, select, buf_text(&tail));
    buf_free(&tail);
    db_bind_int(list, where->count + 1, size);
    db_bind_int(list, where->count + 2, offset);
    while (db_step(list) == DB_ROW)
        id_list_add(ids, db_int(list, 0));
    db_finish(list);
}

int where_next(struct db *db, struct where *where, const char *id, const char *select,
               int64_t *before, int limit, struct id_list *ids)
{
    char under[20], order[40];
    size_t had = ids->count;

    snprintf(under, sizeof(under), "%s < ? ", id);
    snprintf(order, sizeof(order), "ORDER BY %s DESC ", id);
    where_add(where, under, *before != 0 ? *before : INT64_MAX, NULL);
    where_page(db, where, select, order, limit, 0, ids);
    if (ids->count > had)
        *before = ids->last;
    return (int)(ids->count - had);
}

void where_free(struct where *where)
{
    buf_free(&where->sql);
}

int64_t page_offset(int64_t page, int64_t page_size)
{
    int64_t offset;

    if (__builtin_mul_overflow(page > 1 ? page - 1 : 0, page_size, &offset))
        offset = INT64_MAX;
    return offset;
}
