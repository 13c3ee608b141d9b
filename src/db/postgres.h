/* postgres.h — what the driver over PostgreSQL does beside what every driver does. */
#ifndef POSTBACKD_POSTGRES_H
#define POSTBACKD_POSTGRES_H

#include "db/db.h"

/* Makes the tables within the transaction that has begun, of a writer.  False with *error: there
 * are some already, … */
bool postgres_make_schema(struct db *db, struct error *error);

#endif
