/* postgres_guard.h — what nodes that share a database need of it: the lock by which a node that
 * others take for dead is kept from committing, and the clock that all nodes go by. */
#ifndef POSTBACKD_POSTGRES_GUARD_H
#define POSTBACKD_POSTGRES_GUARD_H

#include "base/buf.h"
#include "db/db.h"
#include "db/postgres_pipeline.h"

/* Sends the comparison of a writer's guard, for the end of its transaction; the answer comes with
 * that of the commit.  *prepared: 0 at first (pipeline_prepare()). */
void postgres_guard(struct pipeline *pipeline, const struct db_guard *guard, unsigned *prepared);
/* Takes the lock on a node's number, of which its commits hold a share, until the transaction ends.
 * Nobody waits. */
void postgres_stop_node(struct pipeline *pipeline, int64_t node);
/* Adds what a connection is set up with that is to be told of news; and, within a transaction,
 * tells all that are.  Whether that is on disk does not matter, so its commit waits for nobody. */
void postgres_listen_set_up(struct buf *sql);
void postgres_notify(struct pipeline *pipeline);
/* PostgreSQL's time, ms since 1970; 0: pipeline_failed(). */
int64_t postgres_clock(struct pipeline *pipeline);

#endif
