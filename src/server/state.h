/* state.h — the insides that the server's files share; for this floor only. */
#ifndef POSTBACKD_SERVER_STATE_H
#define POSTBACKD_SERVER_STATE_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "server/forwarded.h"
#include "server/router.h"
#include "server/server.h"

struct server {
    uv_loop_t *loop;
    struct router *router;
    void (*enter)(struct call *call, void *context);
    void *context;
    struct limits *limits;
    int64_t idle_ms;
    int listen_fd, port;
    char address[64];

    struct proxies trusted; /* owned */

    size_t connections;
    struct map callers;    /* how many connections an address has: struct caller_count */
    struct list peers;     /* all of them */
    struct list quiet;     /* peers that owe us something (bytes, or room for ours), oldest first */
    struct list lingering; /* peers that were told the end, oldest first */
    struct list again;     /* peers to go on with in the next turn */

    size_t calls;      /* headers have come, answer not given */
    size_t held;       /* of these, with a handler or enter() */
    size_t bodies;     /* bytes of memory that their bodies take */
    struct list over;  /* requests that were answered in this turn: freed at its end */
    struct list spare; /* requests' blocks, for the next one */
    size_t spare_count;

    bool accepting; /* the listener is watched */
    bool stopping;  /* no new connections; every answer closes its own */
    bool closing;   /* handlers are called no more */
    uv_poll_t listener;
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t timer;
    bool freed;     /* server_free() was called: the last handle to close frees all */
    size_t handles; /* closing */

    struct buf head; /* of the answer being written */
    int64_t date_s;  /* of the Date header in `date` */
    char date[32];
    char room[64 * 1024]; /* what comes in is read here first */
};

/* The timer fires no later than the first of the quiet and the lingering is due. */
void server_arm(struct server *server);
/* The peers in `again` have their turn in the loop's next one, which does not sleep before. */
void server_wake(struct server *server);
void server_handle_closed(struct server *server);
/* A connection has ended: another may be taken. */
void server_left(struct server *server, const char *address);

#endif
