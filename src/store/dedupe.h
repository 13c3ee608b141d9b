/* dedupe.h — the DedupeKeys of events taken in within the last day, and which events they made. */
#ifndef POSTBACKD_DEDUPE_H
#define POSTBACKD_DEDUPE_H

#include "db/db.h"

#define DEDUPE_MS ((int64_t)24 * 3600 * 1000)

/* The events that this account sent under this key not longer than DEDUPE_MS ago.  How many there
 * are, the first `most` of them written to ids; 0: the key is new. */
size_t dedupe_find(struct db *db, int64_t account, const char *key, int64_t *ids, size_t most);
/* Remembers them, in this order: one or more, made in this job, which found none.  If another one
 * has come meanwhile, the transaction is run again (db_run_again()). */
void dedupe_add(struct db *db, int64_t account, const char *key, const int64_t *ids, size_t count);
/* Deletes at most `limit` expired rows; gives how many. */
int dedupe_expire(struct db *db, int limit);

#endif
