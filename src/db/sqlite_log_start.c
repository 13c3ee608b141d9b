/* sqlite_log_start.c — what is said of a log that a crash left.
 *
 * What was being written when the process was killed is ordinary, and is an info at most.  What had
 * been committed and is cut off is told to everybody who may listen, and the log is kept, because
 * the next commit writes over it.  The start goes on: what is whole is served, and holding it back
 * would bring nothing back.
 */
#include "db/sqlite_log_start.h"

#include "base/log.h"
#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool copy_all(int from, int to)
{
    char room[65536];
    ssize_t len;
    while ((len = read(from, room, sizeof(room))) > 0) {
        for (ssize_t at = 0; at < len;) {
            ssize_t count = write(to, room + at, (size_t)(len - at));
            if (count <= 0)
                return false;
            at += count;
        }
    }
    return len == 0 && fsync(to) == 0;
}

/* A second one would only have what came after the first was cut off. */
static void keep(const char *log, const char *kept)
{
    int from = open(log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int to = open(kept, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool there = to == -1 && errno == EEXIST;
    if (from == -1 || to == -1 || !copy_all(from, to)) {
        log_error("wal_not_kept", LOG_T("file", kept),
                  LOG_T("reason", there ? "there is one already" : strerror(errno)));
        if (to != -1)
            unlink(kept);
    }
    if (from != -1)
        close(from);
    if (to != -1)
        close(to);
}

static void say_lost(const char *log, const struct log_scan *scan, struct buf *lost)
{
    struct buf kept = { 0 };
    log_scan_words(scan, lost);
    buf_fmt(&kept, "%s.damaged", log);
    keep(log, buf_text(&kept));
    log_error("wal_cut_off", LOG_N("frames", scan->lost), LOG_N("transactions", scan->commits),
              LOG_N("followed", scan->frames), LOG_T("kept", buf_text(&kept)),
              LOG_T("reason", buf_text(lost)));
    metric_add(METRIC_LOST_FRAMES, scan->lost);
    buf_free(&kept);
}

bool log_start_look(const char *path, struct buf *lost)
{
    struct buf log = { 0 };
    struct log_scan scan;
    struct error error = { 0 };
    buf_fmt(&log, "%s-wal", path);
    if (!log_scan(buf_text(&log), &scan, &error))
        log_warn("wal_not_looked_at", LOG_T("reason", error.message));
    else if (log_scan_lost(&scan))
        say_lost(buf_text(&log), &scan, lost);
    else if (scan.frames + scan.unfinished > 0)
        log_info("wal_taken_over", LOG_N("frames", scan.frames),
                 LOG_N("unfinished", scan.unfinished));
    buf_free(&log);
    return scan.bytes > 0;
}
