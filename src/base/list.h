/* list.h — a doubly linked list through a node inside the element. */
#ifndef POSTBACKD_LIST_H
#define POSTBACKD_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list { /* the head is a node too; set up with list_init() */
    struct list *next, *prev;
};

#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_prepend(struct list *head, struct list *node)
{
    list_append(head->next, node);
}

/* In one step, however many; `from` is empty then. */
static inline void list_append_all(struct list *head, struct list *from)
{
    if (from->next == from)
        return;
    from->next->prev = head->prev;
    head->prev->next = from->next;
    from->prev->next = head;
    head->prev = from->prev;
    list_init(from);
}

/* Leaves the node as an empty list, so that removing twice is harmless. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = node;
}

static inline struct list *list_first(const struct list *head)
{
    return head->next == head ? NULL : head->next;
}

#endif
