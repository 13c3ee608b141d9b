/* sqlite_log_scan.h — what a write-ahead log holds, by its own bytes: how far SQLite will follow
 * it, and whether anything that was committed stands behind that.
 *
 * SQLite reads a log that a crash left up to the first frame that is not whole, and says nothing of
 * the rest: that is right for what was being written when the machine stopped, and silent about a
 * disk that lost a bit of what was written long before.  (The format: sqlite.org/fileformat2.html,
 * section 4.)
 */
#ifndef POSTBACKD_SQLITE_LOG_SCAN_H
#define POSTBACKD_SQLITE_LOG_SCAN_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct log_scan {
    int64_t bytes;       /* of the file; 0: it is empty, or absent */
    bool header_damaged; /* nothing of it is followed */
    int64_t frames;      /* followed: up to the last whole commit */
    int64_t unfinished;  /* behind them, of no commit: what was being written, or was given up */
    int64_t lost;        /* behind them, up to the last frame that is marked as a commit */
    int64_t commits;     /* marks among these */
    int64_t damaged;     /* the first frame that is not whole, from 1; 0: none */
};

/* Reads only.  False: the file is there and cannot be read. */
bool log_scan(const char *path, struct log_scan *out, struct error *error);

/* Whether something was cut off that had been committed.  With one commit alone it may also have
 * been under way when the power failed, before anybody was told that it is written; what a killed
 * process leaves looks so only if the very last page of its write was cut in two. */
bool log_scan_lost(const struct log_scan *scan);
/* That in words, without an end. */
void log_scan_words(const struct log_scan *scan, struct buf *out);

#endif
