/* postgres_guard.h — the lock by which a node that others take for dead is kept from committing,
 * and the clock that all nodes go by. */
#ifndef POSTBACKD_POSTGRES_GUARD_H
#define POSTBACKD_POSTGRES_GUARD_H

#include "db/db.h"
#include "db/postgres_pipeline.h"

/* Sends the comparison of a writer's guard, for the end of its transaction; the answer comes with
 * that of the commit.  *prepared: 0 at first (pipeline_prepare()). */
void postgres_guard(struct pipeline *pipeline, const struct db_guard *guard, unsigned *prepared);
/* Takes the lock on a node's number, of which its commits hold a share, until the transaction ends.
 * Nobody waits. */
void postgres_stop_node(struct pipeline *pipeline, int64_t node);
/* PostgreSQL's time, ms since 1970; 0: pipeline_failed(). */
int64_t postgres_clock(struct pipeline *pipeline);

#endif
