/* line.c — three lines, and turns.
 *
 * How long a job takes is known when the next one is asked for.  An account stays heavy until a
 * job of its is quick again and none waits.
 *
 * The rule: a transaction has a job, as long as there is one.
 */
#include "store/line.h"

#include "base/fail.h"

#include <stdlib.h>

struct line_heavy {
    struct list in; /* of the turns, while it has jobs */
    int64_t account;
    struct line_jobs jobs;
};

static void put(struct line_jobs *jobs, struct job *job)
{
    if (jobs->first == NULL)
        jobs->end = &jobs->first;
    job->next = NULL;
    *jobs->end = job;
    jobs->end = &job->next;
}

static struct job *take(struct line_jobs *jobs)
{
    struct job *job = jobs->first;
    if (job != NULL)
        jobs->first = job->next;
    return job;
}

void line_init(struct line *line)
{
    *line = (struct line){ 0 };
    list_init(&line->turns);
}

void line_free(struct line *line)
{
    struct line_heavy *heavy;
    size_t at = 0;
    while ((heavy = map_each(&line->heavy, &at)) != NULL)
        free(heavy);
    map_free(&line->heavy);
}

bool line_empty(const struct line *line)
{
    return line->calls.first == NULL && line->engine.first == NULL && list_empty(&line->turns);
}

static void put_heavy(struct line *line, struct line_heavy *heavy, struct job *job)
{
    if (heavy->jobs.first == NULL)
        list_append(&line->turns, &heavy->in);
    put(&heavy->jobs, job);
}

void line_add(struct line *line, struct job *jobs)
{
    for (struct job *job = jobs, *next; job != NULL; job = next) {
        next = job->next;
        put(job->account != 0 ? &line->calls : &line->engine, job);
    }
}

/* Those of heavy accounts go to their own lines on the way. */
static struct job *take_call(struct line *line)
{
    struct job *job;
    while ((job = take(&line->calls)) != NULL) {
        struct line_heavy *heavy =
            line->heavy.count > 0 ? map_get(&line->heavy, job->account) : NULL;
        if (heavy == NULL)
            return job;
        put_heavy(line, heavy, job);
    }
    return NULL;
}

static struct job *take_heavy(struct line *line)
{
    struct list *first = list_first(&line->turns);
    if (first == NULL)
        return NULL;
    struct line_heavy *heavy = container_of(first, struct line_heavy, in);
    struct job *job = take(&heavy->jobs);
    list_remove(&heavy->in);
    if (heavy->jobs.first != NULL)
        list_append(&line->turns, &heavy->in);
    return job;
}

static struct job *take_light(struct line *line, int64_t spent_us)
{
    bool of_engine = spent_us >= LINE_BATCH_US / 2;
    struct job *job = of_engine ? take(&line->engine) : take_call(line);
    if (job == NULL)
        job = of_engine ? take_call(line) : take(&line->engine);
    return job;
}

static void weigh(struct line *line, int64_t took_us)
{
    if (line->last_account == 0)
        return;
    struct line_heavy *heavy = map_get(&line->heavy, line->last_account);
    if (took_us >= LINE_HEAVY_US && heavy == NULL) {
        heavy = must_alloc(sizeof(*heavy));
        heavy->account = line->last_account;
        list_init(&heavy->in);
        map_put(&line->heavy, heavy->account, heavy);
    } else if (took_us < LINE_HEAVY_US && heavy != NULL && heavy->jobs.first == NULL) {
        map_remove(&line->heavy, heavy->account);
        free(heavy);
    }
}

void line_begin(struct line *line, int64_t now_us)
{
    bool light = line->calls.first != NULL || line->engine.first != NULL;
    if (line->began_us != 0) /* the commit of the last one counts */
        line->owed_us += line->heavy_batch ? now_us - line->began_us : line->began_us - now_us;
    if (!light || line->owed_us < 0)
        line->owed_us = 0;
    line->heavy_batch = !list_empty(&line->turns) && line->owed_us == 0;
    line->count = 0;
    line->began_us = line->last_us = now_us;
    line->last_account = 0;
}

struct job *line_next(struct line *line, int64_t now_us)
{
    int64_t spent_us = now_us - line->began_us;
    struct job *job = NULL;
    weigh(line, now_us - line->last_us);
    line->last_account = 0;
    if (line->count == 0 && line->heavy_batch)
        job = take_heavy(line);
    else if (!line->heavy_batch && line->count < LINE_BATCH_MOST && spent_us < LINE_BATCH_US)
        job = take_light(line, spent_us);
    if (job == NULL && line->count == 0)
        job = take_heavy(line); /* what looked light was theirs */
    if (job == NULL)
        return NULL;
    job->next = NULL;
    line->count++;
    line->last_us = now_us;
    line->last_account = job->account;
    return job;
}
