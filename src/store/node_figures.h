/* node_figures.h — what the servers that share a database have in memory, as numbers of each, for
 * whoever looks at all of them.
 *
 * A server writes its row every few seconds.  One that is dead, or has left, counts no more.
 */
#ifndef POSTBACKD_NODE_FIGURES_H
#define POSTBACKD_NODE_FIGURES_H

#include "db/db.h"

enum figure {
    FIGURE_IN_MEMORY,
    FIGURE_RECORDING,
    FIGURE_DELIVERED, /* since the server began, as FIGURE_FAILED */
    FIGURE_FAILED,
    FIGURE_DELIVERED_TENTHS, /* a second, times ten, as FIGURE_FAILED_TENTHS */
    FIGURE_FAILED_TENTHS,
    FIGURE_CONNECTIONS_IN,
    FIGURE_CONNECTIONS_OUT,
    FIGURE_REQUESTS,
    FIGURE_LANES_READY,
    FIGURE_LANES_HELD,
    FIGURE_LANES_DOWN,
    FIGURE_DESTINATIONS_DOWN,
    FIGURE_OLDEST_DUE_S, /* of all the largest, not the sum */
    FIGURES
};

struct node_figures {
    int64_t of[FIGURES];
};

enum { NODE_FIGURES_EVERY_MS = 3000, NODE_FIGURES_GOOD_MS = 15000 };

/* This server's own, as of now. */
void node_figures_write(struct db *db, const struct node_figures *figures);
/* Adds those of all other servers. */
void node_figures_add_others(struct db *db, struct node_figures *figures);
/* Adds to the first. */
void node_figures_add(struct node_figures *to, const struct node_figures *more);

#endif
