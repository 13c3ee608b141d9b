/* inbound.h — the server's own half of a call, and what its files share; for this floor only.
 *
 * A request is one block of memory: this struct, then the copies of its target that the call's
 * strings point into.  It is made when the request line has come and freed when libmicrohttpd says
 * that the request is over, which is never before the call is answered once a handler has it.
 */
#ifndef POSTBACKD_INBOUND_H
#define POSTBACKD_INBOUND_H

#include "base/list.h"
#include "server/call.h"
#include "server/router.h"
#include "server/server.h"

#include <microhttpd.h>

struct server {
    uv_loop_t *loop;
    struct MHD_Daemon *daemon;
    struct router *router;
    void (*enter)(struct call *call, void *context);
    void *context;
    struct limits *limits;
    int64_t idle_ms;
    int listen_fd, port;
    char address[64];
    struct list waiting; /* struct peer: those that owe us a request's headers, oldest first */
    size_t calls;        /* headers have come, answer not given */
    size_t held;         /* of these, with a handler or enter() */
    size_t bodies;       /* bytes of memory that their bodies take */
    bool needed;         /* the daemon has something to do in this turn of the loop */
    bool stopping;       /* no new connections; every answer closes its own */
    bool closing;        /* handlers are called no more */
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t timer;
    size_t handles; /* still to close */
};

/* Where a request stands.  An answer may come in each of them but NEW and DONE. */
enum stage {
    STAGE_NEW,      /* the request line has come */
    STAGE_ENTERING, /* enter() is finding out who calls; suspended if that takes time */
    STAGE_ENTERED,  /* it has found out, or has refused */
    STAGE_BODY,     /* the body comes in: kept, or dropped when there is an answer already */
    STAGE_HANDLING, /* the handler has it; suspended if that takes time */
    STAGE_DONE,     /* the answer is libmicrohttpd's */
};

enum { INBOUND_HEADERS_MAX = 12 }; /* call_add_header() */

/* One connection of a client. */
struct peer {
    struct list in;   /* of the server's list: waiting for a request's headers, oldest first */
    int64_t since_ms; /* since when */
    int fd;
    char address[48];
};

struct query_pair {
    const char *name, *value; /* decoded */
};

struct inbound {
    struct call call;
    struct server *server;
    struct MHD_Connection *connection;
    struct peer *peer;
    enum stage stage;
    bool suspended;
    bool held;       /* counted in server->held */
    bool answer_now; /* without reading the body first */
    int64_t started_ms;
    size_t body_room;  /* to reserve once it is known who calls */
    size_t body_bytes; /* counted in server->bodies */
    uint64_t received; /* bytes of the body so far */

    /* of the headers */
    const char *content_type, *authorization, *cookie;
    const char *content_length;
    size_t header_bytes;
    unsigned lengths, encodings, authorizations, cookies;
    bool chunked, expects, expects_continue, bad_name;

    struct MHD_Response *answer; /* until it is libmicrohttpd's */
    int status;
    struct { /* call_add_header(): owned */
        char *name, *value;
    } headers[INBOUND_HEADERS_MAX];
    size_t header_count;

    struct query_pair *query; /* in the block */
    size_t query_count, query_room;
    const char *bad_target; /* why the target is refused; NULL: it is not */
    char *spare;            /* the next free byte of the block's copies */
};

static inline struct inbound *inbound_of(const struct call *call)
{
    return container_of(call, struct inbound, call);
}

/* ---- inbound.c ---- */

struct inbound *inbound_new(struct server *server, const char *target);
void inbound_free(struct inbound *in);

/* libmicrohttpd's callbacks; `context` is the server. */
void *request_line_came(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result request_came(void *context, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **request);
void request_over(void *context, struct MHD_Connection *connection, void **request,
                  enum MHD_RequestTerminationCode why);

/* Who calls is known and allowed. */
void inbound_entered(struct inbound *in);
/* The call has its answer (in->answer, in->status): sees that it goes out. */
void inbound_answered(struct inbound *in);

/* ---- target.c ---- */

/* The bytes of the block for a target of this length. */
size_t target_room(const char *target, size_t *query_room);
/* Splits and decodes: path, segments and query.  Sets bad_target when it is not well formed. */
struct segments {
    const char *at[ROUTER_DEPTH_MAX];
    size_t count;
};
void target_read(struct inbound *in, struct segments *segments);

#endif
