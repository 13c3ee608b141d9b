/* waiters.c — a ring of accounts, each with its line of waiters, oldest first.
 *
 * A line lives while somebody stands in it.  Who was served takes its account's line to the end of
 * the ring; who gave up does not, since its account has had nothing.
 *
 * The rule: a line that is in the ring has a waiter.
 */
#include "courier/waiters.h"

#include "base/fail.h"

#include <stdlib.h>

struct line {
    int64_t account;
    struct list turn; /* in waiters->turns */
    struct list waiting;
};

void waiters_start(struct waiters *waiters)
{
    *waiters = (struct waiters){ 0 };
    list_init(&waiters->first);
    list_init(&waiters->turns);
}

void waiters_end(struct waiters *waiters)
{
    if (!waiters_empty(waiters))
        bug("somebody still waits for a connection");
    map_free(&waiters->lines);
}

bool waiters_empty(const struct waiters *waiters)
{
    return list_empty(&waiters->first) && list_empty(&waiters->turns);
}

void waiters_add(struct waiters *waiters, int64_t account, struct waiter *waiter)
{
    struct line *line = map_get(&waiters->lines, account);
    if (line == NULL) {
        line = must_alloc(sizeof(*line));
        line->account = account;
        list_init(&line->waiting);
        list_append(&waiters->turns, &line->turn);
        map_put(&waiters->lines, account, line);
    }
    waiter->line = line;
    list_append(&line->waiting, &waiter->node);
}

void waiters_add_first(struct waiters *waiters, struct waiter *waiter)
{
    waiter->line = NULL;
    list_prepend(&waiters->first, &waiter->node);
}

struct waiter *waiters_next(const struct waiters *waiters)
{
    struct list *at = list_first(&waiters->first);
    if (at == NULL && (at = list_first(&waiters->turns)) != NULL)
        at = list_first(&container_of(at, struct line, turn)->waiting);
    return at != NULL ? container_of(at, struct waiter, node) : NULL;
}

static void leave(struct waiters *waiters, struct waiter *waiter, bool served)
{
    struct line *line = waiter->line;
    list_remove(&waiter->node);
    waiter->line = NULL;
    if (line == NULL)
        return;
    if (list_empty(&line->waiting)) {
        list_remove(&line->turn);
        map_remove(&waiters->lines, line->account);
        free(line);
    } else if (served) {
        list_remove(&line->turn);
        list_append(&waiters->turns, &line->turn);
    }
}

void waiters_served(struct waiters *waiters, struct waiter *waiter)
{
    leave(waiters, waiter, true);
}

void waiters_forget(struct waiters *waiters, struct waiter *waiter)
{
    leave(waiters, waiter, false);
}
