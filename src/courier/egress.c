/* egress.c — which addresses may be called.
 *
 * One table of the special-purpose ranges of the IANA registries (IPv4: RFC 6890 and later; IPv6
 * likewise), the longest prefix first where two overlap; behind them the addresses by which a
 * cloud talks to its own machines.  Most of those lie in the registries' ranges already: Amazon's
 * 169.254.169.254 and fd00:ec2::254, Google's 169.254.169.254 and fd20:ce::254, Alibaba's
 * 100.100.100.200, Oracle's 192.0.0.192.  The others have rows of their own, each with its source.
 * All addresses are 16 bytes here: an IPv4 address stands as ::ffff:a.b.c.d, so that one
 * comparison serves both.
 *
 * The rule: an IPv6 address that carries an IPv4 address (mapped, NAT64, 6to4, ISATAP) is judged
 * by the one it carries, and IPv6 outside 2000::/3 is refused whether the table knows it or not.
 */
#include "courier/egress.h"

#include "base/cidr.h"
#include "base/fail.h"
#include "base/text.h"
#include "courier/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct egress {
    size_t count;
    struct cidr allowed[CLIENT_EGRESS_MAX];
};

struct special {
    const char *prefix;
    unsigned len; /* as written: of 32 or of 128 */
    const char *kind;
};

#define PLATFORM "an address of a cloud's own platform"

static const struct special specials[] = {
    { "0.0.0.0", 8, "an address of “this network”" },
    { "10.0.0.0", 8, "a private address" },
    { "100.64.0.0", 10, "a shared address (carrier NAT)" },
    { "127.0.0.0", 8, "a loopback address" },
    { "169.254.0.0", 16, "a link-local address" },
    { "172.16.0.0", 12, "a private address" },
    { "192.0.0.0", 24, "a protocol assignment address" },
    { "192.0.2.0", 24, "a documentation address" },
    { "192.88.99.0", 24, "a 6to4 relay address" },
    { "192.168.0.0", 16, "a private address" },
    { "198.18.0.0", 15, "a benchmarking address" },
    { "198.51.100.0", 24, "a documentation address" },
    { "203.0.113.0", 24, "a documentation address" },
    { "224.0.0.0", 4, "a multicast address" },
    { "255.255.255.255", 32, "the broadcast address" },
    { "240.0.0.0", 4, "a reserved address" },
    { "::", 128, "the unspecified address" },
    { "::1", 128, "a loopback address" },
    { "64:ff9b:1::", 48, "a local translation address" },
    { "100::", 64, "a discard address" },
    { "2001:db8::", 32, "a documentation address" },
    { "2001::", 23, "a protocol assignment address" },
    { "3fff::", 20, "a documentation address" },
    { "5f00::", 16, "a segment routing address" },
    { "fc00::", 7, "a private address" },
    { "fe80::", 10, "a link-local address" },
    { "fec0::", 10, "a private address" },
    { "ff00::", 8, "a multicast address" },
    /* Azure: learn.microsoft.com, “What is IP address 168.63.129.16?” */
    { "168.63.129.16", 32, PLATFORM },
    /* Google: cloud.google.com/vpc/docs, “Configure Private Google Access”: the API's addresses
     * inside a network of Google's, restricted.googleapis.com and private.googleapis.com. */
    { "199.36.153.4", 30, PLATFORM },
    { "199.36.153.8", 30, PLATFORM },
    { "2600:2d00:2:1000::", 64, PLATFORM },
    { "2600:2d00:2:2000::", 64, PLATFORM },
};

static const unsigned char nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
static const unsigned char isatap[3] = { 0x00, 0x5e, 0xfe }; /* RFC 5214 §6.1, bytes 9 to 11 */

/* The IPv4 address that this one carries, or itself. */
static struct address inner(const struct address *address)
{
    if (memcmp(address->bytes, nat64, 12) == 0)
        return address_of_ipv4(address->bytes + 12);
    if (address->bytes[0] == 0x20 && address->bytes[1] == 0x02)
        return address_of_ipv4(address->bytes + 2);
    if ((address->bytes[8] & 0xfd) == 0 && memcmp(address->bytes + 9, isatap, 3) == 0)
        return address_of_ipv4(address->bytes + 12);
    return *address;
}

static const char *special_kind(const struct address *address)
{
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
        struct cidr range;
        if (!address_parse(specials[i].prefix, &range.prefix))
            bug("bad special range: %s", specials[i].prefix);
        range.len = specials[i].len + (strchr(specials[i].prefix, ':') == NULL ? 96 : 0);
        if (cidr_holds(&range, address))
            return specials[i].kind;
    }
    if (!address_is_ipv4(address) && address->bytes[0] >> 5 != 1)
        return "a reserved address";
    return NULL;
}

/* NAT64's own prefix lies outside 2000::/3, and says nothing of where the address leads. */
static const char *outer_kind(const struct address *address)
{
    return memcmp(address->bytes, nat64, 12) == 0 ? NULL : special_kind(address);
}

static const char *kind_of(const struct address *address)
{
    struct address carried = inner(address);
    const char *kind = special_kind(&carried);
    return kind != NULL ? kind : outer_kind(address);
}

const char *egress_kind(const struct sockaddr *address)
{
    struct address bits;
    return address_of(address, &bits) ? kind_of(&bits) : "not an internet address";
}

struct egress *egress_new(const char *const *cidrs, size_t count, struct error *error)
{
    if (count > CLIENT_EGRESS_MAX) {
        error_set(error, ERROR_INVALID, "--allow-egress is given %zu times; at most %d are taken",
                  count, CLIENT_EGRESS_MAX);
        return NULL;
    }
    struct egress *egress = must_alloc(sizeof(*egress));
    for (size_t i = 0; i < count; i++) {
        if (!cidr_parse(cidrs[i], &egress->allowed[i])) {
            error_set(error, ERROR_INVALID,
                      "--allow-egress: “%.100s” is not an address range; write it as 10.0.0.0/8 or "
                      "fd00::/8",
                      cidrs[i]);
            free(egress);
            return NULL;
        }
    }
    egress->count = count;
    return egress;
}

void egress_free(struct egress *egress)
{
    free(egress);
}

static bool listed(const struct egress *egress, const struct address *address)
{
    for (size_t i = 0; i < egress->count; i++) {
        const struct cidr *cidr = &egress->allowed[i];
        /* ::/0 and the like, as written, speak of IPv6 only. */
        if (cidr->len < 96 && address_is_ipv4(address))
            continue;
        if (cidr_holds(cidr, address))
            return true;
    }
    return false;
}

bool egress_allows(const struct egress *egress, const struct sockaddr *address)
{
    struct address bits;
    if (!address_of(address, &bits))
        return false;
    if (kind_of(&bits) == NULL || listed(egress, &bits))
        return true;
    struct address carried = inner(&bits);
    return listed(egress, &carried) && outer_kind(&bits) == NULL;
}
