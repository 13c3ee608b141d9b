/* inbound.h — the server's own half of a call: a request on its way from its head to its answer.
 * For this floor only.
 *
 * A request is one block of memory, with room for its head and for what is decoded of its target.
 * It is made with its first byte.  An answered call stays readable until the function that answered
 * has returned to the loop, so that a handler may still look at it.
 */
#ifndef POSTBACKD_INBOUND_H
#define POSTBACKD_INBOUND_H

#include "base/cidr.h"
#include "base/list.h"
#include "server/call.h"
#include "server/chunks.h"
#include "server/head.h"
#include "server/peer.h"
#include "server/router.h"
#include "server/state.h"

/* Where a request stands.  An answer may come in each of them but HEAD and DONE. */
enum stage {
    STAGE_HEAD,     /* it comes in */
    STAGE_ENTERING, /* enter() is finding out who calls */
    STAGE_ENTERED,  /* it has found out, or has refused */
    STAGE_BODY,     /* the body comes in: kept, or dropped when there is an answer already */
    STAGE_HANDLING, /* the handler has it */
    STAGE_PIECES,   /* its answer goes out in pieces */
    STAGE_DONE,     /* the answer is the peer's */
};

/* An answer in pieces (pieces.c). */
struct pieces {
    const struct call_source *source;
    void *data;   /* the source's */
    bool asked;   /* a piece is awaited from it: it holds the call */
    bool begun;   /* the head of the answer is out */
    bool chunked; /* or it ends with the connection, or is as long as its head says */
    bool last;    /* the last piece was given */
    bool broken;  /* there is no next one */
};

struct inbound {
    struct call call;
    struct server *server;
    struct peer *peer;
    struct list in; /* of the server's: coming, over, or spare */
    enum stage stage;
    bool keep;                 /* the connection, after this request */
    bool whole;                /* all of it has come */
    bool waits;                /* enter() takes its time */
    bool held;                 /* counted in server->held */
    bool answer_now;           /* without reading the body first */
    char client[ADDRESS_TEXT]; /* behind a trusted proxy: its address */
    int64_t started_ms;
    struct chunks chunks; /* of the body, or it has a length: */
    int64_t body_left;
    size_t body_bytes;     /* counted in its share */
    struct ration *ration; /* the account's or the address's, once there is something to count */
    uint64_t received;     /* bytes of the body so far */

    bool answered;
    int status;
    const char *type, *content; /* the answer's; content is `owned`, or lasts, or is the caller's */
    size_t content_len;
    char *owned;
    struct pieces pieces;
    bool lasting;           /* the content outlives the server */
    struct buf headers;     /* call_add_header(), as they go out */
    const char *bad_target; /* why the target is refused; NULL: it is not */
    size_t decoded_len;

    struct head head; /* from here on nothing is cleared that is not written */
    struct query_pair query[CALL_QUERY_MAX]; /* the call's */
    char decoded[3 * HEAD_MOST + 64];        /* path, segments, and the query's names and values */
};

static inline struct inbound *inbound_of(const struct call *call)
{
    return container_of(call, struct inbound, call);
}

/* ---- inbound.c ---- */

struct inbound *inbound_new(struct server *server, struct peer *peer);
void inbound_free(struct inbound *in);

/* The head is whole.  Afterwards it is ENTERING (the body waits), in its BODY, or DONE. */
void inbound_head_came(struct inbound *in);
/* It is ENTERED: goes on to its BODY, or is DONE. */
void inbound_head_done(struct inbound *in);
/* Takes from the bytes what is the body's, until it is `whole`; gives how many.  Afterwards it is
 * DONE when the body is malformed, or too long to go on dropping it. */
size_t inbound_body_came(struct inbound *in, const char *bytes, size_t len);
bool inbound_is_too_slow(const struct inbound *in);
/* All has come: to the handler, or out with the answer that it has already. */
void inbound_whole(struct inbound *in);
/* The head is HEAD_BAD: out with that answer, and the connection ends. */
void inbound_head_bad(struct inbound *in);
/* The client left before all had come. */
void inbound_lost(struct inbound *in);

/* Whose memory it takes: the account's that calls, or the strangers' of its address. */
struct ration *inbound_ration(struct inbound *in);
/* It has its answer: freed when no handler can be at it any more. */
void inbound_over(struct inbound *in);

/* Who calls is known and allowed. */
void inbound_entered(struct inbound *in);
/* The call has its answer: sees that it goes out. */
void inbound_answered(struct inbound *in);

/* ---- pieces.c ---- */

/* Its last piece has left, or the client has: asks for the next, or ends the answer. */
void pieces_go_on(struct inbound *in);
/* The connection ends. */
void pieces_lost(struct inbound *in);

/* ---- answer.c ---- */

/* The head of the answer as it goes out; gives whether the content goes out behind it. */
bool answer_head(const struct inbound *in, struct buf *out);

/* ---- target.c ---- */

/* Splits and decodes: path, segments and query; the last segment without ".json".  Sets bad_target
 * when it is not well formed. */
struct segments {
    const char *at[ROUTER_DEPTH_MAX];
    size_t count;
    const char *whole_last; /* the last one as it came, when ".json" is cut off; or NULL */
};
/* An absolute target (RFC 9112 §3.2.2) names the host that the header Host names. */
bool target_is_for_host(const struct inbound *in);
void target_read(struct inbound *in, struct segments *segments);

#endif
