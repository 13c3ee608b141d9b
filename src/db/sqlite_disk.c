/* sqlite_disk.c — the sizes of the database's files and of their file system.
 *
 * A file system may let us wait (NFS), so this is for jobs, never for the loop.
 */
#include "db/sqlite.h"

#include "base/buf.h"
#include "db/disk.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

static int64_t size_of(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 ? (int64_t)found.st_size : -1;
}

void sqlite_disk(struct db *db, struct disk_figures *out)
{
    const char *path = db->source->name;
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
