/* turns.c — a heap of waiters by their turns; the groups' latest ones while anybody waits. */
#include "base/turns.h"

void turns_add(struct turns *turns, struct heap_node *waiter, int64_t group)
{
    if (waiter->place != 0)
        return;
    int64_t last = (intptr_t)map_get(&turns->latest, group);
    int64_t turn = 1 + (last > turns->turn ? last : turns->turn);
    map_put(&turns->latest, group, (void *)(intptr_t)turn);
    heap_put(&turns->waiting, waiter, turn);
}

bool turns_empty(const struct turns *turns)
{
    return heap_min(&turns->waiting) == NULL;
}

void turns_remove(struct turns *turns, struct heap_node *waiter)
{
    heap_remove(&turns->waiting, waiter);
    if (turns_empty(turns))
        map_free(&turns->latest);
}

struct heap_node *turns_take(struct turns *turns)
{
    struct heap_node *first = heap_min(&turns->waiting);
    if (first == NULL)
        return NULL;
    turns->turn = first->key;
    turns_remove(turns, first);
    return first;
}

void turns_free(struct turns *turns)
{
    heap_free(&turns->waiting);
    map_free(&turns->latest);
}
