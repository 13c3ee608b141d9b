/* log_queue.c — a ring of bytes under one mutex, which nobody holds while he writes.
 *
 * `written` and `put` count bytes since the start, so a flush is the wait for a number.  The thread
 * takes whole lines into a room of its own, lets go of the mutex, and writes.
 *
 * The rule: log_queue_put() does nothing that can block, whatever the state of standard error.
 */
#include "base/log_queue.h"

#include "base/condition.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024, STACK = 128 * 1024 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    pthread_t thread;
    bool stopping, ended;
    uint64_t put, taken, written; /* bytes */
    int64_t unsaid;               /* dropped and not confessed yet */
    log_queue_confess *confess;
    char ring[LOG_QUEUE_BYTES];
    char chunk[CHUNK]; /* the thread's own */
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER };
static atomic_bool running;
static _Atomic int64_t dropped;

/* ---- writing ---- */

/* False: standard error takes no more (its reader is gone, or it is closed). */
static bool write_whole(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t count = write(STDERR_FILENO, bytes, len);
        if (count >= 0) {
            bytes += count;
            len -= (size_t)count;
        } else if (errno == EAGAIN) { /* somebody who shares it made it non-blocking */
            struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static int64_t lines_of(const char *bytes, size_t len)
{
    int64_t count = 0;
    for (const char *at = bytes; (at = memchr(at, '\n', len - (size_t)(at - bytes))) != NULL; at++)
        count++;
    return count;
}

/* Whole lines from the ring into the chunk; gives how many bytes. */
static size_t take_lines(void)
{
    size_t len = (size_t)(queue.put - queue.taken);
    if (len > CHUNK)
        len = CHUNK;
    for (size_t i = 0; i < len; i++)
        queue.chunk[i] = queue.ring[(queue.taken + i) % LOG_QUEUE_BYTES];
    while (len > 0 && queue.chunk[len - 1] != '\n')
        len--;
    queue.taken += len;
    return len;
}

static void drop(int64_t lines)
{
    atomic_fetch_add(&dropped, lines);
    queue.unsaid += lines;
}

/* With the lock, which is let go of meanwhile. */
static void write_some(void)
{
    int64_t missing = queue.unsaid;
    size_t len = take_lines();
    char words[256];
    size_t said = 0;
    pthread_mutex_unlock(&queue.lock);
    bool good = write_whole(queue.chunk, len);
    if (good && missing > 0) {
        said = queue.confess(words, sizeof(words), missing);
        good = write_whole(words, said);
    }
    pthread_mutex_lock(&queue.lock);
    if (!good)
        drop(lines_of(queue.chunk, len));
    else
        queue.unsaid -= missing;
    queue.written += len;
    pthread_cond_broadcast(&queue.emptied);
}

static void *queue_main(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&queue.lock);
    while (!queue.stopping || queue.put > queue.taken) {
        if (queue.put > queue.taken)
            write_some();
        else
            pthread_cond_wait(&queue.filled, &queue.lock);
    }
    queue.ended = true;
    pthread_cond_broadcast(&queue.emptied);
    pthread_mutex_unlock(&queue.lock);
    return NULL;
}

/* ---- for everybody ---- */

/* In a child there is no thread, and nobody else to hold the lock. */
static void after_fork(void)
{
    atomic_store(&running, false);
}

bool log_queue_start(log_queue_confess *confess)
{
    static bool prepared;
    pthread_attr_t small;
    queue.confess = confess;
    queue.stopping = queue.ended = false;
    if (!prepared) {
        condition_init(&queue.emptied);
        pthread_atfork(NULL, NULL, after_fork);
        prepared = true;
    }
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    bool started = pthread_create(&queue.thread, &small, queue_main, NULL) == 0;
    pthread_attr_destroy(&small);
    atomic_store(&running, started);
    return started;
}

void log_queue_put(const char *line, size_t len, bool matters)
{
    if (!atomic_load(&running)) {
        write_whole(line, len);
        return;
    }
    pthread_mutex_lock(&queue.lock);
    size_t room = LOG_QUEUE_BYTES - (size_t)(queue.put - queue.taken);
    if (room < len + (matters ? 0 : LOG_QUEUE_BYTES / 4)) {
        drop(1);
    } else {
        for (size_t i = 0; i < len; i++)
            queue.ring[(queue.put + i) % LOG_QUEUE_BYTES] = line[i];
        queue.put += len;
        pthread_cond_signal(&queue.filled);
    }
    pthread_mutex_unlock(&queue.lock);
}

void log_queue_flush(int64_t limit_ms)
{
    if (!atomic_load(&running))
        return;
    struct timespec until = condition_in(limit_ms);
    pthread_mutex_lock(&queue.lock);
    uint64_t all = queue.put;
    int code = 0;
    while (code == 0 && queue.written < all)
        code = pthread_cond_timedwait(&queue.emptied, &queue.lock, &until);
    pthread_mutex_unlock(&queue.lock);
}

void log_queue_stop(int64_t limit_ms)
{
    if (!atomic_load(&running))
        return;
    struct timespec until = condition_in(limit_ms);
    pthread_mutex_lock(&queue.lock);
    int code = 0;
    queue.stopping = true;
    pthread_cond_signal(&queue.filled);
    while (code == 0 && !queue.ended)
        code = pthread_cond_timedwait(&queue.emptied, &queue.lock, &until);
    bool ended = queue.ended;
    pthread_mutex_unlock(&queue.lock);
    if (!ended) { /* stuck: it goes with the process */
        pthread_detach(queue.thread);
        return;
    }
    pthread_join(queue.thread, NULL);
    atomic_store(&running, false);
}

int64_t log_queue_dropped(void)
{
    return atomic_load(&dropped);
}
