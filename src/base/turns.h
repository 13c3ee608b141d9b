/* turns.h — who waits for something, in the order in which groups take turns.
 *
 * Each group's next waiter comes behind its last one and behind the turn that has come, so a group
 * with thousands of waiters holds up another's first one by a turn.
 */
#ifndef POSTBACKD_TURNS_H
#define POSTBACKD_TURNS_H

#include "base/heap.h"
#include "base/map.h"

struct turns { /* all zeroes is empty */
    struct heap waiting;
    struct map latest; /* group → its latest turn */
    int64_t turn;      /* the one that has come */
};

void turns_add(struct turns *turns, struct heap_node *waiter, int64_t group); /* keeps its place */
struct heap_node *turns_take(struct turns *turns);                /* NULL: nobody waits */
void turns_remove(struct turns *turns, struct heap_node *waiter); /* nothing if it does not wait */
bool turns_empty(const struct turns *turns);
void turns_free(struct turns *turns);

#endif
