/* egress.h — which addresses may be called.
 *
 * Private, loopback, link-local, metadata, multicast and unspecified addresses and those of a
 * cloud's own platform are refused, on the resolved address and at connect, IPv4 inside IPv6
 * (mapped, NAT64, 6to4, ISATAP) included, unless a CIDR of --allow-egress holds them.
 */
#ifndef POSTBACKD_EGRESS_H
#define POSTBACKD_EGRESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct egress;
/* "10.0.0.0/8", "fd00::/8", or one address.  NULL with *error that names the wrong one. */
struct egress *egress_new(const char *const *cidrs, size_t count, struct error *error);
void egress_free(struct egress *egress); /* NULL is allowed */
bool egress_allows(const struct egress *egress, const struct sockaddr *address);

/* What makes an address special: "a loopback address", …; NULL for a public one. */
const char *egress_kind(const struct sockaddr *address);

#endif
