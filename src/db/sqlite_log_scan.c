/* sqlite_log_scan.c — a walk over the frames of a write-ahead log.
 *
 * Each frame's checksum goes on from the one before, and each has the two salts of the header,
 * which change whenever the log starts again from its beginning.  So frames with other salts are
 * left over from before and mean nothing; one that has a single salt right is ours and damaged.  A
 * bad frame ends the chain, so behind it the marks of commits are all there is to go by: a
 * transaction is synced before the next one begins, so a mark behind a bad frame with anything of
 * ours behind it was on disk once.
 *
 * The rule: nothing is written here, and nothing is held but a few frames.
 */
#include "db/sqlite_log_scan.h"

#include "base/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 32, FRAME_HEADER = 24, PAGE_LEAST = 512, PAGE_MOST = 65536, AT_ONCE = 16 };
enum { MAGIC = 0x377f0682 }; /* the lowest bit: words of checksums are big-endian */

struct sums {
    uint32_t a, b;
};

struct walk {
    int file;
    bool big_endian;
    uint32_t salts[2];
    size_t page;
    struct sums sums; /* of all that was followed */
    bool follows;     /* no bad frame yet */
    int64_t last_ours, last_commit;
    struct log_scan *out;
};

static uint32_t word(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t sum_word(const unsigned char *at, bool big_endian)
{
    return big_endian
               ? word(at)
               : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static struct sums sums_of(struct sums sums, const unsigned char *bytes, size_t len,
                           bool big_endian)
{
    for (size_t i = 0; i + 8 <= len; i += 8) {
        sums.a += sum_word(bytes + i, big_endian) + sums.b;
        sums.b += sum_word(bytes + i + 4, big_endian) + sums.a;
    }
    return sums;
}

static bool same_sums(struct sums sums, const unsigned char *at)
{
    return sums.a == word(at) && sums.b == word(at + 4);
}

static ssize_t read_at(int file, void *into, size_t len, int64_t at)
{
    size_t had = 0;
    while (had < len) {
        ssize_t count = pread(file, (char *)into + had, len - had, (off_t)at + (off_t)had);
        if (count == -1 && errno == EINTR)
            continue;
        if (count == -1)
            return -1;
        if (count == 0)
            break;
        had += (size_t)count;
    }
    return (ssize_t)had;
}

/* False: SQLite follows nothing of it. */
static bool take_header(struct walk *walk, const unsigned char *header)
{
    uint32_t magic = word(header), page = word(header + 8);
    walk->big_endian = (magic & 1) != 0;
    walk->salts[0] = word(header + 16);
    walk->salts[1] = word(header + 20);
    walk->sums = sums_of((struct sums){ 0 }, header, HEADER - 8, walk->big_endian);
    bool right = (magic & ~(uint32_t)1) == MAGIC && page >= PAGE_LEAST && page <= PAGE_MOST &&
                 (page & (page - 1)) == 0 && same_sums(walk->sums, header + HEADER - 8);
    walk->page = right ? page : 4096; /* ours, unless somebody made another one of it */
    return right;
}

static bool is_whole(struct walk *walk, const unsigned char *frame)
{
    struct sums sums = sums_of(walk->sums, frame, 8, walk->big_endian);
    sums = sums_of(sums, frame + FRAME_HEADER, walk->page, walk->big_endian);
    bool whole = word(frame) != 0 && word(frame + 8) == walk->salts[0] &&
                 word(frame + 12) == walk->salts[1] && same_sums(sums, frame + 16);
    if (whole)
        walk->sums = sums;
    return whole;
}

/* A bad frame that one bit keeps from being marked as a commit, and is whole with it. */
static bool lost_its_mark(const struct walk *walk, unsigned char *frame)
{
    struct walk before = *walk;
    bool lost = false;
    for (int bit = 0; bit < 32 && !lost; bit++) {
        unsigned char *byte = frame + 4 + bit / 8;
        *byte ^= (unsigned char)(1 << bit % 8);
        lost = is_whole(&before, frame);
        *byte ^= (unsigned char)(1 << bit % 8);
    }
    return lost;
}

static void take_frame(struct walk *walk, unsigned char *frame, int64_t number)
{
    bool commit = word(frame + 4) != 0;
    if (walk->out->header_damaged && number == 1) { /* its salts are the header's, but for damage */
        walk->salts[0] = word(frame + 8);
        walk->salts[1] = word(frame + 12);
    }
    if (walk->follows && is_whole(walk, frame)) {
        walk->last_ours = number;
        if (commit)
            walk->out->frames = number;
        return;
    }
    bool ours = word(frame + 8) == walk->salts[0] || word(frame + 12) == walk->salts[1];
    if (!commit && ours && walk->follows)
        commit = lost_its_mark(walk, frame);
    walk->follows = false;
    if (!ours)
        return;
    if (walk->out->damaged == 0)
        walk->out->damaged = number;
    walk->last_ours = number;
    if (commit) {
        walk->last_commit = number;
        walk->out->commits++;
    }
}

static bool take_frames(struct walk *walk)
{
    size_t size = FRAME_HEADER + walk->page;
    unsigned char *room = must_alloc(size * AT_ONCE);
    int64_t number = 0;
    ssize_t len;
    do {
        len = read_at(walk->file, room, size * AT_ONCE, HEADER + number * (int64_t)size);
        for (size_t at = 0; len > 0 && at + size <= (size_t)len; at += size)
            take_frame(walk, room + at, ++number);
    } while (len == (ssize_t)(size * AT_ONCE));
    free(room);
    return len != -1;
}

static bool scan_file(int file, struct log_scan *out)
{
    unsigned char header[HEADER];
    struct walk walk = { .file = file, .out = out };
    ssize_t len = read_at(file, header, sizeof(header), 0);
    if (len != HEADER)
        return len != -1;
    out->header_damaged = !take_header(&walk, header);
    walk.follows = !out->header_damaged;
    if (!take_frames(&walk))
        return false;
    if (walk.last_commit > out->frames)
        out->lost = walk.last_commit - out->frames;
    else
        out->commits = 0;
    out->unfinished =
        walk.last_ours > out->frames + out->lost ? walk.last_ours - out->frames - out->lost : 0;
    if (walk.last_ours == 0)
        out->header_damaged = false; /* of a log that holds nothing */
    return true;
}

bool log_scan(const char *path, struct log_scan *out, struct error *error)
{
    struct stat about;
    *out = (struct log_scan){ 0 };
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file == -1 && errno == ENOENT)
        return true;
    bool good = file != -1 && fstat(file, &about) == 0;
    if (good) {
        out->bytes = about.st_size;
        good = scan_file(file, out);
    }
    if (!good)
        error_set(error, ERROR_BROKEN, "%s cannot be read: %s", path, strerror(errno));
    if (file != -1)
        close(file);
    return good;
}

bool log_scan_lost(const struct log_scan *scan)
{
    return scan->lost > 0;
}

void log_scan_words(const struct log_scan *scan, struct buf *out)
{
    if (scan->header_damaged)
        buf_str(out, "the header of the write-ahead log is damaged: ");
    else
        buf_fmt(out, "frame %" PRId64 " of the write-ahead log is damaged: ", scan->damaged);
    buf_fmt(out,
            "%" PRId64 " frames of %" PRId64 " committed transaction%s, from frame %" PRId64
            " on, cannot be followed",
            scan->lost, scan->commits, scan->commits == 1 ? "" : "s", scan->frames + 1);
    buf_str(out, scan->commits == 1
                     ? "; it is the last one of the log, so it may have been under way when the "
                       "machine stopped, and then nobody was told that it was written"
                     : "; what they wrote had been acknowledged");
}
