/* state.h — the insides that the server's files share; for this floor only. */
#ifndef POSTBACKD_SERVER_STATE_H
#define POSTBACKD_SERVER_STATE_H

#include "base/buf.h"
#include "base/list.h"
#include "server/forwarded.h"
#include "server/rations.h"
#include "server/router.h"
#include "server/server.h"

struct server {
    uv_loop_t *loop;
    struct router *router;
    void (*enter)(struct call *call, void *context);
    void (*handle)(struct call *call, void *context); /* NULL: the route's */
    void *context;
    struct limits *limits;
    const char *further; /* header lines of every answer */
    int64_t idle_ms;
    int listen_fd, port;
    char address[64];

    struct proxies trusted; /* owned */

    size_t connections;
    struct rations rations; /* in the memory, by account and address */
    struct list peers;      /* all of them; each that we wait for in one of: */
    struct list idle;       /* between two requests, oldest first */
    struct list heads;      /* with a request whose head is not whole, oldest first */
    struct list quiet;      /* others that owe us bytes, or room for ours, the longest first */
    struct list lingering;  /* that were told the end, oldest first */
    struct list again;      /* peers to go on with in the next turn */
    struct list behind;     /* peers with a request that was sent ahead, in line for it */
    uint64_t turn;          /* of the loop */
    int ahead;              /* requests that began in it behind another of their connection */
    size_t rests;           /* bytes of memory that what was sent ahead takes */

    size_t calls;       /* headers have come, answer not given */
    size_t held;        /* of these, with a handler or enter() */
    struct list coming; /* requests with bytes of a body that is not whole, the longest without more
                           first */
    struct list over;   /* requests that were answered: freed when no handler is at them */
    size_t over_count;
    struct list spare; /* requests' blocks, for the next one */
    size_t spare_count;

    bool accepting; /* the listener is watched */
    bool resting;   /* it is not for a while: there are no descriptors */
    bool stopping;  /* no new connections; every answer closes its own */
    bool closing;   /* handlers are called no more */
    uv_poll_t listener;
    uv_check_t check;
    uv_idle_t waker;
    uv_timer_t timer;
    uv_timer_t pace; /* of `behind` */
    bool freed;      /* server_free() was called: the last handle to close frees all */
    size_t handles;  /* closing */

    struct buf head; /* of the answer being written */
    int64_t date_s;  /* of the Date header in `date` */
    char date[32];
    char room[64 * 1024]; /* what comes in is read here first */
};

/* The timer fires no later than the first of the peers is due, or than that. */
void server_arm(struct server *server);
void server_arm_within(struct server *server, int64_t wait_ms);
/* Not to be called below a handler. */
void server_free_answered(struct server *server);
/* Those in `behind` have theirs in a while. */
void server_wake_behind(struct server *server);
/* The peers in `again` have their turn in the loop's next one, which does not sleep
 * before. */
void server_wake(struct server *server);
void server_handle_closed(struct server *server);

#endif
