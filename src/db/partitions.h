/* partitions.h — the hot tables in pieces by day, where the engine has that (PostgreSQL): what is
 * old is then dropped with its piece instead of deleted row by row.
 *
 * event and postback are parted by their id, attempt by its postback's; ids are time (base/id.h).
 * A piece is a day, made ahead of it.  What falls into none (rows of before the first piece, and
 * those that outlived theirs) stands in a piece for the rest.  Where the engine has none of this
 * nothing here does anything.
 *
 * Pieces are changed in transactions of their own (store_aside()), which wait for a lock for
 * PARTITION_LOCK_MS at the most: they stop all who read or write until they are committed.
 */
#ifndef POSTBACKD_PARTITIONS_H
#define POSTBACKD_PARTITIONS_H

#include "db/db.h"

enum { PARTITION_DAYS_AHEAD = 3, PARTITION_LOCK_MS = 200 };

/* The first id of a day since 1970. */
int64_t partition_first_id(int64_t day);

/* Makes today's and those of the days ahead that are not there, but for a day of which rows are
 * there already. */
void partitions_make(struct db *db, int64_t now_ms);
/* The first day after that one that has a piece; INT64_MAX: none has. */
int64_t partitions_oldest(struct db *db, int64_t after);

/* ---- dropping a day's ---- */

/* They are the tables' no more, and nobody else reads or writes the tables until the commit. */
void partition_detach(struct db *db, int64_t day);
/* Puts rows of a piece that was detached back into the table: those whose `column` is one of `ids`,
 * a list as "1,2,3" of at least one. */
void partition_put_back(struct db *db, const char *table, int64_t day, const char *column,
                        const char *ids);
void partition_drop(struct db *db, int64_t day);

#endif
