/* work.h — what each service of the engine works with: the loop, the store, and its jobs there.
 *
 * A service is made with a struct work and gives its jobs through it, so that they are counted: a
 * stop waits until none is under way.  It is told here whether the store takes writes, and whether
 * the engine is stopping, after which nothing new is begun.  On the loop thread.
 */
#ifndef POSTBACKD_WORK_H
#define POSTBACKD_WORK_H

#include "db/store.h"

#include <uv.h>

struct work {
    uv_loop_t *loop;
    struct store *store;
    size_t under_way; /* jobs given and not yet done */
    bool writable;    /* the store takes writes */
    bool stopping;
};

/* A job of a service's; at the head of the service's own struct. */
struct service_job {
    struct job job;
    struct work *work;
    void *service;
    int64_t notification; /* of one about a notification: looked up again when it is done */
};

/* A zeroed job of `size` bytes, counted from now on. */
void *work_add(struct work *work, void *service, size_t size,
               bool (*run)(struct job *, struct db *), void (*done)(struct job *, bool));
void work_write(struct service_job *job);
void work_read(struct service_job *job);
/* For the job's done(): it is under way no longer.  Gives its service; the job is freed by done().
 */
void *work_done(struct job *job);

#endif
