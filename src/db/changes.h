/* changes.h — what the write transaction under way has changed, to be told once it is committed.
 *
 * The noun files note each change where they write it.  Follows a job's part of the transaction:
 * what is undone is never told.
 */
#ifndef POSTBACKD_CHANGES_H
#define POSTBACKD_CHANGES_H

#include "db/db.h"
#include "model/change.h"

/* Told once, in the order of what was noted, however often it is noted within a few others. */
void change_note(struct db *db, struct change change);

/* ---- for the writer ---- */

size_t changes_mark(struct db *db);            /* where a part begins */
void changes_undo(struct db *db, size_t mark); /* back to there; 0: all */
/* After the commit: all of them, and forgets them.  The caller frees *out. */
size_t changes_take(struct db *db, struct change **out);

#endif
