/* memory.c — the allocators of jansson, libuv, c-ares and OpenSSL: malloc() or die().
 *
 * malloc() itself is mimalloc's where the build has it: blocks go from thread to thread here, and
 * each thread gives back what it does not use any more (base/trim.h).  The loop's has a timer for
 * it, since something always comes within a second; who has done next to nothing in that time has
 * nothing to give.
 *
 * The rule: these give NULL for a size of 0 only.  c-ares and libuv ask for that and take NULL.
 */
#include "cli/memory.h"

#include "base/fail.h"
#include "base/trim.h"

#include <ares.h>
#include <jansson.h>
#ifdef HAVE_MIMALLOC
#include <mimalloc.h>
#elif defined(HAVE_MALLOC_TRIM)
#include <malloc.h>
#endif
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <uv.h>

enum { WORKED_US = 2000 }; /* of the processor, between two looks */

static void *had(void *memory, size_t size)
{
    if (memory == NULL && size != 0)
        die("out of memory for %zu bytes", size);
    return memory;
}

static void *lib_alloc(size_t size)
{
    return had(malloc(size), size);
}

static void *lib_resize(void *old, size_t size)
{
    return had(realloc(old, size), size);
}

static void *lib_zeroed(size_t count, size_t size)
{
    return had(calloc(count, size), count != 0 ? size : 0);
}

static void *tls_alloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return lib_alloc(size);
}

static void *tls_resize(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return lib_resize(old, size);
}

static void tls_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

/* A sanitizer's malloc() keeps what it has: malloc_trim() would be for heaps that are not in use.
 */
static void give_back(void)
{
#ifdef HAVE_MIMALLOC
    mi_collect(true);
#elif defined(HAVE_MALLOC_TRIM)
    malloc_trim(0);
#endif
}

static int64_t worked_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_THREAD, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * (int64_t)1000000 +
           used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static void look(uv_timer_t *timer)
{
    struct memory_watch *watch = timer->data;
    if (worked_us() - watch->worked_us < WORKED_US)
        return;
    trim_idle();
    watch->worked_us = worked_us();
}

void memory_watch(struct memory_watch *watch, uv_loop_t *loop)
{
    watch->worked_us = 0;
    uv_timer_init(loop, &watch->timer);
    watch->timer.data = watch;
    uv_timer_start(&watch->timer, look, TRIM_EVERY_MS, TRIM_EVERY_MS);
    uv_unref((uv_handle_t *)&watch->timer); /* it keeps no loop going */
}

void memory_unwatch(struct memory_watch *watch)
{
    uv_close((uv_handle_t *)&watch->timer, NULL);
}

void memory_for_libraries(void)
{
    trim_by(give_back);
#ifdef HAVE_MIMALLOC
    mi_option_disable(mi_option_show_errors); /* what cannot be had is told by die(), in one line */
#endif
    json_set_alloc_funcs(lib_alloc, free);
    if (uv_replace_allocator(lib_alloc, lib_resize, lib_zeroed, free) != 0 ||
        CRYPTO_set_mem_functions(tls_alloc, tls_resize, tls_free) != 1 ||
        ares_library_init_mem(ARES_LIB_INIT_ALL, lib_alloc, free, lib_resize) != ARES_SUCCESS)
        die("a library has taken memory already");
}
