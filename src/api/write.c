/* write.c — a call's job that writes; with an Idempotency-Key its answer is kept in the same
 * transaction. */
#include "api/job.h"

#include "api/idempotency.h"

static bool run_keyed(struct job *inner, struct db *db)
{
    struct api_job *job = container_of(inner, struct api_job, job);
    return api_job_run(inner, db) && idempotency_written(job->call, db, &inner->error);
}

void api_write(struct api_job *job)
{
    if (job->call->keyed != NULL)
        job->job.run = run_keyed;
    api_job_get_ready(job);
    store_write(job->api->store, &job->job);
}
