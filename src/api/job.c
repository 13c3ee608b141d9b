/* job.c — a call's store job: run on a store thread, answered on the loop.
 *
 * run() reads of the call what was there when the job was given (who calls, its address and
 * parameters) and whether the client has left; it writes nothing of it.  The call is answered once,
 * by finish() or by the failure here.
 */
#include "api/job.h"

#include "base/clock.h"
#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

enum { READ_PATIENCE_US = 1000 * 1000 };

void api_job_drop(struct api_job *job)
{
    if (job->clear != NULL)
        job->clear(job);
    problems_free(&job->problems);
    json_decref(job->shown);
    free(job);
}

bool api_job_run(struct job *inner, struct db *db)
{
    struct api_job *job = container_of(inner, struct api_job, job);
    problems_keep(&job->problems, job->given_problems);
    json_decref(job->shown);
    job->shown = NULL;
    if (job->run(job, db))
        return true;
    if (inner->error.kind == ERROR_NONE) /* without a reason: what it looked for is not there */
        inner->error.kind = job->problems.count > 0 ? ERROR_INVALID : ERROR_NOT_FOUND;
    return false;
}

static void job_done(struct job *inner, bool ok)
{
    struct api_job *job = container_of(inner, struct api_job, job);
    if (ok)
        job->finish(job);
    else
        call_refuse_error(job->call, &inner->error, &job->problems);
    api_job_drop(job);
}

void *api_job_new(size_t size, struct call *call, struct api *api,
                  bool (*run)(struct api_job *, struct db *), void (*finish)(struct api_job *),
                  void (*clear)(struct api_job *))
{
    struct api_job *job = must_alloc(size);
    job->job.run = api_job_run;
    job->job.done = job_done;
    job->api = api;
    job->call = call;
    job->run = run;
    job->finish = finish;
    job->clear = clear;
    return job;
}

void api_job_show(struct api_job *job)
{
    call_json_answer(job->call, 200, json_incref(job->shown));
}

/* Whose turn it is, unless the handler knows better.  Nobody stands in the engine's line: who has
 * not signed in has a line for each address. */
void api_job_get_ready(struct api_job *job)
{
    job->given_problems = job->problems.count;
    if (job->job.account == 0)
        job->job.account = job->call->caller.account;
    if (job->job.account == 0)
        job->job.account = api_stranger(job->call->address, strlen(job->call->address));
}

int64_t api_stranger(const void *bytes, size_t len)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < len; i++)
        hash = hash * 31 + ((const unsigned char *)bytes)[i];
    return -(int64_t)(hash >> 1) - 1;
}

/* A client that closed its side may still wait (curl never does, nc -N may): it is believed to
 * have left once it would have had its answer from a server that is not busy. */
static bool is_wanted(const struct job *inner)
{
    const struct api_job *job = container_of(inner, struct api_job, job);
    return clock_steady_us() - inner->given_us < READ_PATIENCE_US || !call_is_gone(job->call);
}

void api_read(struct api_job *job)
{
    api_job_get_ready(job);
    job->job.wanted = is_wanted;
    store_read(job->api->store, &job->job);
}

void api_write_aside(struct api_job *job)
{
    api_job_get_ready(job);
    store_aside(job->api->store, &job->job);
}

void api_look_up(struct api_job *job)
{
    api_job_get_ready(job);
    store_look_up(job->api->store, &job->job);
}

bool api_job_valid(struct api_job *job)
{
    if (job->problems.count == 0)
        return true;
    call_refuse(job->call, 400, &job->problems, "The request is not valid.");
    api_job_drop(job);
    return false;
}
