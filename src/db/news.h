/* news.h — what nodes that share a database tell each other: the table `news`.
 *
 * What a transaction has noted (tx_note()) is written in it, as one row, and nothing when nothing
 * was noted.  A node has one writer, so its rows come in the order of its commits and have numbers
 * (seq) without a gap; whoever has heard up to one asks for those above it.  A node that joins has
 * heard all there is; one whose next row of another node has been deleted meanwhile does not know
 * what it missed, and forgets everything (CHANGE_EVERYTHING).
 *
 * What writers rely on (change_is_relied_on()) raises one number, the version.  A transaction that
 * writes is committed only while the version is the one up to which its node has heard all
 * (db_guard, db.h); else it is undone, the news are heard, and it is run again.  So what a node has
 * answered is in force for every transaction that any of them begins to commit later.
 *
 * It belongs to the writer's connection.  Where the database is not shared nothing is written.
 */
#ifndef POSTBACKD_NEWS_H
#define POSTBACKD_NEWS_H

#include "db/changes.h"
#include "db/db.h"

struct news;

struct news *news_new(void);
void news_free(struct news *news); /* NULL: nothing */

/* Within a transaction: all that there is so far counts as heard. */
void news_join(struct news *news, struct db *db);

/* What a transaction does from now on rests on what was heard by now, not on what is heard within
 * it. */
void news_begin(struct news *news);

/* As the last of a transaction's own statements: what it has noted.  Whether that was anything. */
bool news_write(struct news *news, struct db *db, const struct changes *changes);
void news_written(struct news *news);             /* … and that is committed */
void news_undone(struct news *news, bool surely); /* it is not, or nobody knows */

/* Within a transaction of its own: adds what others have committed since to `out`, each node's in
 * order, and gives how many rows that were. */
size_t news_read(struct news *news, struct db *db, struct changes *out);
void news_heard(struct news *news); /* … and all who have to know have been told */

/* Within a transaction: nobody else raises the version until it ends. */
void news_stop(struct db *db);

/* The version that the transaction rests on, and with what it adds itself; -1: not known. */
int64_t news_version(const struct news *news);

#endif
