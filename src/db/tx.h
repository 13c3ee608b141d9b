/* tx.h — a write transaction, and what it makes beside its rows.
 *
 * A noun's function gets the connection (db.h), and from it the transaction under way: db_tx(db).
 * Whatever a job makes for the world outside goes there: things to be handed on, counts, the
 * memory of nouns (nouns.h).  The transaction owns it.  It is dropped with the job's part when that
 * is undone, and all of it with the transaction; only a commit that is on disk hands it on.  So a
 * transaction can be undone and run again without a trace.
 *
 * A connection that writes has one, used for one transaction after the other; a reader's has none.
 */
#ifndef POSTBACKD_TX_H
#define POSTBACKD_TX_H

#include "base/list.h"
#include "base/metrics.h"
#include "db/db.h"
#include "model/change.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_nouns;

/* ---- for the nouns, in a write job ---- */

/* To be handed on with the commit, in order: the nouns know what it is (db_nouns.drop frees it). */
void tx_hand_on(struct tx *tx, struct list *node);
/* What it changed, for all who keep a part of it in memory (store_listen()). */
void tx_note(struct tx *tx, struct change change);
void tx_count(struct tx *tx, enum metric metric,
              int64_t by);                                   /* into the metrics, with the commit */
int64_t tx_counted(const struct tx *tx, enum metric metric); /* … by this job so far */
/* A number of its own for each run of a transaction: what was noted under another one is either
 * committed or undone. */
int64_t tx_run(const struct tx *tx);
/* The memory of a noun, by its place in db_nouns.memories: zeroed at first, freed with the
 * connection. */
void *db_memory(const struct db *db, int place);

/* ---- for the machine ---- */

/* Gives the writer's connection its own, on which these stand (nouns.h; they outlive it). */
void tx_open(struct db *db, const struct db_nouns *nouns);
const struct db_nouns *tx_nouns(const struct tx *tx);

/* Between two transactions, where the database is shared: what other nodes have committed since is
 * told to the nouns' memories, and kept for tx_take_heard() (news.h).  tx_join() is the first of
 * them, before anything is read that is remembered: all there is so far counts as heard.  False:
 * db_failure() says why, and it is done again with the next one. */
bool tx_join(struct tx *tx);
bool tx_hear(struct tx *tx);

bool tx_begin(struct tx *tx, int64_t now_ms, int64_t due_now_ms); /* false: it is broken */
/* Within a transaction: hears what others have committed by now.  If that is what writers rely on,
 * and this one writes, it is run again: what was done before may rest on what was. */
void tx_hear_now(struct tx *tx);
/* As the first of its statements: hears, and from here to its end no other node changes anything
 * that writers rely on.  For one that was run in vain too often. */
void tx_stop_news(struct tx *tx);
/* A job's part of it, with a savepoint of the database or without.  tx_keep_part() and
 * tx_undo_part() give false when the transaction is broken, which without a savepoint it is as soon
 * as anything was written. */
void tx_begin_part(struct tx *tx, bool savepoint);
bool tx_keep_part(struct tx *tx);
bool tx_undo_part(struct tx *tx);

/* What the nouns have gathered is written, and all of it committed.  False: it is not known to be
 * on disk, and db_failure() says why. */
bool tx_commit(struct tx *tx);
bool tx_was_committing(const struct tx *tx); /* … when it failed */
/* What a transaction has made. */
struct tx_made {
    struct list handed;     /* on, in order (tx_hand_on()) */
    struct change *changes; /* in order; freed by tx_made_free() */
    size_t change_count;
    struct change *heard; /* of other nodes, before all that; the same */
    size_t heard_count;
    int64_t counts[METRIC_COUNTERS];
};
void tx_take(struct tx *tx, struct tx_made *out);       /* after the commit */
void tx_take_heard(struct tx *tx, struct tx_made *out); /* since it was taken last */
void tx_made_init(struct tx_made *made);                /* nothing */
void tx_made_free(struct tx_made *made, const struct db_nouns *nouns);
void tx_undo(struct tx *tx); /* nothing of it is left */

#endif
