/* forwarded.h — the client behind trusted proxies, by Forwarded (RFC 7239) or X-Forwarded-For.
 *
 * Each proxy adds the address that called it at the right-hand end, so what stands left of the
 * first address that is no trusted proxy's was written by anybody.
 */
#ifndef POSTBACKD_FORWARDED_H
#define POSTBACKD_FORWARDED_H

#include "base/cidr.h"

#include <stdbool.h>
#include <stddef.h>

enum { FORWARDED_HOPS_MOST = 32 /* proxies looked back over; what is left of them is dropped */ };

struct forwarded { /* all zeroes: nothing was read */
    struct hop {
        bool known; /* false: "unknown", a made-up name ("_x"), or not readable */
        struct address address;
    } hops[FORWARDED_HOPS_MOST]; /* the nearest last */
    size_t count;
};

/* Adds one line of the header; several are one list, in their order (RFC 9110 §5.3).  A line that
 * is not by the grammar is one unknown hop, and what stood before it is dropped. */
void forwarded_read(struct forwarded *forwarded, const char *line);
/* The same of X-Forwarded-For: addresses, with or without a port, IPv6 with or without brackets. */
void forwarded_read_x(struct forwarded *forwarded, const char *line);

struct proxies { /* who is trusted */
    struct cidr *ranges;
    size_t count;
};
bool proxies_hold(const struct proxies *proxies, const struct address *address);

/* The right-most address that is no trusted proxy's; where that is not known, the last trusted one
 * before it.  `peer` is who called. */
struct address forwarded_client(const struct forwarded *forwarded, const struct proxies *trusted,
                                const struct address *peer);

#endif
