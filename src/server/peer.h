/* peer.h — one connection of a client: its socket, the request that comes in, and what is still to
 * go out.  For this floor only.
 *
 * A request at a time: what comes behind one that is not answered yet waits, in the kernel or in
 * `rest`.  What a client sends at its own pace has a time limit, what we let it wait for has none.
 */
#ifndef POSTBACKD_PEER_H
#define POSTBACKD_PEER_H

#include "server/state.h"

struct inbound;

enum peer_state {
    PEER_OPEN,      /* requests come, answers go */
    PEER_LAST,      /* an answer goes out, which is the last */
    PEER_LINGERING, /* it went out; what still comes is dropped, so that the client can read it */
    PEER_CLOSED,
};

struct peer {
    struct server *server;
    int fd;
    enum peer_state state;
    bool gone;   /* the client left while its request was under way */
    bool looked; /* more came while a request is under way: not looked at until then */
    bool unread; /* the last answer was given before its request was read whole */
    int events;  /* that `poll` watches for; 0: it is stopped */
    uv_poll_t poll;
    struct list all; /* in server->peers */
    struct list in;  /* in the server's idle, heads, quiet or lingering, since then */
    int64_t since_ms;
    struct list again;         /* in server->again or ->behind */
    struct ration *ration;     /* its address's, for as long as it lives */
    struct ration *account;    /* of the account that called last; NULL: none did */
    struct ration *out_ration; /* whose the bytes in `out` are; NULL: there are none */
    struct inbound *request;   /* under way */
    struct buf rest;           /* bytes that were sent ahead: parsed later, from rest_at on */
    size_t rest_at;
    uint64_t turn;    /* the last one in which a request began ... */
    int begun;        /* ... and how many did */
    struct buf out;   /* what the socket did not take at once ... */
    size_t out_sent;  /* ... but for so many bytes ... */
    const char *tail; /* ... and bytes that outlive the server, behind it */
    size_t tail_len;
    int64_t unsent_ms; /* for so long has the answer waited for the client to take of it ... */
    uint64_t taken;    /* ... who took so many bytes meanwhile */
    bool trusted;      /* a proxy that says for whom it calls (server/forwarded.h) */
    char address[48];  /* without port; an IPv4 address in IPv6's clothes as itself */
};

/* Takes over the socket, which is non-blocking, and the use of the share.  NULL: it cannot be
 * watched; closed, and the share is the caller's again. */
struct peer *peer_new(struct server *server, int fd, const char *address, struct ration *ration,
                      bool trusted);
/* What is under way is given up, which may not be held by a handler. */
void peer_close(struct peer *peer);

bool peer_has_to_send(const struct peer *peer);
/* The request under way has its answer: these bytes.  `lasting` bytes of the body are not copied.
 * What the client does not take at once counts to the request's share; where that has no room,
 * connections end whose clients do not read.
 * `keep`: the connection goes on to the next request. */
void peer_answer(struct peer *peer, const struct buf *head, const char *body, size_t len,
                 bool lasting, bool keep);
/* A piece of it: what the socket does not take at once is kept.  When all has left, the request has
 * its turn by peer_go_on_later(). */
struct iovec;
void peer_piece(struct peer *peer, const struct iovec *parts, size_t count);
/* Its answer in pieces is over: the connection goes on, or not; a `broken` one is reset. */
void peer_pieces_over(struct peer *peer, bool keep, bool broken);
void peer_say_continue(struct peer *peer); /* RFC 9110 §15.2.1 */
/* In the next turn of the loop: its request was entered, or the one behind it can be read. */
void peer_go_on_later(struct peer *peer);
void peer_go_on(struct peer *peer);

#endif
