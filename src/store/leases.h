/* leases.h — how long a node is one, and which parts of the work it has.
 *
 * A node's lease is its row's until_at; whatever it has of the table lease it has as long as that.
 * All times are the database's (db_clock()).
 */
#ifndef POSTBACKD_LEASES_H
#define POSTBACKD_LEASES_H

#include "model/shares.h"
#include "store/nodes.h"

enum {
    LEASE_MS = 10000,
    LEASE_PACE_MS = 1000, /* whoever had a part before may have sent a second's worth just now */
    LEASE_DEAD_MOST = 16, /* of those whose lease is over, told at a time */
};

struct renewal {
    struct db_guard guard;           /* as it joined */
    char address[NODE_ADDRESS_MOST]; /* where it listens */
    int64_t now;                     /* the database's clock, asked for in this transaction */
    int64_t clock_ahead;             /* of its own, ms */
    int64_t deadline_ms;             /* of its requests */
    bool leaving[SHARES_PARTS];      /* it works on them no more … */
    bool give[SHARES_PARTS]; /* … and nothing of these is under way: they are given back */

    /* what was found */
    bool stands; /* false: another one has taken its place, and nothing was written */
    bool draining;
    char name[NODE_NAME_MOST];
    bool has[SHARES_PARTS];          /* after this; also those that are leaving */
    int64_t strict_at[SHARES_PARTS]; /* of those */
    bool surplus[SHARES_PARTS];      /* of those: others should have them */
    int live;                        /* nodes, with this one */
    struct dead_node {
        int64_t number, epoch;
    } dead[LEASE_DEAD_MOST];
    size_t dead_count;
};
/* Moves the end of the lease, gives back and takes what it should.  By itself (store_aside()), and
 * again as often as one likes. */
void lease_renew(struct db *db, struct renewal *renewal);

/* Another node's lease is over: its place is taken, which none of its commits survives; what was
 * fresh there waits, its parts are free, and the operator is told.  False: it is not so (any more),
 * and nothing was written. */
bool lease_take_over(struct db *db, const struct dead_node *dead, int64_t now);

/* This node ends: its parts and its number are free, and what was fresh here waits.  It is the last
 * thing that is written (store_seal()); `guard` is as it joined. */
void lease_give_back(struct db *db, const struct db_guard *guard, int64_t now);

#endif
