/* shares.c — the shares of all nodes add up to all buckets, so that one has too few exactly when
 * another has too many or some are free.
 *
 * The rule: a share depends on the nodes alone, never on who has what just now; so all come to rest
 * as soon as they see the same nodes.
 */
#include "model/shares.h"

#include <string.h>

static bool all_drain(const struct share_node *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!nodes[i].draining)
            return false;
    }
    return true;
}

int share_of(const struct share_node *nodes, size_t count, int64_t self, int buckets)
{
    bool all = all_drain(nodes, count), is_there = false;
    int sharers = 0, before = 0;

    for (size_t i = 0; i < count; i++) {
        if (nodes[i].draining && !all)
            continue;
        sharers++;
        before += nodes[i].number < self;
        is_there = is_there || nodes[i].number == self;
    }
    return is_there ? buckets / sharers + (before < buckets % sharers) : 0;
}

static int count_buckets(const bool has[])
{
    int count = 0;
    for (int bucket = 0; bucket < SHARES_BUCKETS; bucket++)
        count += has[bucket];
    return count;
}

static bool may_have(const struct share_node *nodes, size_t count, int64_t self)
{
    return share_of(nodes, count, self, (int)count) > 0;
}

void shares_take(const struct share_node *nodes, size_t count, int64_t self, const bool has[],
                 const bool is_free[], bool taken[])
{
    int lacks = share_of(nodes, count, self, SHARES_BUCKETS) - count_buckets(has);
    int from = (int)(self * 97 % SHARES_BUCKETS);

    memset(taken, 0, SHARES_PARTS * sizeof(*taken));
    for (int i = 0; i < SHARES_BUCKETS && lacks > 0; i++) {
        int bucket = (from + i) % SHARES_BUCKETS;
        taken[bucket] = is_free[bucket];
        lacks -= is_free[bucket];
    }
    taken[SHARES_DUTY] = is_free[SHARES_DUTY] && may_have(nodes, count, self);
}

void shares_give(const struct share_node *nodes, size_t count, int64_t self, const bool has[],
                 bool given[])
{
    int surplus = count_buckets(has) - share_of(nodes, count, self, SHARES_BUCKETS);

    memset(given, 0, SHARES_PARTS * sizeof(*given));
    for (int bucket = SHARES_BUCKETS - 1; bucket >= 0 && surplus > 0; bucket--) {
        given[bucket] = has[bucket];
        surplus -= has[bucket];
    }
    given[SHARES_DUTY] = has[SHARES_DUTY] && !may_have(nodes, count, self);
}
