/* where.h — the WHERE of a list, put together from a filter, every value as a bound parameter.
 *
 * The texts and the values' texts are the caller's, and live until the statement is finished.
 */
#ifndef POSTBACKD_WHERE_H
#define POSTBACKD_WHERE_H

#include "base/id_list.h"
#include "db/db.h"
#include "model/account.h"

enum { WHERE_MAX = 32 };

struct where { /* begins zeroed */
    struct buf sql;
    struct {
        const char *text; /* NULL: number */
        int64_t number;
    } values[WHERE_MAX];
    int count;
};

/* A test with one `?`, which ends with a blank: a number, or the text when there is one. */
void where_add(struct where *where, const char *test, int64_t number, const char *text);
/* First of all: the row (`row`: its name in the FROM) is of the caller's account, as its brand or
 * its partner.  `few`: another test finds few rows, so a + keeps the account's index out of the
 * way. */
void where_account(struct where *where, const char *row, const struct caller *caller, bool few);
/* A further value, of a `?` that the caller wrote into sql. */
void where_value(struct where *where, int64_t number, const char *text);
/* Only when the number is not `any`, or there is a text. */
void where_number(struct where *where, const char *test, int64_t number, int64_t any);
void where_text(struct where *where, const char *test, const char *text);

/* head and tail around the WHERE, with its values bound: those of the tail follow, from
 * where->count + 1. */
struct stmt *where_prepare(struct db *db, const struct where *where, const char *head,
                           const char *tail);
int64_t where_count(struct db *db, const struct where *where, const char *select);
/* Adds the ids of a page: of `select`, the WHERE, and `order`, which ends with a blank. */
void where_page(struct db *db, const struct where *where, const char *select, const char *order,
                int64_t size, int64_t offset, struct id_list *ids);
/* Adds the next `limit` ids (`id`: its name in `select`) under *before (0: from the newest), newest
 * first, which moves.  Gives how many there were: fewer than `limit` at the end. */
int where_next(struct db *db, struct where *where, const char *id, const char *select,
               int64_t *before, int limit, struct id_list *ids);
void where_free(struct where *where);

/* The OFFSET of a page; `page` is from 1. */
int64_t page_offset(int64_t page, int64_t page_size);

#endif
