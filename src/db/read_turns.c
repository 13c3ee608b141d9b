/* read_turns.c — a record for each account with reads, in the turns while one of its may run.
 *
 * The rule: an account stands in the turns exactly while a read of its waits and fewer than
 * `at_once` are being run.
 */
#include "db/read_turns.h"

#include "base/fail.h"
#include "base/list.h"

#include <stdlib.h>

struct reading {
    struct heap_node in; /* of the turns */
    int64_t account;
    struct job *first, **end;
    size_t waiting, running;
};

void read_turns_init(struct read_turns *turns, const struct read_limits *limits)
{
    *turns = (struct read_turns){ .limits = limits };
}

void read_turns_free(struct read_turns *turns)
{
    if (turns->accounts.count > 0)
        bug("reads are left");
    map_free(&turns->accounts);
    turns_free(&turns->turns);
}

static struct reading *reading_of(struct read_turns *turns, int64_t account)
{
    struct reading *reading = map_get(&turns->accounts, account);
    if (reading == NULL) {
        reading = must_alloc(sizeof(*reading));
        reading->account = account;
        reading->end = &reading->first;
        map_put(&turns->accounts, account, reading);
    }
    return reading;
}

static void line_up(struct read_turns *turns, struct reading *reading)
{
    if (reading->waiting > 0 && reading->running < turns->limits->at_once)
        turns_add(&turns->turns, &reading->in, reading->account);
}

bool read_turns_add(struct read_turns *turns, struct job *job)
{
    const struct reading *known = map_get(&turns->accounts, job->account);
    if (known != NULL && known->waiting >= turns->limits->account_most) {
        error_set(&job->error, ERROR_TOO_MANY,
                  "%zu reads of this account wait already; try again later", known->waiting);
        return false;
    }
    if (turns->waiting >= turns->limits->all_most) {
        error_set(&job->error, ERROR_UNAVAILABLE,
                  "more is asked for than can be read just now; try again later");
        return false;
    }
    struct reading *reading = reading_of(turns, job->account);
    job->next = NULL;
    *reading->end = job;
    reading->end = &job->next;
    reading->waiting++;
    turns->waiting++;
    line_up(turns, reading);
    return true;
}

struct job *read_turns_take(struct read_turns *turns)
{
    struct heap_node *first = turns_take(&turns->turns);
    if (first == NULL)
        return NULL;
    struct reading *reading = container_of(first, struct reading, in);
    struct job *job = reading->first;
    reading->first = job->next;
    if (reading->first == NULL)
        reading->end = &reading->first;
    job->next = NULL;
    reading->waiting--;
    reading->running++;
    turns->waiting--;
    line_up(turns, reading);
    return job;
}

void read_turns_end(struct read_turns *turns, int64_t account)
{
    struct reading *reading = map_get(&turns->accounts, account);
    if (reading == NULL || reading->running == 0)
        bug("a read ended that was not begun");
    reading->running--;
    line_up(turns, reading);
    if (reading->waiting + reading->running > 0)
        return;
    map_remove(&turns->accounts, account);
    free(reading);
}
