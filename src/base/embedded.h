/* embedded.h — files that the build puts into the binary (script/embed). */
#ifndef POSTBACKD_EMBEDDED_H
#define POSTBACKD_EMBEDDED_H

#include <stddef.h>

struct embedded {
    const char *name; /* without folders; NULL ends a table */
    const char *data; /* NUL-terminated */
    size_t len;
};

extern const struct embedded schema[]; /* schema/sqlite, in order */
extern const size_t schema_count;
extern const struct embedded postgres_schema[]; /* schema/postgresql, in order */
extern const size_t postgres_schema_count;

#endif
