/* proxy.h — the way out through a proxy: its address and credentials, and one CONNECT of it.
 *
 * Pure: connection.c moves the bytes, dial.c connects.
 */
#ifndef POSTBACKD_PROXY_H
#define POSTBACKD_PROXY_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { PROXY_ANSWER_MAX = 8 * 1024, PROXY_FAULT_TEXT = 120 };

struct proxy {
    char *host; /* without brackets */
    int port;
    struct buf authorization; /* the whole header line, or empty */
};

/* "http://[user:password@]host:port"; user and password percent-encoded.  NULL with *error, which
 * does not repeat it. */
struct proxy *proxy_new(const char *url, struct error *error);
void proxy_free(struct proxy *proxy); /* wipes; NULL is allowed */

enum tunnel_state { TUNNEL_MORE, TUNNEL_OPEN, TUNNEL_BAD };

struct tunnel {
    struct buf out; /* the request */
    size_t sent;    /* of it */
    size_t got;
    char in[PROXY_ANSWER_MAX];
    char fault[PROXY_FAULT_TEXT]; /* a person's words, when TUNNEL_BAD */
};

struct tunnel *tunnel_new(const struct proxy *proxy, const char *host, int port);
void tunnel_free(struct tunnel *tunnel); /* wipes; NULL is allowed */
/* What the proxy says, as it comes; len 0: it has closed.  OPEN after a 2xx and nothing more. */
enum tunnel_state tunnel_feed(struct tunnel *tunnel, const char *bytes, size_t len);

#endif
