/* sqlite_log_start.h — the write-ahead log that the last run left, looked at before SQLite takes it
 * over.
 */
#ifndef POSTBACKD_SQLITE_LOG_START_H
#define POSTBACKD_SQLITE_LOG_START_H

#include "base/buf.h"
#include "db/sqlite_log_scan.h"

/* Of the database at `path`, which is not open yet.  Says what of the log SQLite will not follow:
 * into the log always, and what had been committed also into `lost` and a metric; then the whole
 * log is kept beside as PATH-wal.damaged, unless one is there.  True: there is a log. */
bool log_start_look(const char *path, struct buf *lost);

#endif
