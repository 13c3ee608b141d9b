/* backup.h — a copy of the database of a data directory, as of one moment, beside a server that
 * runs on it.  Of a store on PostgreSQL its own tools make one. */
#ifndef POSTBACKD_BACKUP_H
#define POSTBACKD_BACKUP_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct backup_news {
    void (*tell)(void *context, int64_t done, int64_t pages); /* now and then; NULL: nobody asks */
    void *context;
};

/* Copies the database file `from`, with what its log holds, to `to`, which must not be there: mode
 * 0600, one file without a log.  It is there once it is whole, has been checked page by page, and
 * is on disk; until then it is called `to` with ".part" behind it, which a failure takes away.
 * The server's log is not given back to the disk meanwhile.  False with *error. */
bool backup_database(const char *from, const char *to, const struct backup_news *news,
                     struct error *error);
/* Copies a small file (a key) likewise. */
bool backup_file(const char *from, const char *to, struct error *error);

#endif
