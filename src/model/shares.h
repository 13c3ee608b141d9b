/* shares.h — how much of the work is a node's: fair shares of the buckets among those that are
 * alive, worked out by each for itself from the same rows.  Pure.
 */
#ifndef POSTBACKD_SHARES_H
#define POSTBACKD_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHARES_BUCKETS = 256,
    SHARES_DUTY = SHARES_BUCKETS, /* one more part: what is done once for all */
    SHARES_PARTS,
};

/* A node that is alive. */
struct share_node {
    int64_t number;
    bool draining; /* it is to have nothing */
};

/* Of `buckets` that node `self` should have.  Nodes that drain have none, unless all do; those with
 * the lowest numbers have one more when it does not come out even.  `nodes` in order of number. */
int share_of(const struct share_node *nodes, size_t count, int64_t self, int buckets);

/* Which of the free parts it takes: taken[part].  `has` are its own, without those that it is about
 * to give.  Different nodes begin at different places. */
void shares_take(const struct share_node *nodes, size_t count, int64_t self, const bool has[],
                 const bool is_free[], bool taken[]);
/* Which of its own it gives away: given[part].  What it gives others have too few of. */
void shares_give(const struct share_node *nodes, size_t count, int64_t self, const bool has[],
                 bool given[]);

#endif
