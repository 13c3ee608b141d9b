/* dial.h — from a host and a port to a connected socket, to it or to the egress proxy.
 *
 * The name is resolved, every address is checked against egress just before it is tried, and the
 * addresses are tried in turn: the next one after a failure or after DIAL_STAGGER_MS without a
 * result, the earlier ones still running (RFC 8305); the first to connect wins.
 *
 * With a proxy the name is resolved and checked all the same: since it is the proxy that connects,
 * and nobody knows to which address, one that is refused refuses all.  Then the proxy is dialled,
 * which the operator named, wherever it is.
 *
 * Where the process or the system has no file descriptor left, the dial waits for one: that is no
 * failure of the address.
 */
#ifndef POSTBACKD_DIAL_H
#define POSTBACKD_DIAL_H

#include "courier/egress.h"
#include "courier/proxy.h"
#include "courier/resolver.h"

enum { DIAL_STAGGER_MS = 250, DIAL_NO_ROOM_MS = 250 /* until it tries again */ };

struct dialer { /* what all dials of a client share */
    uv_loop_t *loop;
    struct alarms *alarms;
    struct resolver *resolver;
    struct egress *egress;
    struct proxy *proxy; /* NULL: none */
};

struct dial;
/* fd: connected, non-blocking, TCP_NODELAY, the callee's; or -1 with why.  The dial is gone. */
typedef void dial_done(void *context, int fd, enum exchange_error error, const char *detail);

/* done is called once, from the loop, never from inside this call. */
struct dial *dial_new(const struct dialer *by, const char *host, int port, dial_done *done,
                      void *context);
void dial_cancel(struct dial *dial);
const char *dial_phase(const struct dial *dial); /* "resolving the name", "connecting", … */
bool dial_has_no_room(const struct dial *dial);  /* it waits for a file descriptor, with none */

#endif
