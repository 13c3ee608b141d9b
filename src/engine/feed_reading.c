/* feed_reading.c — the job that reads, and the turns in which feeds may.
 *
 * What a read finds is in memory before a lane takes it, so few of them are under way at once.
 */
#include "engine/feed_reading.h"

#include "base/clock.h"
#include "store/postbacks.h"

#include <stdlib.h>

enum {
    READS_AT_ONCE = 8,
    READ_MOST = 192,
    READ_SLOW_MS = 5000, /* less than it takes a fresh one to become WAITING where it is queued */
};

struct reading_job {
    struct service_job job;
    int64_t now_ms, next_due;
    size_t limit;
    bool probing, ordered;
    int64_t from; /* Ordered */
    unsigned round;
    struct list found;
    size_t skip_count;
    int64_t skip[];
};

void readings_init(struct readings *readings, struct work *work)
{
    *readings = (struct readings){ .work = work };
}

void readings_free(struct readings *readings)
{
    turns_free(&readings->wanting);
}

void reading_free(struct reading *reading)
{
    turns_remove(&reading->readings->wanting, &reading->want);
}

static void drop_found(struct list *found)
{
    struct list *node;
    while ((node = list_first(found)) != NULL) {
        list_remove(node);
        postback_free(container_of(node, struct postback, in));
    }
}

static bool reading_run(struct job *job, struct db *db)
{
    struct reading_job *read = (struct reading_job *)job;
    if (read->ordered)
        postback_due_in_order(db, read->job.notification, read->now_ms, read->probing, &read->from,
                              read->limit, &read->found, &read->next_due);
    else
        postback_due(db, read->job.notification, read->now_ms, read->probing, read->skip,
                     read->skip_count, read->limit, &read->found, &read->next_due);
    return true;
}

/* Only a slow read can have found one that is held. */
static void drop_held(const struct reading *reading, struct list *found)
{
    for (struct list *node = found->next, *next; node != found; node = next) {
        struct postback *postback = container_of(node, struct postback, in);
        next = node->next;
        if (held_find(reading->held, postback->id) == NULL)
            continue;
        list_remove(node);
        postback_free(postback);
    }
}

static void take_turns(struct readings *readings);

static void reading_done(struct job *job, bool ok)
{
    struct reading_job *read = (struct reading_job *)job;
    struct reading *reading = work_done(job);
    struct readings *readings = reading->readings;
    struct reading_found found = { .ok = ok,
                                   .again = reading->again,
                                   .stale = read->round != reading->round,
                                   .all = &read->found,
                                   .next_due = read->next_due,
                                   .from = read->from };
    readings->under_way--;
    reading->under_way = reading->again = false;
    if (found.stale)
        drop_found(&read->found);
    else if (clock_due_ms() - read->now_ms >= READ_SLOW_MS)
        drop_held(reading, &read->found);
    reading->ended(reading->context, &found);
    free(read);
    take_turns(readings);
}

static void reading_begin(struct reading *reading, const struct reading_wish *wish)
{
    struct readings *readings = reading->readings;
    size_t skip_bytes = reading->held->count * sizeof(int64_t);
    struct reading_job *job =
        work_add(readings->work, reading, sizeof(*job) + skip_bytes, reading_run, reading_done);
    job->job.notification = reading->notification;
    job->now_ms = clock_due_ms();
    job->next_due = -1;
    job->limit = wish->limit < READ_MOST ? wish->limit : READ_MOST;
    job->probing = wish->probing;
    job->ordered = reading->ordered;
    job->from = reading->from;
    job->round = reading->round;
    list_init(&job->found);
    job->skip_count = held_ids(reading->held, job->skip);
    reading->under_way = true;
    readings->under_way++;
    reading->began(reading->context);
    work_read(&job->job);
}

static bool may_read(struct reading *reading, struct reading_wish *wish)
{
    *wish = (struct reading_wish){ 0 };
    if (!reading->under_way)
        return reading->may(reading->context, wish);
    reading->again = true;
    return false;
}

void reading_ask(struct reading *reading)
{
    struct readings *readings = reading->readings;
    struct reading_wish wish;
    if (!may_read(reading, &wish))
        return;
    if (readings->under_way < READS_AT_ONCE && turns_empty(&readings->wanting))
        reading_begin(reading, &wish);
    else
        turns_add(&readings->wanting, &reading->want, wish.account);
}

/* A read has ended: whose turn it is may. */
static void take_turns(struct readings *readings)
{
    struct heap_node *first;
    while (readings->under_way < READS_AT_ONCE &&
           (first = turns_take(&readings->wanting)) != NULL) {
        struct reading *reading = container_of(first, struct reading, want);
        struct reading_wish wish;
        if (may_read(reading, &wish))
            reading_begin(reading, &wish);
    }
}

void reading_call_off(struct reading *reading)
{
    reading->round++;
}
