/* queue.h — jobs on their way from the loop to the writer.
 *
 * A linked list under a mutex.  The thread is woken only when it sleeps, so that a burst of jobs
 * costs one wake-up.  It has no cap of its own: whoever gives jobs asks store_writes_waiting().
 */
#ifndef POSTBACKD_QUEUE_H
#define POSTBACKD_QUEUE_H

#include "db/store.h"

#include <pthread.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct job *first, **end;
    int sleeping; /* threads in queue_take_all() */
    bool closed, hurried, poked;
};

void queue_init(struct queue *queue);
void queue_destroy(struct queue *queue);
void queue_put(struct queue *queue, struct job *job);
/* Takers get what is left, then *closed. */
void queue_close(struct queue *queue);

/* queue_rest() rests no more: the end is near. */
void queue_hurry(struct queue *queue);
/* Does nothing for so long, whatever is put; false: it was hurried or closed. */
bool queue_rest(struct queue *queue, int ms);

/* queue_take_all() waits no longer, this once. */
void queue_poke(struct queue *queue);

/* Waits for jobs, at most timeout_ms (-1: for ever, 0: not at all).  All of them in order, linked
 * by next; NULL when the time is over or the queue is closed and empty. */
struct job *queue_take_all(struct queue *queue, int timeout_ms, bool *closed);

#endif
