/* postgres_failure.h — what a SQLSTATE means for whoever runs a transaction. */
#ifndef POSTBACKD_POSTGRES_FAILURE_H
#define POSTBACKD_POSTGRES_FAILURE_H

#include "db/db.h"

/* By the five characters of PostgreSQL's appendix A; "" or NULL: the connection is gone. */
enum db_failure postgres_failure(const char *state);
/* Only a wrong text of ours brings it about: syntax, an unknown function, types that do not meet.
 */
bool postgres_failure_is_ours(const char *state);

#endif
