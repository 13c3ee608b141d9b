/* aside.h — a thread with a connection of its own to a database that is shared: small transactions
 * that must not wait behind the writer's, one at a time.
 *
 * Its jobs use db.h alone: db_tx() is NULL, so they can hand nothing on, note nothing and touch no
 * noun that has memory.
 */
#ifndef POSTBACKD_ASIDE_H
#define POSTBACKD_ASIDE_H

#include "db/batch.h"

struct aside;

/* NULL with *error. */
struct aside *aside_start(struct db_source *source, struct id_source *ids, struct batch_sink sink,
                          struct error *error);
void aside_give(struct aside *aside, struct job *job);
void aside_stop(struct aside *aside); /* runs what is left */

#endif
