/* ledger.h — what a write transaction does to the counts of notifications, and whom it made wait.
 *
 * The noun files note each change; the writer adds them up once a transaction, so that a batch of
 * postbacks for one notification costs one row.  Follows a job's part of the transaction: what is
 * undone there is undone here.
 */
#ifndef POSTBACKD_LEDGER_H
#define POSTBACKD_LEDGER_H

#include "db/nouns.h"

/* Changes of one notification's row in notification_count, of which each node has its own:
 * postbacks that wait, with their bytes (quotas.h), and those that were delivered, attempts that
 * failed. */
void ledger_pend(struct db *db, int64_t notification, int pending, int64_t bytes);
void ledger_count(struct db *db, int64_t notification, int delivered, int failed);
/* Postbacks of this account were written WAITING by event_publish() or a replay; due_at
 * LEDGER_IDLE: of a notification that is not active, so that nothing is due. */
#define LEDGER_IDLE INT64_MAX
void ledger_wait(struct db *db, int64_t notification, int64_t account, int64_t due_at);

/* Undelivered postbacks now: of a notification, else of an account, else (0, 0) of all. */
int64_t ledger_pending(struct db *db, int64_t account, int64_t notification);
/* Those of a notification and their bytes, with what this transaction has changed.  A write job. */
struct ledger_sum {
    int64_t pending, bytes;
};
struct ledger_sum ledger_sum(struct db *db, int64_t notification);

/* Before the commit the counts' rows are written, and a change (CHANGE_WAITING) is noted for each
 * notification that was made to wait. */
extern const struct db_memory ledger_memory;

#endif
