/* postgres_fate.h — what became of a commit whose answer was lost.
 *
 * pg_xact_status() cannot be trusted with that: a PostgreSQL that crashed, or a standby that took
 * its place, gives the number of a transaction that left no trace to another one.  So a
 * transaction leaves a mark: it writes its number into its connection's row of commit_mark, and the
 * row says afterwards whether that number is there.
 */
#ifndef POSTBACKD_POSTGRES_FATE_H
#define POSTBACKD_POSTGRES_FATE_H

#include "base/buf.h"
#include "db/postgres_pipeline.h"

#include <stdint.h>

enum postgres_fate { FATE_UNDONE, FATE_COMMITTED, FATE_UNKNOWN };

/* A key that no other connection has. */
int64_t postgres_mark_key(void);
/* Adds what a writer's connection is set up with: it ends the backend of its forerunner, which may
 * still hold locks; makes the table when it is not there; forgets marks of days ago. */
void postgres_mark_set_up(struct buf *sql, int64_t key);
/* Within a transaction, as its last statement. */
void postgres_mark(struct pipeline *pipeline, int64_t key, int64_t number);
/* Connects again, within `patience_ms`, and looks.  FATE_COMMITTED only when it is as durable as an
 * answer would have said. */
enum postgres_fate postgres_fate_of(struct pipeline *pipeline, const char *set_up, int64_t key,
                                    int64_t number, int patience_ms);

#endif
