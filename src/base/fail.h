/* fail.h — the two ways to end, and memory that cannot fail.
 *
 * die(): the environment is broken (a disk, a file, a limit of the system).  Logs and exits 1.
 * bug(): we are broken.  Logs and aborts, so that a core is left.
 * An expected failure is neither: it is a returned code (see error.h).
 */
#ifndef POSTBACKD_FAIL_H
#define POSTBACKD_FAIL_H

#include <stddef.h>

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void bug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For small things of our own making; what the network sizes is capped before it comes here. */
void *must_alloc(size_t size);                        /* zeroed */
void *must_resize(void *old, size_t size);            /* as realloc */
char *must_copy(const char *text);                    /* NULL gives NULL */
char *must_copy_bytes(const void *bytes, size_t len); /* NUL added */

#endif
