/* transfer.h — all rows of a SQLite store into an empty database on PostgreSQL.
 *
 * The schema says what there is: each table that SQLite has is copied, column by column, so no list
 * of tables can fall behind.  All of it is one transaction, the tables themselves included: what
 * breaks on the way leaves an empty database.
 */
#ifndef POSTBACKD_TRANSFER_H
#define POSTBACKD_TRANSFER_H

#include "db/db.h"

struct transfer_news {
    /* Now and then: so many of all rows are copied.  `table`: the one that has come to its end,
     * with its rows; NULL: one is under way. */
    void (*tell)(void *context, int64_t done, int64_t all, const char *table, int64_t rows);
    void *context;
};

/* The schema of `from` is up to date; both are this process's alone.  Ids that PostgreSQL gives go
 * on behind those that SQLite gave.  The rows of each table are counted on both sides before the
 * commit.  False with *error: `to` is not empty, a value is none that PostgreSQL takes, the
 * connection was lost, … */
bool transfer_store(struct db_source *from, struct db_source *to, const struct transfer_news *news,
                    struct error *error);

#endif
