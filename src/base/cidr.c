/* cidr.c — ranges of addresses, as the 128 bits of IPv6 and how many of them count. */
#include "base/cidr.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool address_of(const struct sockaddr *from, struct address *out)
{
    if (from->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, from, sizeof(v4));
        *out = address_of_ipv4(&v4.sin_addr);
        return true;
    }
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, from, sizeof(v6));
        memcpy(out->bytes, &v6.sin6_addr, 16);
        return true;
    }
    return false;
}

struct address address_of_ipv4(const void *four_bytes)
{
    struct address out;
    memcpy(out.bytes, mapped, 12);
    memcpy(out.bytes + 12, four_bytes, 4);
    return out;
}

bool address_is_ipv4(const struct address *address)
{
    return memcmp(address->bytes, mapped, 12) == 0;
}

bool address_parse(const char *text, struct address *out)
{
    struct in_addr four;
    if (inet_pton(AF_INET, text, &four) == 1) {
        *out = address_of_ipv4(&four);
        return true;
    }
    return inet_pton(AF_INET6, text, out->bytes) == 1;
}

void address_format(char out[ADDRESS_TEXT], const struct address *address)
{
    if (address_is_ipv4(address))
        inet_ntop(AF_INET, address->bytes + 12, out, ADDRESS_TEXT);
    else
        inet_ntop(AF_INET6, address->bytes, out, ADDRESS_TEXT);
}

bool cidr_parse(const char *text, struct cidr *out)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (len >= sizeof(address))
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (!address_parse(address, &out->prefix))
        return false;
    bool v4 = strchr(address, ':') == NULL;
    int64_t bits = v4 ? 32 : 128;
    if (slash != NULL && !text_int(slash + 1, 0, bits, &bits))
        return false;
    out->len = (unsigned)bits + (v4 ? 96 : 0);
    return true;
}

bool cidr_holds(const struct cidr *cidr, const struct address *address)
{
    unsigned whole = cidr->len / 8, rest = cidr->len % 8;
    if (memcmp(cidr->prefix.bytes, address->bytes, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    unsigned difference = cidr->prefix.bytes[whole] ^ address->bytes[whole];
    return difference >> (8 - rest) == 0;
}
