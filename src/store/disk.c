/* disk.c — the sizes of the store's files and of their file system; an episode of little room is a
 * row of meta while it lasts.
 *
 * A file system may let us wait (NFS), so this is for jobs, never for the loop.
 */
#include "store/disk.h"

#include "base/buf.h"
#include "model/mail.h"
#include "store/accounts.h"
#include "store/sqlite.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static int64_t size_of(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 ? (int64_t)found.st_size : -1;
}

void disk_look(struct db *db, struct disk_figures *out)
{
    const char *path = sqlite3_db_filename(sqlite_handle(db), "main");
    struct buf log = { 0 };
    struct statvfs room;
    buf_fmt(&log, "%s-wal", path);
    *out = (struct disk_figures){
        .database = size_of(path), .log = size_of(buf_text(&log)), .free = -1, .size = -1
    };
    if (statvfs(path, &room) == 0) {
        out->free = (int64_t)room.f_bavail * (int64_t)room.f_frsize;
        out->size = (int64_t)room.f_blocks * (int64_t)room.f_frsize;
    }
    buf_free(&log);
}

/* ---- little room ---- */

enum { ROOMY_PERCENT = 110 };

static bool lasts(struct db *db)
{
    return db_number(db_prepare(db, "SELECT 1 FROM meta WHERE key = 'disk_low_since'"), 0) == 1;
}

enum disk_turn disk_turn(struct db *db, const struct disk_figures *disk, int64_t alarm, bool *low)
{
    bool was = lasts(db);
    bool roomy = disk->free == -1 || (double)disk->free >= (double)alarm / 100 * ROOMY_PERCENT;
    *low = was ? !roomy : disk->free != -1 && disk->free < alarm;
    return *low == was ? DISK_STAYS : *low ? DISK_LOW : DISK_ROOMY;
}

static void tell_operator(struct db *db, const struct disk_figures *disk, struct list *letters)
{
    struct account account;
    struct buf text = { 0 };
    int64_t id = account_operator(db);
    if (id == 0 || !account_find(db, id, &account))
        return;
    buf_fmt(
        &text,
        "The disk of the data directory is nearly full: %" PRId64 " MiB are free, and the store "
        "takes %" PRId64 " MiB. When it is full nothing can be written, and no postbacks go out. "
        "Make room, or keep for fewer days what has ended.",
        disk->free >> 20, (disk->database + disk->log) >> 20);
    notice_add(db, id, "store.disk_low", buf_text(&text));
    letter_add(letters, account.email, "The disk is nearly full", buf_text(&text));
    account_clear(&account);
    buf_free(&text);
}

enum disk_turn disk_tell(struct db *db, const struct disk_figures *disk, int64_t alarm,
                         struct list *letters)
{
    bool low;
    enum disk_turn turn = disk_turn(db, disk, alarm, &low);
    if (turn == DISK_STAYS)
        return turn;
    struct stmt *put =
        low ? db_prepare(db, "INSERT INTO meta (key, value) VALUES ('disk_low_since', ?1)")
            : db_prepare(db, "DELETE FROM meta WHERE key = 'disk_low_since'");
    if (low)
        db_bind_int(put, 1, db_now(db));
    db_run(db, put);
    if (low)
        tell_operator(db, disk, letters);
    return turn;
}
