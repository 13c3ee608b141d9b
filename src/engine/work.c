/* work.c — the engine's services, as the store and the loop see them: a count of jobs, and timers.
 */
#include "engine/work.h"

#include "base/fail.h"
#include "model/notification.h"

void work_init(struct work *work, uv_loop_t *loop, struct store *store)
{
    *work = (struct work){ .loop = loop, .store = store, .writable = true };
    periodics_init(&work->timers, loop);
}

void work_stop(struct work *work)
{
    work->stopping = true;
    periodics_stop(&work->timers);
}

bool work_owns(const struct work *work, int64_t notification)
{
    return membership_owns(work->membership, notification_bucket(notification));
}

void *work_add(struct work *work, void *service, size_t size,
               bool (*run)(struct job *, struct db *), void (*done)(struct job *, bool))
{
    struct service_job *job = must_alloc(size);
    job->job.run = run;
    job->job.done = done;
    job->work = work;
    job->service = service;
    work->under_way++;
    return job;
}

void work_write(struct service_job *job)
{
    store_write(job->work->store, &job->job);
}

void work_read(struct service_job *job)
{
    store_read(job->work->store, &job->job);
}

void *work_done(struct job *job)
{
    struct service_job *own = (struct service_job *)job;
    own->work->under_way--;
    return own->service;
}

bool work_on_duty(const struct work *work)
{
    return membership_owns(work->membership, MEMBERSHIP_DUTY);
}
