/* server.h — HTTP in: the listener and its routes, on the loop thread.
 *
 * A handler gets a struct call, may answer at once or later (nothing more is read of its connection
 * meanwhile), and must answer exactly once.  The floor knows nothing
 * of the store: who calls is found out by the handler's own floor, through `enter`.
 */
#ifndef POSTBACKD_SERVER_H
#define POSTBACKD_SERVER_H

#include "base/error.h"
#include "server/call.h"
#include "server/limits.h"

#include <uv.h>

struct server;

struct route {
    const char *method;  /* "GET"; "*" any (the handler looks itself) */
    const char *pattern; /* "/Mediapartners/{SID}/ActionInquiries/{Id}" */
    void (*handle)(struct call *call, void *context);
    unsigned who;     /* account kinds allowed, OR of enum account_kind; 0: no sign-in needed */
    unsigned scopes;  /* scopes allowed, OR of enum scope */
    bool counted;     /* against the API's rate limit */
    size_t body_max;  /* bytes; 0: none allowed beyond SERVER_BODY_DEFAULT */
    bool reads_query; /* the handler refuses what it does not know; else every parameter is refused
                         before it is called */
    bool current;     /* the handler rests on what is in memory of the database: enter() first sees
                       * to it that this is as of now, where others can have changed it */
    bool revised;     /* the handler keeps If-Match (api/revisions.h); else it is refused */
};

enum {
    SERVER_BODY_DEFAULT = 64 * 1024,
    SERVER_BODY_MOST = 16 * 1024 * 1024,
    SERVER_ANSWER_BYTES_A_MS = 1, /* a client that takes fewer, past the idle time, is cut off */
    SERVER_CONNECTIONS = 2048,
    SERVER_CONNECTIONS_PER_ADDRESS = 512,
};

struct server_config {
    const char *listen; /* "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:0" */
    int listener;       /* a socket that listens there already, which it takes; 0: none */
    const struct route *routes;
    size_t route_count;
    /* Called before handle() on routes with `who`: finds out who calls (setting call->caller) and
     * then calls call_enter(), or answers 401. */
    void (*enter)(struct call *call, void *context);
    /* Called in place of the routes' handlers, which it calls; NULL: they are called themselves. */
    void (*handle)(struct call *call, void *context);
    void *context;         /* given to enter and handle */
    struct limits *limits; /* for counted routes; borrowed */
    /* Proxies whose Forwarded or X-Forwarded-For tells the client's address; borrowed. */
    const char *const *trusted; /* CIDRs */
    size_t trusted_count;
    /* Whole header lines of every answer, such as "Name: value\r\n"; NULL: none; borrowed. */
    const char *further;
    int idle_s; /* an idle or slow connection is closed after; default 60 */
};

/* NULL with *error: a bad address, the port in use (says which). */
struct server *server_new(uv_loop_t *loop, const struct server_config *config, struct error *error);
int server_port(const struct server *server);
int server_listener(const struct server *server);                         /* the socket */
void server_address(const struct server *server, char *out, size_t size); /* "127.0.0.1:8080" */
void server_stop_accepting(struct server *server); /* closes the listener; calls under way go on */
/* Whatever comes over kept connections from now on is answered 503; no handler is called. */
void server_refuse_calls(struct server *server);
size_t server_calls(const struct server *server); /* not yet answered */
size_t server_connections(const struct server *server);
void server_free(struct server *server);

#endif
