/* postgres_schema.h — the numbered files of schema/postgresql, run under a lock.
 *
 * The table postbackd_schema says how many of them a database has seen.  One that has seen more
 * than this program knows is not written to.
 */
#ifndef POSTBACKD_POSTGRES_SCHEMA_H
#define POSTBACKD_POSTGRES_SCHEMA_H

#include "base/error.h"
#include "db/postgres_pipeline.h"

/* *fresh: the database has seen none.  False: the pipeline's failure. */
bool postgres_schema_fresh(struct pipeline *pipeline, bool *fresh);
/* Each file in a transaction of its own.  False with *error; `name` is the database's there. */
bool postgres_schema_update(struct pipeline *pipeline, const char *name, struct error *error);

#endif
