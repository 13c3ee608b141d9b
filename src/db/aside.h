/* aside.h — a thread with a connection of its own to a database that is shared: small transactions
 * that must not wait behind the writer's, one at a time; and the word to other nodes, and from
 * them, that there is news (news.h).
 *
 * Its jobs use db.h alone: db_tx() is NULL, so they can hand nothing on, note nothing and touch no
 * noun that has memory.
 */
#ifndef POSTBACKD_ASIDE_H
#define POSTBACKD_ASIDE_H

#include "db/batch.h"

struct aside;

/* `told` is called on the thread when other nodes have committed something that this one has to
 * hear.  NULL with *error. */
struct aside *aside_start(struct db_source *source, struct id_source *ids, struct batch_sink sink,
                          void (*told)(void *context), struct error *error);
/* This node has committed something that others have to hear: they are told, what comes within
 * ASIDE_TELL_EVERY_MS at once.  From any thread. */
enum { ASIDE_TELL_EVERY_MS = 3 };
void aside_tell(struct aside *aside);
void aside_give(struct aside *aside, struct job *job);
void aside_stop(struct aside *aside); /* runs what is left, and ends the thread */
void aside_free(struct aside *aside); /* NULL is allowed */

#endif
