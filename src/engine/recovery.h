/* recovery.h — at the start: what a crash or a stop left undelivered. */
#ifndef POSTBACKD_RECOVERY_H
#define POSTBACKD_RECOVERY_H

#include "db/store.h"
#include "store/postbacks.h"

struct recovered {
    int64_t undelivered;     /* rows that were FRESH, and wait now */
    int64_t floor;           /* as on disk: no row is FRESH below it, nor above it */
    struct waiting *waiting; /* a row for each notification that has something waiting */
    size_t count;
};

/* Before the first write.  False with *error set: the store could not. */
bool recovery_run(struct store *store, struct recovered *out, struct error *error);
void recovery_free(struct recovered *recovered);

#endif
