/* id.c — time-ordered ids.
 *
 * `last` holds the newest id given.  The next is the greater of "now with sequence 0" and "last
 * with its sequence one up", so a clock that stands still or goes back only uses up sequence
 * numbers, which carry into the millisecond.  A row of ids is of one millisecond, so that they
 * follow each other whatever other nodes draw.
 */
#include "base/id.h"

#include "base/fail.h"
#include "base/text.h"

enum { NODE_BITS = 10, SEQUENCE_BITS = 12 };

static const int64_t epoch_ms = 1577836800000; /* 2020-01-01 UTC */
static const int64_t sequence_mask = (1 << SEQUENCE_BITS) - 1;
static const int64_t last_stamp = ((int64_t)1 << (63 - NODE_BITS - SEQUENCE_BITS)) - 1;

static int64_t compose(int64_t stamp, int node, int64_t sequence)
{
    return stamp << (NODE_BITS + SEQUENCE_BITS) | (int64_t)node << SEQUENCE_BITS | sequence;
}

/* Behind the last one are negative numbers, and ids that were there before. */
static int64_t checked(int64_t stamp, int node, int64_t sequence)
{
    if (stamp > last_stamp)
        die("there are no more ids: the clock was at or behind 2089");
    return compose(stamp, node, sequence);
}

static int64_t after(int64_t last, int node)
{
    int64_t stamp = last >> (NODE_BITS + SEQUENCE_BITS);
    int64_t sequence = (last & sequence_mask) + 1;
    if (sequence > sequence_mask) {
        stamp++;
        sequence = 0;
    }
    int64_t id = checked(stamp, node, sequence);
    return id > last ? id : checked(stamp + 1, node, 0); /* the last was of a higher node */
}

int64_t id_next_row(struct id_source *source, int64_t now_ms, int count)
{
    int64_t fresh = id_first_at(now_ms) | (int64_t)source->node << SEQUENCE_BITS;
    int64_t last = atomic_load_explicit(&source->last, memory_order_relaxed);
    int64_t id;
    do {
        id = last != 0 ? after(last, source->node) : fresh;
        if (fresh > id)
            id = fresh;
        if ((id & sequence_mask) + count - 1 > sequence_mask)
            id = checked((id >> (NODE_BITS + SEQUENCE_BITS)) + 1, source->node, 0);
    } while (!atomic_compare_exchange_weak_explicit(&source->last, &last, id + count - 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return id;
}

int64_t id_next(struct id_source *source, int64_t now_ms)
{
    return id_next_row(source, now_ms, 1);
}

void id_seen(struct id_source *source, int64_t id)
{
    int64_t last = atomic_load_explicit(&source->last, memory_order_relaxed);
    while (last < id && !atomic_compare_exchange_weak_explicit(
                            &source->last, &last, id, memory_order_relaxed, memory_order_relaxed))
        ;
}

int64_t id_time_ms(int64_t id)
{
    return (id >> (NODE_BITS + SEQUENCE_BITS)) + epoch_ms;
}

int id_node(int64_t id)
{
    return (int)(id >> SEQUENCE_BITS) & ((1 << NODE_BITS) - 1);
}

int64_t id_last_ms(void)
{
    return epoch_ms + last_stamp;
}

int64_t id_first_at(int64_t ms)
{
    if (ms <= epoch_ms)
        return 0;
    return compose(ms - epoch_ms < last_stamp ? ms - epoch_ms : last_stamp, 0, 0);
}

bool id_parse(const char *text, int64_t *id)
{
    if (text[0] < '0' || text[0] > '9')
        return false;
    return text_int(text, 0, INT64_MAX, id);
}
