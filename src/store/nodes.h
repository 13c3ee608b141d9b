/* nodes.h — the servers that share a database, and who of them does what.
 *
 * A node has a number, which is in its ids; an epoch, which whoever takes its place raises; and a
 * lease, which ends unless it is renewed.  All that is to be done is in parts
 * (engine/membership.h), each of which one node has, or nobody.  All times are the database's
 * (db_clock()).
 */
#ifndef POSTBACKD_NODES_H
#define POSTBACKD_NODES_H

#include "db/db.h"

enum {
    NODE_PARTS = 257,  /* 256 buckets, and what is done once for all */
    NODES_MOST = 1024, /* numbers */
    NODE_LEASE_MS = 10000,
    NODE_ADDRESS_MOST = 80,
    NODE_START_MS = 30000, /* the first lease: a start may take long, and has no part yet */
};

/* This process becomes one of those that share the database, under the number that its instance has
 * had before, or another free one.  It is called `name`, or name-2, … when another live one is.  In
 * a transaction that may be run again; false with *error: there is no number left. */
bool node_join(struct db *db, const char *instance, const char *name, int64_t now,
               struct db_guard *out, struct error *error);

struct node_renewal {
    struct db_guard guard;           /* as it joined */
    char address[NODE_ADDRESS_MOST]; /* where it listens */
    int64_t now;                     /* the database's clock, asked for in this transaction */
    int64_t clock_offset;            /* that less its own, ms */
    int64_t deadline_ms;             /* of its requests */
    bool take;                       /* free parts, as it has not too many */

    /* what was found */
    bool stands; /* false: another one has taken its place, and nothing was written */
    bool draining;
    bool has[NODE_PARTS];
    int64_t strict_at[NODE_PARTS];
};
void node_renew(struct db *db, struct node_renewal *renewal);

/* Gives back its parts and its number: its lease is over. */
void node_leave(struct db *db, const struct db_guard *guard);

#endif
