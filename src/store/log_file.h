/* log_file.h — the write-ahead log's file, written in large pieces. */
#ifndef POSTBACKD_LOG_FILE_H
#define POSTBACKD_LOG_FILE_H

/* The name of a layer over SQLite's default VFS, for sqlite3_open_v2(): each commit's frames reach
 * the system in one call instead of two for each page.  All other files pass it by.  Call it on
 * one thread at a time. */
const char *log_file_vfs(void);

#endif
