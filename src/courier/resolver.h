/* resolver.h — host names to addresses, by c-ares on the loop, with a small cache.
 *
 * Addresses are kept as long as their TTL says (at least 1 s, at most 60 s) and nobody doubts them,
 * a failure for 1 s. Names are taken as they stand: no search domains.  Several who ask for one
 * name share a look-up.
 */
#ifndef POSTBACKD_RESOLVER_H
#define POSTBACKD_RESOLVER_H

#include "base/error.h"
#include "base/list.h"
#include "courier/alarms.h"
#include "model/attempt.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

enum { RESOLVED_MAX = 16, RESOLVER_NAMES_MAX = 1024, HOST_MAX = 255 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct resolved {
    /* EXCHANGE_OK with at least one address, EXCHANGE_DNS, or EXCHANGE_NO_ROOM to ask with */
    enum exchange_error error;
    char detail[160]; /* of a failure */
    int64_t until_ms; /* steady clock: it counts for so long */
    size_t count;
    union address addresses[RESOLVED_MAX]; /* port 0; IPv6 and IPv4 by turns, IPv6 first */
};

bool resolved_has(const struct resolved *found, const union address *address); /* any port */
/* Whether the host is an address as it stands. */
bool address_literal(const char *host, union address *out);

struct resolver_waiter {
    struct list node; /* list_init() before it is asked with */
    void (*woken)(struct resolver_waiter *waiter, const struct resolved *found);
};

struct resolver;
/* The system's name servers, or `servers` ("127.0.0.1:5353,…") when not NULL. */
struct resolver *resolver_new(uv_loop_t *loop, struct alarms *alarms, const char *servers,
                              struct error *error);
void resolver_free(struct resolver *resolver); /* wakes nobody */

/* What is known now (valid until the next call), or NULL: then the waiter is woken, from the loop.
 * host: at most HOST_MAX bytes. */
const struct resolved *resolver_ask(struct resolver *resolver, const char *host,
                                    struct resolver_waiter *waiter);
/* None of the addresses could be connected to: they are not kept for more than 1 s from now. */
void resolver_doubt(struct resolver *resolver, const char *host);
void resolver_forget(struct resolver_waiter *waiter); /* it is not woken any more */

#endif
