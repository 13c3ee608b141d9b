/* work.h — what each service of the engine works with: its jobs in the store, its timers.
 *
 * A service is made with a struct work, and most know nothing else of the engine.  Jobs are given
 * through it, so that they are counted: a stop waits until none is under way.  It says whether the
 * store takes writes, and whether the engine is stopping: then nothing new is begun, and no timer
 * fires.  On the loop thread.
 */
#ifndef POSTBACKD_WORK_H
#define POSTBACKD_WORK_H

#include "db/store.h"
#include "engine/membership.h"
#include "engine/periodic.h"

#include <uv.h>

struct work {
    uv_loop_t *loop;
    struct store *store;
    struct periodics timers;
    size_t under_way;              /* jobs given and not yet done */
    struct membership *membership; /* among those that share the database; NULL: it is alone */
    bool writable;                 /* the store takes writes */
    bool stopping;
};

void work_init(struct work *work, uv_loop_t *loop, struct store *store);
void work_stop(struct work *work); /* from now on it is stopping */
/* What waits of this event notification is this server's to send. */
bool work_owns(const struct work *work, int64_t notification);
/* What is done once for all who share the database is done here (MEMBERSHIP_DUTY). */
bool work_on_duty(const struct work *work);

/* A job of a service's; at the head of the service's own struct. */
struct service_job {
    struct job job;
    struct work *work;
    void *service;
    int64_t notification; /* of one about a notification */
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
