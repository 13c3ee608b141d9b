/* fault_vfs.h — a layer under SQLite that fails on command: a full disk, a bad write, a bad fsync,
 * a lock or memory that is not to be had.
 *
 * fault_install() makes it the default, so a store opened afterwards stands on it.  Reads go
 * straight through.  To fail the Nth call of a kind: fault_arm(&fault.writes_left, N);
 * fault_fired() tells whether there was an Nth one, so a loop over N ends when the operation makes
 * no more such calls.
 */
#ifndef POSTBACKD_TEST_FAULT_VFS_H
#define POSTBACKD_TEST_FAULT_VFS_H

#include "base/fail.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct {
    atomic_bool full;      /* no file grows any more */
    atomic_bool no_room;   /* nothing is written at all, not even where a file has room */
    atomic_int bad_writes; /* so many writes from now fail with EIO */
    atomic_int bad_syncs;  /* so many fsyncs from now fail */
    atomic_int syncs;      /* made */
    atomic_int writes_left, syncs_left, locks_left, allocs_left; /* see fault_arm() */
    sqlite3_mem_methods memory;
    sqlite3_vfs *real;
    sqlite3_vfs vfs;
} fault;

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
};

static _Thread_local int fault_errno;

static inline sqlite3_file *fault_real(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

static bool fault_due(atomic_int *left)
{
    int count = atomic_load(left);
    while (count > 0) {
        if (atomic_compare_exchange_weak(left, &count, count - 1))
            return true;
    }
    return false;
}

static inline void fault_arm(atomic_int *left, int nth)
{
    atomic_store(left, nth);
}

/* Takes it back; whether the Nth call was made, and failed. */
static inline bool fault_fired(atomic_int *left)
{
    return atomic_exchange(left, 0) == 0;
}

/* It is this call's turn. */
static bool fault_nth(atomic_int *left)
{
    int count = atomic_load(left);
    while (count > 0) {
        if (atomic_compare_exchange_weak(left, &count, count - 1))
            return count == 1;
    }
    return false;
}

static int fault_close(sqlite3_file *file)
{
    return fault_real(file)->pMethods->xClose(fault_real(file));
}

static int fault_read(sqlite3_file *file, void *into, int len, sqlite3_int64 at)
{
    return fault_real(file)->pMethods->xRead(fault_real(file), into, len, at);
}

static int fault_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
    sqlite3_int64 size = 0;
    if (fault_due(&fault.bad_writes) || fault_nth(&fault.writes_left)) {
        fault_errno = EIO;
        return SQLITE_IOERR_WRITE;
    }
    if (atomic_load(&fault.no_room))
        return SQLITE_FULL;
    if (atomic_load(&fault.full) &&
        (fault_real(file)->pMethods->xFileSize(fault_real(file), &size) != SQLITE_OK ||
         at + len > size))
        return SQLITE_FULL;
    return fault_real(file)->pMethods->xWrite(fault_real(file), from, len, at);
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return fault_real(file)->pMethods->xTruncate(fault_real(file), size);
}

static int fault_sync(sqlite3_file *file, int flags)
{
    atomic_fetch_add(&fault.syncs, 1);
    if (fault_due(&fault.bad_syncs) || fault_nth(&fault.syncs_left)) {
        fault_errno = EIO;
        return SQLITE_IOERR_FSYNC;
    }
    return fault_real(file)->pMethods->xSync(fault_real(file), flags);
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return fault_real(file)->pMethods->xFileSize(fault_real(file), size);
}

static int fault_lock(sqlite3_file *file, int level)
{
    return fault_real(file)->pMethods->xLock(fault_real(file), level);
}

static int fault_unlock(sqlite3_file *file, int level)
{
    return fault_real(file)->pMethods->xUnlock(fault_real(file), level);
}

static int fault_reserved(sqlite3_file *file, int *held)
{
    return fault_real(file)->pMethods->xCheckReservedLock(fault_real(file), held);
}

static int fault_control(sqlite3_file *file, int what, void *with)
{
    if (what == SQLITE_FCNTL_LAST_ERRNO && fault_errno != 0) {
        *(int *)with = fault_errno;
        return SQLITE_OK;
    }
    return fault_real(file)->pMethods->xFileControl(fault_real(file), what, with);
}

static int fault_sector(sqlite3_file *file)
{
    return fault_real(file)->pMethods->xSectorSize(fault_real(file));
}

static int fault_traits(sqlite3_file *file)
{
    return fault_real(file)->pMethods->xDeviceCharacteristics(fault_real(file));
}

static int fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **into)
{
    return fault_real(file)->pMethods->xShmMap(fault_real(file), page, size, extend, into);
}

static int fault_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    if ((flags & SQLITE_SHM_LOCK) != 0 && fault_nth(&fault.locks_left)) {
        fault_errno = ENOLCK;
        return SQLITE_IOERR_SHMLOCK;
    }
    return fault_real(file)->pMethods->xShmLock(fault_real(file), offset, n, flags);
}

static void fault_shm_barrier(sqlite3_file *file)
{
    fault_real(file)->pMethods->xShmBarrier(fault_real(file));
}

static int fault_shm_unmap(sqlite3_file *file, int remove)
{
    return fault_real(file)->pMethods->xShmUnmap(fault_real(file), remove);
}

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_reserved,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector,
    .xDeviceCharacteristics = fault_traits,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                      int *out)
{
    struct fault_file *mine = (struct fault_file *)file;
    (void)vfs;
    mine->base.pMethods = NULL;
    mine->real = (sqlite3_file *)(mine + 1);
    int code = fault.real->xOpen(fault.real, name, mine->real, flags, out);
    if (mine->real->pMethods != NULL)
        mine->base.pMethods = &fault_methods;
    return code;
}

static int fault_last_error(sqlite3_vfs *vfs, int len, char *text)
{
    return fault_errno != 0 ? fault_errno : fault.real->xGetLastError(vfs, len, text);
}

static void *fault_malloc(int size)
{
    return fault_nth(&fault.allocs_left) ? NULL : fault.memory.xMalloc(size);
}

static void *fault_realloc(void *old, int size)
{
    return fault_nth(&fault.allocs_left) ? NULL : fault.memory.xRealloc(old, size);
}

static inline void fault_install(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &fault.memory);
    sqlite3_mem_methods memory = fault.memory;
    memory.xMalloc = fault_malloc;
    memory.xRealloc = fault_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    fault.real = sqlite3_vfs_find(NULL);
    fault.vfs = *fault.real;
    fault.vfs.zName = "fault";
    fault.vfs.szOsFile = (int)sizeof(struct fault_file) + fault.real->szOsFile;
    fault.vfs.xOpen = fault_open;
    fault.vfs.xGetLastError = fault_last_error;
    if (sqlite3_vfs_register(&fault.vfs, 1) != SQLITE_OK)
        die("the fault layer cannot be registered");
}

#endif
