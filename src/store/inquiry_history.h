/* inquiry_history.h — who did what to an inquiry, and when: rows that are only ever added.
 *
 * A reopened inquiry forgets its first decision; its history does not.
 */
#ifndef POSTBACKD_INQUIRY_HISTORY_H
#define POSTBACKD_INQUIRY_HISTORY_H

#include "db/db.h"
#include "model/account.h"
#include "model/inquiry.h"

/* Beside enum inquiry_step; kept on disk.  Only the account that did it sees those up to ASSIGNED.
 */
enum inquiry_note {
    NOTE_UNDONE = 7, /* a decision, before it was taken */
    NOTE_LAPSED,     /* a decision could not be taken any more when its time came */
    NOTE_ASSIGNED,
    NOTE_ATTACHED,
    NOTE_DETACHED,
};
/* Of those that can come without end an inquiry keeps so many: the oldest go. */
enum { INQUIRY_NOTES_MAX = 200 };

/* A step that was taken: what stands in the inquiry since then goes with it, and the comment. */
void inquiry_history_step(struct db *db, const struct inquiry *inquiry, enum inquiry_step step,
                          const char *author, const char *comment);
void inquiry_history_note(struct db *db, int64_t inquiry, enum inquiry_note note, int64_t account,
                          const char *author, const char *words);

/* {"History":[…]}, oldest first, as the account sees it; NULL: it has no such inquiry. */
json_t *inquiry_history(struct db *db, const struct caller *caller, int64_t id);

#endif
