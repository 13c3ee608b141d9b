/* crowd.h — who is connected: taking connections in, and who goes when there is no room.  For this
 * floor only. */
#ifndef POSTBACKD_CROWD_H
#define POSTBACKD_CROWD_H

#include "server/state.h"

struct peer;

/* The listener is watched again when a connection can be taken. */
void crowd_open(struct server *server);
/* A connection has ended. */
void crowd_left(struct server *server, struct ration *address);

#endif
