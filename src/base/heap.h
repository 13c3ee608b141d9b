/* heap.h — a binary min-heap of int64 keys that knows where each element stands.
 *
 * The element carries a struct heap_node, so any of them is moved or removed in O(log n) without
 * a search.  The heap owns only its array of pointers.
 */
#ifndef POSTBACKD_HEAP_H
#define POSTBACKD_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;
    size_t place; /* 1-based; 0: in no heap */
};

struct heap { /* all zeroes is empty */
    struct heap_node **nodes;
    size_t count, cap;
};

void heap_put(struct heap *heap, struct heap_node *node, int64_t key); /* inserts, or moves */
void heap_remove(struct heap *heap, struct heap_node *node);           /* nothing if not in it */
struct heap_node *heap_min(const struct heap *heap);                   /* NULL when empty */
void heap_free(struct heap *heap);

#endif
