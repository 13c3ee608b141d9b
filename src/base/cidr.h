/* cidr.h — ranges of internet addresses: "10.0.0.0/8", "fd00::/8", or one address.
 *
 * An address is the 16 bytes of IPv6; an IPv4 address stands in them mapped (RFC 4291 §2.5.5.2), so
 * that both spellings of it are the same.
 */
#ifndef POSTBACKD_CIDR_H
#define POSTBACKD_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT = 48 /* an address as text, with its NUL */ };

struct address {
    unsigned char bytes[16];
};

struct cidr {
    struct address prefix;
    unsigned len; /* of 128 */
};

/* False for a family that is not the internet's. */
bool address_of(const struct sockaddr *from, struct address *out);
struct address address_of_ipv4(const void *four_bytes);
bool address_is_ipv4(const struct address *address);
/* One address as text, without port, brackets and zone. */
bool address_parse(const char *text, struct address *out);
void address_format(char out[ADDRESS_TEXT], const struct address *address); /* IPv4 as itself */

bool cidr_parse(const char *text, struct cidr *out);
bool cidr_holds(const struct cidr *cidr, const struct address *address);

#endif
