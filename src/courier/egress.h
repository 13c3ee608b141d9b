/* egress.h — which addresses may be called.
 *
 * Private, loopback, link-local, metadata, multicast and unspecified addresses are refused, on the
 * resolved address and at connect, IPv4 inside IPv6 (mapped, NAT64, 6to4) included, unless a
 * CIDR of --allow-egress holds them.
 */
#ifndef POSTBACKD_EGRESS_H
#define POSTBACKD_EGRESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct egress;
struct egress *egress_new(const char *const *cidrs, size_t count, struct error *error);
void egress_free(struct egress *egress);
bool egress_allows(const struct egress *egress, const struct sockaddr *address);

#endif
