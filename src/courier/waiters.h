/* waiters.h — who waits for a connection to one destination: accounts in turn, each its oldest.
 *
 * So an account with ten thousand requests for a receiver that many share gets no more turns there
 * than an account with one.
 */
#ifndef POSTBACKD_WAITERS_H
#define POSTBACKD_WAITERS_H

#include "base/list.h"
#include "base/map.h"

struct line; /* one account's */

struct waiter {
    struct list node;  /* list_init() first */
    struct line *line; /* NULL: not in one */
};

struct waiters {
    struct list first; /* before all, whatever their account */
    struct list turns; /* lines, the next one first */
    struct map lines;  /* by account */
};

void waiters_start(struct waiters *waiters);
void waiters_end(struct waiters *waiters); /* nobody may wait */
bool waiters_empty(const struct waiters *waiters);
void waiters_add(struct waiters *waiters, int64_t account, struct waiter *waiter);
void waiters_add_first(struct waiters *waiters, struct waiter *waiter);
/* Who is next; stays where it is. */
struct waiter *waiters_next(const struct waiters *waiters);
/* It was served: the next one is another account's, if any waits. */
void waiters_served(struct waiters *waiters, struct waiter *waiter);
/* It waits no more; nothing when it does not wait. */
void waiters_forget(struct waiters *waiters, struct waiter *waiter);

#endif
