/* check.h — is a store whole?  Of a stopped server or of one that runs (db/check.h). */
#ifndef POSTBACKD_STORE_CHECK_H
#define POSTBACKD_STORE_CHECK_H

#include "db/check.h"

/* Checks what is there: log and file (of a directory), schema, counts, rows and key.  `key_file`
 * NULL: the directory's. */
void check_store(struct check *check, const struct db_where *where, const char *key_file);

/* check_counts.c: what waits, against what is said to. */
void check_counts(struct check *check, struct db *db);
/* check_rows.c: rows without those that they belong to. */
void check_rows(struct check *check, struct db *db);
/* check_key.c: the key opens what it sealed. */
void check_key(struct check *check, struct db *db, const char *key_file);

#endif
