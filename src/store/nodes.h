/* nodes.h — the servers that share a database.
 *
 * A node has a number, which is in its ids; an epoch, which whoever takes its place raises; and a
 * lease (leases.h).  All times are the database's (db_clock()).
 */
#ifndef POSTBACKD_NODES_H
#define POSTBACKD_NODES_H

#include "base/id.h"
#include "db/db.h"

#include <jansson.h>

enum {
    NODES_MOST = ID_NODES, /* numbers */
    NODE_NAME_MOST = 80,
    NODE_ADDRESS_MOST = 80,
    NODE_START_MS = 30000, /* the first lease: a start may take long, and has no part yet */
};

/* This process becomes one of those that share the database, under the number that its instance has
 * had before, or another free one.  It is called `name`, or name-2, … when another live one is.  In
 * a transaction that may be run again; false with *error: there is no number left. */
bool node_join(struct db *db, const char *instance, const char *name, int64_t now,
               struct db_guard *out, struct error *error);

/* All that are alive, or dead and not yet taken care of, in order of number. */
json_t *node_list(struct db *db, int64_t now);
/* From its next renewal on it has no parts, or as many as the others again.  Until it stops. False:
 * there is none of this name. */
bool node_drain(struct db *db, const char *name, bool draining);

#endif
