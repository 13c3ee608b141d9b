/* postgres_password.h — the database's password from a file of its own.
 *
 * A file, since a flag stands in the process list.  It is read for each connection, so a new
 * password counts from the next one on.
 */
#ifndef POSTBACKD_POSTGRES_PASSWORD_H
#define POSTBACKD_POSTGRES_PASSWORD_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

enum { PASSWORD_FILE_MOST = 1024 }; /* bytes */

/* The file's first line.  False with *error, which names the file: it cannot be read, holds none,
 * or others may read or write it.  The caller wipes what it got. */
bool postgres_password(struct buf *password, const char *path, struct error *error);

#endif
