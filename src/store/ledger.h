/* ledger.h — what a write transaction does to the counts of notifications, and whom it made wait.
 *
 * The noun files note each change; the writer adds them up once a transaction, so that a batch of
 * postbacks for one notification costs one row.  Follows a job's part of the transaction: what is
 * undone there is undone here.
 */
#ifndef POSTBACKD_LEDGER_H
#define POSTBACKD_LEDGER_H

#include "db/db.h"

/* Changes of one notification's row in notification_count: postbacks that wait, with their bytes
 * (quotas.h), and those that were delivered, attempts that failed. */
void ledger_pend(struct db *db, int64_t notification, int pending, int64_t bytes);
void ledger_count(struct db *db, int64_t notification, int delivered, int failed);
/* Postbacks of this account were written WAITING by event_publish() or a replay; due_at
 * LEDGER_IDLE: of a notification that is not active, so that nothing is due. */
#define LEDGER_IDLE INT64_MAX
void ledger_wait(struct db *db, int64_t notification, int64_t account, int64_t due_at);

/* Undelivered postbacks now: of a notification, else of an account, else (0, 0) of all. */
int64_t ledger_pending(struct db *db, int64_t account, int64_t notification);
/* Their bytes, of a notification, with what this transaction has changed.  A write job. */
int64_t ledger_bytes(struct db *db, int64_t notification);
/* Another number in each transaction.  A write job. */
int64_t ledger_transaction(struct db *db);

/* ---- for the writer ---- */

size_t ledger_mark(struct db *db);            /* where a part begins */
void ledger_undo(struct db *db, size_t mark); /* back to there; 0: all */
/* Before the commit: the counts' rows, and a change (CHANGE_WAITING) for each notification that was
 * made to wait. */
void ledger_write(struct db *db);
void ledger_close(struct db *db); /* after it: forgets all */

#endif
