/* postgres_schema.h — the numbered files of schema/postgresql, run under a lock.
 *
 * The table postbackd_schema says how many of them a database has seen, and how many a program has
 * to know to work with it (readable_from).  So a release and the one before it run side by side
 * where the later one's files allow it; any other program refuses to start.
 */
#ifndef POSTBACKD_POSTGRES_SCHEMA_H
#define POSTBACKD_POSTGRES_SCHEMA_H

#include "base/error.h"
#include "db/postgres_pipeline.h"

/* *fresh: the database has seen none.  False: the pipeline's failure. */
bool postgres_schema_fresh(struct pipeline *pipeline, bool *fresh);
/* Whether it is there and this program can work with it as it is.  False with *error. */
bool postgres_schema_fits(struct pipeline *pipeline, const char *name, struct error *error);
/* All files, within the transaction that has begun.  False with *error: there was a schema already.
 */
bool postgres_schema_make(struct pipeline *pipeline, const char *name, struct error *error);
/* Each file in a transaction of its own.  False with *error; `name` is the database's there. */
bool postgres_schema_update(struct pipeline *pipeline, const char *name, struct error *error);

#endif
