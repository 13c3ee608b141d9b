/* memory.c — the allocators of jansson, libuv, c-ares and OpenSSL: malloc() or die().
 *
 * malloc() itself is mimalloc's where the build has it: blocks go from thread to thread here.
 *
 * The rule: these give NULL for a size of 0 only.  c-ares and libuv ask for that and take NULL.
 */
#include "cli/memory.h"

#include "base/fail.h"

#include <ares.h>
#include <jansson.h>
#ifdef HAVE_MIMALLOC
#include <mimalloc.h>
#endif
#include <openssl/crypto.h>
#include <stdlib.h>
#include <uv.h>

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

void memory_for_libraries(void)
{
#ifdef HAVE_MIMALLOC
    mi_option_disable(mi_option_show_errors); /* what cannot be had is told by die(), in one line */
#endif
    json_set_alloc_funcs(lib_alloc, free);
    if (uv_replace_allocator(lib_alloc, lib_resize, lib_zeroed, free) != 0 ||
        CRYPTO_set_mem_functions(tls_alloc, tls_resize, tls_free) != 1 ||
        ares_library_init_mem(ARES_LIB_INIT_ALL, lib_alloc, free, lib_resize) != ARES_SUCCESS)
        die("a library has taken memory already");
}
