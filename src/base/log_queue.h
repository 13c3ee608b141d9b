/* log_queue.h — lines on their way to standard error, so that who says something never waits for
 * who reads it.
 *
 * A bounded ring and a thread that writes it out, which may block for as long as the other end of
 * standard error likes.  Lines that find no room are dropped and counted; once lines flow again one
 * more says how many were.  The flags of standard error are left alone: others share them.
 */
#ifndef POSTBACKD_LOG_QUEUE_H
#define POSTBACKD_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that wait; lines that do not matter much leave the last quarter to those that do. */
enum { LOG_QUEUE_BYTES = 256 * 1024 };

/* What is said after lines were dropped: into `out`, a line with its end; gives its length. */
typedef size_t log_queue_confess(char *out, size_t size, int64_t dropped);

/* Starts the thread.  Before, and in a child after fork(), lines are written by who says them.
 * False: there is no thread, and it stays so. */
bool log_queue_start(log_queue_confess *confess);
/* Takes a line, with its end; any thread, never waits once it was started. */
void log_queue_put(const char *line, size_t len, bool matters);
/* Waits until all is written that was put before, but no longer than this. */
void log_queue_flush(int64_t limit_ms);
/* Flushes and ends the thread, or leaves it behind where it is stuck. */
void log_queue_stop(int64_t limit_ms);

int64_t log_queue_dropped(void); /* lines, since the start; any thread */

#endif
