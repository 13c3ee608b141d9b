/* queue.c — a list of jobs under a mutex and a condition.
 *
 * `end` points at the link that the next job goes into.  The lock is held for a few instructions,
 * never while a job runs.
 */
#include "db/queue.h"

#include "base/condition.h"

#include <errno.h>

void queue_init(struct queue *queue)
{
    *queue = (struct queue){ 0 };
    queue->end = &queue->first;
    pthread_mutex_init(&queue->lock, NULL);
    condition_init(&queue->more);
}

void queue_destroy(struct queue *queue)
{
    pthread_cond_destroy(&queue->more);
    pthread_mutex_destroy(&queue->lock);
}

void queue_put(struct queue *queue, struct job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&queue->lock);
    *queue->end = job;
    queue->end = &job->next;
    if (queue->sleeping > 0)
        pthread_cond_signal(&queue->more);
    pthread_mutex_unlock(&queue->lock);
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->more);
    pthread_mutex_unlock(&queue->lock);
}

void queue_hurry(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->hurried = true;
    pthread_cond_broadcast(&queue->more);
    pthread_mutex_unlock(&queue->lock);
}

bool queue_rest(struct queue *queue, int ms)
{
    struct timespec until = condition_in(ms);
    int code = 0;
    pthread_mutex_lock(&queue->lock);
    while (!queue->hurried && !queue->closed && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&queue->more, &queue->lock, &until);
    bool rested = !queue->hurried && !queue->closed;
    pthread_mutex_unlock(&queue->lock);
    return rested;
}

void queue_poke(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->poked = true;
    pthread_cond_broadcast(&queue->more);
    pthread_mutex_unlock(&queue->lock);
}

/* Under the lock. */
static void await(struct queue *queue, int timeout_ms)
{
    if (timeout_ms == 0)
        return;
    struct timespec until = condition_in(timeout_ms);
    int code = 0;
    queue->sleeping++;
    while (queue->first == NULL && !queue->closed && !queue->poked && code != ETIMEDOUT)
        code = timeout_ms < 0 ? pthread_cond_wait(&queue->more, &queue->lock)
                              : pthread_cond_timedwait(&queue->more, &queue->lock, &until);
    queue->sleeping--;
}

struct job *queue_take_all(struct queue *queue, int timeout_ms, bool *closed)
{
    pthread_mutex_lock(&queue->lock);
    await(queue, timeout_ms);
    struct job *jobs = queue->first;
    queue->first = NULL;
    queue->end = &queue->first;
    queue->poked = false;
    *closed = queue->closed;
    pthread_mutex_unlock(&queue->lock);
    return jobs;
}
