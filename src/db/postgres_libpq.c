/* postgres_libpq.c — dlopen() and a table of what was found. */
#include "db/postgres_libpq.h"

#include <dlfcn.h>
#include <stddef.h>

enum { LIBPQ_MEMBERS = sizeof(struct libpq) / sizeof(void *) };

struct libpq libpq;

static const struct {
    const char *name;
    size_t at; /* in struct libpq */
} functions[LIBPQ_MEMBERS] = {
#define LIBPQ_ROW(name) { #name, offsetof(struct libpq, name) },
    LIBPQ_FUNCTIONS(LIBPQ_ROW)
#undef LIBPQ_ROW
};

bool libpq_load(struct error *error)
{
    static void *library;
    static bool loaded;

    if (loaded) /* other threads may use it already */
        return true;
    if (library == NULL)
        library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        error_set(error, ERROR_BROKEN, "PostgreSQL's client library is missing (Debian: libpq5)");
        return false;
    }
    for (size_t i = 0; i < LIBPQ_MEMBERS; i++) {
        void *found = dlsym(library, functions[i].name);
        if (found == NULL) {
            error_set(error, ERROR_BROKEN, "PostgreSQL's client library is older than version 14");
            return false;
        }
        *(void **)((char *)&libpq + functions[i].at) = found;
    }
    loaded = true;
    return true;
}
