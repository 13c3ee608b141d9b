/* line.c — three lines, and turns.
 *
 * How long a job takes is known when the next one is asked for.  An account stays heavy until a
 * job of its is quick again and none waits.
 *
 * The rule: a transaction has a job, as long as there is one.
 */
#include "db/line.h"

#include "base/fail.h"

#include <stdlib.h>

struct line_heavy {
    struct list in; /* of the turns, while it has jobs or steps to take */
    int64_t account;
    struct line_jobs jobs;
    bool fans_out;
    int steps;       /* in a row */
    struct job step; /* the line's own */
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

void line_init(struct line *line, bool (*step)(struct job *job, struct db *db))
{
    *line = (struct line){ .step = step };
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

static struct line_heavy *heavy_of(const struct list *turn)
{
    return container_of(turn, struct line_heavy, in);
}

bool line_empty(const struct line *line)
{
    if (line->calls.first != NULL || line->engine.first != NULL)
        return false;
    for (const struct list *at = line->turns.next; at != &line->turns; at = at->next) {
        if (heavy_of(at)->jobs.first != NULL)
            return false;
    }
    return true;
}

bool line_fans_out(const struct line *line)
{
    for (const struct list *at = line->turns.next; at != &line->turns; at = at->next) {
        if (heavy_of(at)->fans_out)
            return true;
    }
    return false;
}

static struct line_heavy *heavy_for(struct line *line, int64_t account)
{
    struct line_heavy *heavy = map_get(&line->heavy, account);
    if (heavy == NULL) {
        heavy = must_alloc(sizeof(*heavy));
        heavy->account = account;
        list_init(&heavy->in);
        map_put(&line->heavy, account, heavy);
    }
    return heavy;
}

/* Has it a turn to wait for? */
static void line_up(struct line *line, struct line_heavy *heavy)
{
    bool wants = heavy->fans_out || heavy->jobs.first != NULL;
    if (!wants)
        list_remove(&heavy->in);
    else if (list_empty(&heavy->in))
        list_append(&line->turns, &heavy->in);
}

static void put_heavy(struct line *line, struct line_heavy *heavy, struct job *job)
{
    put(&heavy->jobs, job);
    line_up(line, heavy);
}

/* Who goes on to fan out keeps the place that it has. */
void line_fan_outs(struct line *line, const int64_t *accounts, size_t count)
{
    for (struct list *at = line->turns.next; at != &line->turns; at = at->next)
        heavy_of(at)->fans_out = false;
    for (size_t i = 0; i < count; i++) {
        struct line_heavy *heavy = heavy_for(line, accounts[i]);
        heavy->fans_out = true;
        line_up(line, heavy);
    }
    for (struct list *at = line->turns.next, *next; at != &line->turns; at = next) {
        next = at->next;
        line_up(line, heavy_of(at));
    }
}

static struct job *step_of(const struct line *line, struct line_heavy *heavy)
{
    heavy->step = (struct job){ .run = line->step, .account = heavy->account, .sure = true };
    return &heavy->step;
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
    for (struct list *at = line->turns.next; at != &line->turns; at = at->next) {
        struct line_heavy *heavy = heavy_of(at);
        bool steps = heavy->fans_out && !line->no_steps &&
                     (heavy->steps < LINE_STEPS_MOST || heavy->jobs.first == NULL);
        struct job *job = steps ? step_of(line, heavy) : take(&heavy->jobs);
        if (job == NULL)
            continue;
        heavy->steps = steps ? heavy->steps + 1 : 0;
        list_remove(&heavy->in);
        line_up(line, heavy);
        return job;
    }
    return NULL;
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
    if (took_us >= LINE_HEAVY_US) {
        heavy_for(line, line->last_account);
    } else if (heavy != NULL && !heavy->fans_out && heavy->jobs.first == NULL) {
        map_remove(&line->heavy, heavy->account);
        free(heavy);
    }
}

void line_begin(struct line *line, int64_t now_us, bool steps)
{
    bool light = line->calls.first != NULL || line->engine.first != NULL;
    if (line->began_us != 0) /* the commit of the last one counts */
        line->owed_us += line->heavy_batch ? now_us - line->began_us : line->began_us - now_us;
    if (!light || line->owed_us < 0)
        line->owed_us = 0;
    line->no_steps = !steps;
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
        line->heavy_batch = (job = take_heavy(line)) != NULL; /* there may be steps alone */
    if (!line->heavy_batch && line->count < LINE_BATCH_MOST && spent_us < LINE_BATCH_US)
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
