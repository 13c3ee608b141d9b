/* sqlite_log_file.c — gathers what SQLite appends to the write-ahead log until it is synced.
 *
 * SQLite writes a frame's header and its page by a call each, a dozen pages a commit.  Here they
 * stand in memory until SQLite syncs the file or looks at it; what does not follow on what stands
 * there, or has no more room beside it, is written first.
 *
 * The rule: no other connection is told of a frame before it is written.  SQLite tells by the
 * index in shared memory, and in a commit after the sync (`synchronous=FULL`); frames that are
 * written earlier, for want of cache, become part of nothing until that commit.  A write that
 * fails late fails that sync or that look, so that the transaction is undone.
 */
#include "db/sqlite_log_file.h"

#include "base/fail.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { GATHERED_MAX = 128 * 1024 };

struct log_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
    char *gathered;
    int len;
    sqlite3_int64 at; /* where in the file they belong */
};

static struct {
    sqlite3_vfs *real, vfs;
} layer;

static struct log_file *of(sqlite3_file *file)
{
    return (struct log_file *)file;
}

static int write_out(struct log_file *log)
{
    int len = log->len;
    log->len = 0;
    return len == 0 ? SQLITE_OK
                    : log->real->pMethods->xWrite(log->real, log->gathered, len, log->at);
}

static int log_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
    struct log_file *log = of(file);
    bool fits = log->len + len <= GATHERED_MAX && at == log->at + log->len;
    int code = fits || log->len == 0 ? SQLITE_OK : write_out(log);
    if (code != SQLITE_OK)
        return code;
    if (len > GATHERED_MAX)
        return log->real->pMethods->xWrite(log->real, from, len, at);
    if (log->len == 0)
        log->at = at;
    memcpy(log->gathered + log->len, from, (size_t)len);
    log->len += len;
    return SQLITE_OK;
}

static int log_close(sqlite3_file *file)
{
    struct log_file *log = of(file);
    int written = write_out(log), closed = log->real->pMethods->xClose(log->real);
    free(log->gathered);
    return written != SQLITE_OK ? written : closed;
}

static int log_read(sqlite3_file *file, void *into, int len, sqlite3_int64 at)
{
    struct log_file *log = of(file);
    int code = write_out(log);
    return code != SQLITE_OK ? code : log->real->pMethods->xRead(log->real, into, len, at);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log_file *log = of(file);
    int code = write_out(log);
    return code != SQLITE_OK ? code : log->real->pMethods->xTruncate(log->real, size);
}

static int log_sync(sqlite3_file *file, int flags)
{
    struct log_file *log = of(file);
    int code = write_out(log);
    return code != SQLITE_OK ? code : log->real->pMethods->xSync(log->real, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct log_file *log = of(file);
    int code = write_out(log);
    return code != SQLITE_OK ? code : log->real->pMethods->xFileSize(log->real, size);
}

static int log_control(sqlite3_file *file, int what, void *with)
{
    return of(file)->real->pMethods->xFileControl(of(file)->real, what, with);
}

static int log_sector(sqlite3_file *file)
{
    return of(file)->real->pMethods->xSectorSize(of(file)->real);
}

static int log_traits(sqlite3_file *file)
{
    return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}

/* The log's file is never locked: that is the database's. */
static int no_lock(sqlite3_file *file, int level)
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}

static int no_lock_held(sqlite3_file *file, int *held)
{
    (void)file;
    *held = 0;
    return SQLITE_OK;
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1, /* no shared memory: that too is the database's */
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = no_lock,
    .xUnlock = no_lock,
    .xCheckReservedLock = no_lock_held,
    .xFileControl = log_control,
    .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_traits,
};

static int layer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                      int *flags_out)
{
    struct log_file *log = of(file);
    (void)vfs;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return layer.real->xOpen(layer.real, name, file, flags, flags_out);
    *log = (struct log_file){ .real = (sqlite3_file *)(log + 1) };
    int code = layer.real->xOpen(layer.real, name, log->real, flags, flags_out);
    if (code == SQLITE_OK) {
        log->gathered = must_alloc(GATHERED_MAX);
        log->base.pMethods = &log_methods;
    }
    return code;
}

void log_file_forget(sqlite3 *handle)
{
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    if (code == SQLITE_OK && file != NULL && file->pMethods == &log_methods)
        of(file)->len = 0;
}

const char *log_file_vfs(void)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    if (layer.real != real) {
        layer.real = real;
        layer.vfs = *real; /* all but open() is the same */
        layer.vfs.zName = "postbackd-log";
        layer.vfs.szOsFile += (int)sizeof(struct log_file);
        layer.vfs.xOpen = layer_open;
        layer.vfs.pNext = NULL;
        sqlite3_vfs_register(&layer.vfs, 0);
    }
    return layer.vfs.zName;
}
