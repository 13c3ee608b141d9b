/* sqlite_log_file.h — the write-ahead log's file, written in large pieces. */
#ifndef POSTBACKD_SQLITE_LOG_FILE_H
#define POSTBACKD_SQLITE_LOG_FILE_H

#include <sqlite3.h>

/* The name of a layer over SQLite's default VFS, for sqlite3_open_v2(): each commit's frames reach
 * the system in one call instead of two for each page.  All other files pass it by.  Only for
 * `synchronous=FULL`: with less SQLite tells others of frames that are not written.  Call it on one
 * thread at a time. */
const char *log_file_vfs(void);

/* What stands in memory is not written any more: called when a transaction has been undone, before
 * another process may write to the log.  A connection past the layer is left alone. */
void log_file_forget(sqlite3 *handle);

#endif
