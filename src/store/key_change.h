/* key_change.h — all that is sealed is sealed anew, by another key, while the servers go on.
 *
 * Each server has the next key behind the one that seals (keyring.h) before a change begins.  Then
 * there is a row, and each swaps its keys as soon as it sees it.  When all live ones have, what is
 * sealed is walked over, a few rows at a time; at the end the row goes, what the old key was called
 * is noted, and each server forgets it.
 */
#ifndef POSTBACKD_KEY_CHANGE_H
#define POSTBACKD_KEY_CHANGE_H

#include "db/db.h"
#include "store/keyring.h"

#include <jansson.h>

/* The ring does what the rows ask of it, so that it opens all and seals as the others do; its file
 * is read again first.  In a write job, or at the start.  False with *error: it cannot: a key is
 * missing, or its file cannot be written. */
bool key_change_follow(struct db *db, struct error *error);
/* Whether there is something to follow, or to tell the others.  In a read. */
bool key_change_waits(struct db *db);
/* What this server has is told to the others that share the database. */
void key_change_tell(struct db *db);

/* False with *error: one is under way, or a server lacks the next key (it is named). */
bool key_change_begin(struct db *db, struct error *error);

struct key_walk { /* begins as zeroes */
    int64_t column, a, b;
};
/* Some more rows.  False: nothing is to be done now: no change, or a server that has not swapped
 * yet, or it is finished. */
bool key_change_step(struct db *db, struct key_walk *walk);

/* What is sealed stands in these columns; each row's key is one number or two, a and b. */
struct sealed_column {
    const char *what; /* "event notifications" */
    const char *list; /* a, b and what is sealed, of those behind (?1, ?2), in order, at most ?3 */
    const char *put;  /* ?3 into the row (?1, ?2) */
};
enum { SEALED_COLUMNS = 3 };
extern const struct sealed_column sealed_columns[SEALED_COLUMNS];

/* {"State": "NONE" | "WAITING" | "RESEALING", …}, for the operator. */
json_t *key_change_show(struct db *db);

#endif
