/* recovery.h — at the start: what a crash or a stop left undelivered. */
#ifndef POSTBACKD_RECOVERY_H
#define POSTBACKD_RECOVERY_H

#include "engine/work.h"
#include "store/postbacks.h"

struct recovered {
    int64_t undelivered;     /* postbacks that were in memory, and wait now */
    int64_t floor;           /* as on disk: all have rows now, and none is FRESH */
    struct waiting *waiting; /* a row for each notification that has something waiting */
    size_t count;
};

/* Before the first write.  False with *error set: the store could not. */
bool recovery_run(struct store *store, struct recovered *out, struct error *error);
/* At a stop: what is still in memory waits on disk, so that the next start need not look for it. */
void recovery_leave(struct work *work);
void recovery_free(struct recovered *recovered);

#endif
