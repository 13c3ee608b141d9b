/* sqlite.h — one connection to the SQLite file: the part of the driver that only SQLite has. */
#ifndef POSTBACKD_SQLITE_H
#define POSTBACKD_SQLITE_H

#include "db/db.h"

#include <sqlite3.h>

enum connection {
    CONNECTION_WRITER, /* makes the file when absent */
    CONNECTION_READER, /* cannot write */
    CONNECTION_COPIER, /* moves the log into the file: sqlite_checkpoint() */
};

/* Opens the file and sets the connection up.  NULL with *error naming path and reason.  The
 * connection gives errors by db_failure(); `ids` is the store's one source and outlives it. */
struct db *sqlite_open(const char *path, enum connection mode, struct id_source *ids,
                       struct error *error);
void sqlite_close(struct db *db);
sqlite3 *sqlite_handle(struct db *db);

/* Asks stop() every millisecond or so while statements run: true ends them with DB_TROUBLE. */
void sqlite_watch(struct db *db, bool (*stop)(void *context), void *context);

int sqlite_log_pages(const struct db *db); /* in the write-ahead log at this one's last commit */

/* Copies what the write-ahead log holds into the file, in no one's way.  False: db_failure(). */
bool sqlite_checkpoint(struct db *db);
/* The same, to the last frame, and leaves an empty log: at a start, where nobody else is.  False:
 * somebody is, or there is no room; all stays in the log then. */
bool sqlite_empty_log(struct db *db);

#endif
