/* held_decisions.h — decisions that can still be taken back: rows until they are taken or undone.
 *
 * Whoever deletes the row, in a transaction, is the one that it belongs to: so a decision is either
 * taken or undone, never both, whatever breaks in between.
 */
#ifndef POSTBACKD_HELD_DECISIONS_H
#define POSTBACKD_HELD_DECISIONS_H

#include "db/db.h"
#include "model/account.h"
#include "model/inquiry.h"

enum { HELD_SECONDS = 10, HELD_SECONDS_MOST = 60 };

struct held_decision {
    int64_t inquiry;
    struct caller caller; /* without a sid */
    char *address;
    json_t *decision; /* as it was given */
};

/* One by the inquiry's brand.  False: one is held already. */
bool held_decision_add(struct db *db, int64_t inquiry, enum inquiry_status status,
                       const struct caller *caller, const char *address, const json_t *decision,
                       int64_t due_at);
/* Takes it out of the store: out is the caller's to clear.  False: there is none. */
bool held_decision_take(struct db *db, int64_t inquiry, struct held_decision *out);
void held_decision_clear(struct held_decision *held);
/* Inquiries whose decision is due, the longest first; gives how many. */
size_t held_decisions_due(struct db *db, int64_t *inquiries, size_t most);

#endif
