/* opened.h — the data points on request that are open to an account, on disk. */
#ifndef POSTBACKD_STORE_OPENED_H
#define POSTBACKD_STORE_OPENED_H

#include "db/db.h"
#include "model/opened.h"

/* Adds those of the account to *out. */
void opened_load(struct db *db, int64_t account, struct opened *out);
/* The same as opened_parse() reads it, for a revision's row.  The caller frees. */
char *opened_text(struct db *db, int64_t account);
/* Puts these in place of those the account has.  Its event notifications whose body is the default
 * one see them from their next revision on, which is written too. */
void opened_set(struct db *db, int64_t account, const struct opened *opened);

#endif
