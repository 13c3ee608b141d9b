/* preload.c — put under a running server by LD_PRELOAD, for the end-to-end tests of faults.
 *
 * The file that POSTBACKD_FAULTS names is an array of 64-bit numbers, shared with the test
 * (test/e2e/harness/faults.py), which arms and reads them while the server runs: the wall clock's
 * offset, which allocation, write or fsync fails, a gate that fsyncs wait at, and which COMMIT is
 * refused as if another connection had been in the way (with POSTBACKD_FAULTS_RUN_AGAIN: the first
 * of each two of every connection that writes, so that every transaction is run, undone, and run).
 *
 * The rule: with nothing armed every call is exactly the system's.  Memory is asked for before the
 * system's functions can be looked up (the sanitizers' libraries do so while the program is still
 * being linked), so those first requests come from an arena that is never freed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum number { /* in the order of faults.py */
              CLOCK_OFFSET_MS,
              ALLOC_NTH, /* 1: the next one of at least ALLOC_LEAST bytes fails; 0: none */
              ALLOC_LEAST,
              ALLOC_MORE, /* how many after that one fail too */
              ALLOC_FAILED,
              WRITE_NTH,
              WRITE_FAILED,
              SYNC_NTH,
              SYNC_FAILED,
              SYNC_GATE, /* while it is not 0 every fsync waits */
              SYNC_WAITING,
              SYNC_PASS, /* so many may go through the closed gate */
              COMMIT_NTH,
              COMMIT_MORE, /* how many after that one are refused too */
              COMMIT_REFUSED,
              NUMBERS
};

static _Atomic int64_t unarmed[NUMBERS];
static _Atomic int64_t *numbers = unarmed;

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    int (*clock_gettime)(clockid_t, struct timespec *);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    int (*fsync)(int);
    int (*fdatasync)(int);
    int (*pthread_getattr_np)(pthread_t, pthread_attr_t *);
} system_;
static int ready; /* system_ is filled in */

/* SQLite's; absent in a program without. */
static struct {
    int (*step)(void *);
    int (*extended_errcode)(void *);
    const char *(*sql)(void *);
    void *(*db_handle)(void *);
    int (*txn_state)(void *, const char *);
} sqlite;
static int run_again; /* all commits */

/* The sanitizers ask for a new thread's stack before any of our code runs in it, and give up, not
 * we, when that has no memory. */
static __thread int of_sanitizer __attribute__((tls_model("initial-exec")));

/* ---- memory before the system's is found ---- */

static _Alignas(16) char arena[1024 * 1024];
static atomic_size_t arena_used;

static void *from_arena(size_t size)
{
    size_t at = atomic_fetch_add(&arena_used, (size + 31) & ~(size_t)15);
    if (at + size + 16 > sizeof(arena))
        abort();
    memcpy(arena + at, &size, sizeof(size));
    return arena + at + 16;
}

static int in_arena(const void *memory)
{
    return (const char *)memory >= arena && (const char *)memory < arena + sizeof(arena);
}

static void find_all(void)
{
    *(void **)&system_.pthread_getattr_np = dlsym(RTLD_NEXT, "pthread_getattr_np");
    *(void **)&system_.malloc = dlsym(RTLD_NEXT, "malloc");
    *(void **)&system_.calloc = dlsym(RTLD_NEXT, "calloc");
    *(void **)&system_.realloc = dlsym(RTLD_NEXT, "realloc");
    *(void **)&system_.free = dlsym(RTLD_NEXT, "free");
    *(void **)&system_.clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    *(void **)&system_.pwrite = dlsym(RTLD_NEXT, "pwrite64");
    *(void **)&system_.fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&system_.fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    *(void **)&sqlite.step = dlsym(RTLD_NEXT, "sqlite3_step");
    *(void **)&sqlite.extended_errcode = dlsym(RTLD_NEXT, "sqlite3_extended_errcode");
    *(void **)&sqlite.sql = dlsym(RTLD_NEXT, "sqlite3_sql");
    *(void **)&sqlite.db_handle = dlsym(RTLD_NEXT, "sqlite3_db_handle");
    *(void **)&sqlite.txn_state = dlsym(RTLD_NEXT, "sqlite3_txn_state");
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("POSTBACKD_FAULTS");
    find_all();
    run_again = getenv("POSTBACKD_FAULTS_RUN_AGAIN") != NULL;
    ready = 1;
    int file = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file == -1)
        return;
    void *shared = mmap(NULL, sizeof(unarmed), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared != MAP_FAILED)
        numbers = shared;
}

/* ---- what is armed ---- */

/* Counts `nth` down; true when it is this call's turn. */
static int due(enum number nth)
{
    int64_t left = atomic_load(&numbers[nth]);
    while (left > 0) {
        if (atomic_compare_exchange_weak(&numbers[nth], &left, left - 1))
            return left == 1;
    }
    return 0;
}

static int alloc_fails(size_t size)
{
    if (of_sanitizer || atomic_load(&numbers[ALLOC_NTH]) == 0 ||
        size < (size_t)atomic_load(&numbers[ALLOC_LEAST]) || !due(ALLOC_NTH))
        return 0;
    atomic_fetch_add(&numbers[ALLOC_FAILED], 1);
    if (atomic_load(&numbers[ALLOC_MORE]) > 0) {
        atomic_fetch_sub(&numbers[ALLOC_MORE], 1);
        atomic_store(&numbers[ALLOC_NTH], 1);
    }
    errno = ENOMEM;
    return 1;
}

static int io_fails(enum number nth, enum number failed)
{
    if (!due(nth))
        return 0;
    atomic_fetch_add(&numbers[failed], 1);
    errno = EIO;
    return 1;
}

static int may_pass(void)
{
    int64_t left = atomic_load(&numbers[SYNC_PASS]);
    while (left > 0) {
        if (atomic_compare_exchange_weak(&numbers[SYNC_PASS], &left, left - 1))
            return 1;
    }
    return 0;
}

static void wait_at_gate(void)
{
    static const struct timespec pause = { .tv_nsec = 2000000 };
    if (atomic_load(&numbers[SYNC_GATE]) == 0)
        return;
    atomic_fetch_add(&numbers[SYNC_WAITING], 1);
    while (atomic_load(&numbers[SYNC_GATE]) != 0 && !may_pass())
        nanosleep(&pause, NULL); /* real time: between two looks */
    atomic_fetch_sub(&numbers[SYNC_WAITING], 1);
}

/* ---- the system's calls ---- */

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    if (!ready) /* the program is still being linked */
        find_all();
    of_sanitizer = 1;
    int failed = system_.pthread_getattr_np(thread, attributes);
    of_sanitizer = 0;
    return failed;
}

void *malloc(size_t size)
{
    if (!ready)
        return from_arena(size);
    return alloc_fails(size) ? NULL : system_.malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (!ready)
        return from_arena(count * size); /* zero: it is used once */
    return alloc_fails(count * size) ? NULL : system_.calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (!ready || in_arena(old)) {
        size_t had = 0;
        void *moved = malloc(size);
        if (old != NULL && moved != NULL) {
            memcpy(&had, (char *)old - 16, sizeof(had));
            memcpy(moved, old, had < size ? had : size);
        }
        return moved;
    }
    return alloc_fails(size) ? NULL : system_.realloc(old, size);
}

void free(void *memory)
{
    if (memory != NULL && ready && !in_arena(memory))
        system_.free(memory);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = ready ? system_.clock_gettime(id, now) : (int)syscall(SYS_clock_gettime, id, now);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t ms = atomic_load(&numbers[CLOCK_OFFSET_MS]);
        now->tv_sec += ms / 1000;
        now->tv_nsec += ms % 1000 * 1000000;
        if (now->tv_nsec >= 1000000000)
            now->tv_sec++, now->tv_nsec -= 1000000000;
        else if (now->tv_nsec < 0)
            now->tv_sec--, now->tv_nsec += 1000000000;
    }
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec real;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &real);
    now->tv_sec = real.tv_sec;
    now->tv_usec = real.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    if (out != NULL)
        *out = real.tv_sec;
    return real.tv_sec;
}

/* Compiled for 64-bit offsets, so its name is pwrite64, as in SQLite. */
ssize_t pwrite(int file, const void *from, size_t len, off_t at)
{
    return io_fails(WRITE_NTH, WRITE_FAILED) ? -1 : system_.pwrite(file, from, len, at);
}

int fsync(int file)
{
    wait_at_gate();
    return io_fails(SYNC_NTH, SYNC_FAILED) ? -1 : system_.fsync(file);
}

int fdatasync(int file)
{
    wait_at_gate();
    return io_fails(SYNC_NTH, SYNC_FAILED) ? -1 : system_.fdatasync(file);
}

/* ---- SQLite's calls ---- */

enum { BUSY_SNAPSHOT = 517, TXN_WRITE = 2 };

static __thread int refused; /* the code, until the connection's next step; 0: nothing was */
static __thread int refused_before;

static int commit_refused(void *stmt)
{
    const char *sql = sqlite.sql(stmt);
    if (sql == NULL || strcmp(sql, "COMMIT") != 0 ||
        sqlite.txn_state(sqlite.db_handle(stmt), NULL) != TXN_WRITE)
        return 0;
    refused_before = run_again && !refused_before;
    if (!refused_before && !due(COMMIT_NTH))
        return 0;
    atomic_fetch_add(&numbers[COMMIT_REFUSED], 1);
    if (!refused_before && atomic_load(&numbers[COMMIT_MORE]) > 0) {
        atomic_fetch_sub(&numbers[COMMIT_MORE], 1);
        atomic_store(&numbers[COMMIT_NTH], 1);
    }
    return 1;
}

int sqlite3_step(void *stmt);
int sqlite3_extended_errcode(void *handle);

int sqlite3_step(void *stmt)
{
    refused = commit_refused(stmt) ? BUSY_SNAPSHOT : 0;
    return refused != 0 ? refused : sqlite.step(stmt);
}

int sqlite3_extended_errcode(void *handle)
{
    return refused != 0 ? refused : sqlite.extended_errcode(handle);
}
