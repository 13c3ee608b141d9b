/* held.c — a list in the order in which they came; few are looked for, and seldom, so it has no
 * index.  Its length is bounded by what a lane takes and by what is being recorded.
 */
#include "engine/held.h"

void held_init(struct held *held, size_t *total)
{
    *held = (struct held){ .total = total };
    list_init(&held->all);
}

void held_free(struct held *held)
{
    struct list *node;
    while ((node = list_first(&held->all)) != NULL)
        held_forget(held, container_of(node, struct postback, held));
}

void held_add(struct held *held, struct postback *postback)
{
    list_append(&held->all, &postback->held);
    list_init(&postback->in);
    list_init(&postback->fresh);
    held->count++;
    ++*held->total;
}

void held_forget(struct held *held, struct postback *postback)
{
    list_remove(&postback->in);
    list_remove(&postback->held);
    list_remove(&postback->fresh);
    held->count--;
    --*held->total;
    postback_free(postback);
}

struct postback *held_find(const struct held *held, int64_t id)
{
    for (struct list *node = held->all.next; node != &held->all; node = node->next) {
        struct postback *postback = container_of(node, struct postback, held);
        if (postback->id == id)
            return postback;
    }
    return NULL;
}

size_t held_ids(const struct held *held, int64_t *out)
{
    size_t count = 0;
    for (struct list *node = held->all.next; node != &held->all; node = node->next)
        out[count++] = container_of(node, struct postback, held)->id;
    return count;
}

int64_t held_lowest(const struct held *held, int64_t id)
{
    for (struct list *node = held->all.next; node != &held->all; node = node->next) {
        int64_t own = container_of(node, struct postback, held)->id;
        id = own < id ? own : id;
    }
    return id;
}

bool held_waiting(const struct held *held)
{
    for (struct list *node = held->all.next; node != &held->all; node = node->next) {
        if (container_of(node, struct postback, held)->waiting)
            return true;
    }
    return false;
}

bool held_from(const struct held *held, int64_t id)
{
    for (struct list *node = held->all.prev; node != &held->all; node = node->prev) {
        if (container_of(node, struct postback, held)->id >= id)
            return true;
    }
    return false;
}

int64_t held_oldest(const struct held *held, int64_t due_at)
{
    for (struct list *node = held->all.next; node != &held->all; node = node->next) {
        int64_t own = container_of(node, struct postback, held)->due_at;
        due_at = due_at == -1 || own < due_at ? own : due_at;
    }
    return due_at;
}
