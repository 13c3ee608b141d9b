/* heap.c — a binary min-heap in an array, 1-based through nodes[place - 1].
 *
 * The rule: nodes[node->place - 1] == node, and no key is under its parent's.
 */
#include "base/heap.h"

#include "base/fail.h"

#include <stdlib.h>

static void settle(struct heap *heap, struct heap_node *node, size_t place)
{
    heap->nodes[place - 1] = node;
    node->place = place;
}

static void rise(struct heap *heap, struct heap_node *node)
{
    size_t place = node->place;
    while (place > 1 && heap->nodes[place / 2 - 1]->key > node->key) {
        settle(heap, heap->nodes[place / 2 - 1], place);
        place /= 2;
    }
    settle(heap, node, place);
}

static void sink(struct heap *heap, struct heap_node *node)
{
    size_t place = node->place;
    for (;;) {
        size_t child = place * 2;
        if (child > heap->count)
            break;
        if (child < heap->count && heap->nodes[child]->key < heap->nodes[child - 1]->key)
            child++;
        if (heap->nodes[child - 1]->key >= node->key)
            break;
        settle(heap, heap->nodes[child - 1], place);
        place = child;
    }
    settle(heap, node, place);
}

void heap_put(struct heap *heap, struct heap_node *node, int64_t key)
{
    if (node->place == 0) {
        if (heap->count == heap->cap) {
            heap->cap = heap->cap != 0 ? heap->cap * 2 : 16;
            heap->nodes = must_resize(heap->nodes, heap->cap * sizeof(*heap->nodes));
        }
        node->key = key;
        settle(heap, node, ++heap->count);
        rise(heap, node);
        return;
    }
    int64_t old = node->key;
    node->key = key;
    if (key < old)
        rise(heap, node);
    else
        sink(heap, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (node->place == 0)
        return;
    size_t place = node->place;
    node->place = 0;
    struct heap_node *last = heap->nodes[--heap->count];
    if (last == node)
        return;
    settle(heap, last, place);
    if (last->key < node->key)
        rise(heap, last);
    else
        sink(heap, last);
}

struct heap_node *heap_min(const struct heap *heap)
{
    return heap->count != 0 ? heap->nodes[0] : NULL;
}

void heap_free(struct heap *heap)
{
    free(heap->nodes);
    *heap = (struct heap){ 0 };
}
