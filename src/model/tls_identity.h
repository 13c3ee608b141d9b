/* tls_identity.h — an event notification's own TLS: the authority its receiver is trusted by, and
 * the certificate that postbackd shows to it.
 *
 * Everything is checked when it is set, so that what is kept can be used: the texts are PEM within
 * the caps, certificates are valid now, the chain is in order, the key is its first one's and has
 * no passphrase.  Private: the key is wiped, and shown to nobody.
 */
#ifndef POSTBACKD_TLS_IDENTITY_H
#define POSTBACKD_TLS_IDENTITY_H

#include "base/problem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    TLS_CA_MAX = 64 * 1024, /* bytes of PEM text */
    TLS_CHAIN_MAX = 32 * 1024,
    TLS_KEY_MAX = 16 * 1024,
    TLS_CA_MOST = 32, /* certificates */
    TLS_CHAIN_MOST = 10,
    TLS_KEY_BITS_MOST = 4096, /* the loop signs with it: 6 ms a connection, of 7,680 bits 40 */
    TLS_DIGEST_BYTES = 32,
};

struct ssl_ctx_st;

struct tls_identity {
    char *ca;                               /* PEM; NULL: the system's authorities */
    char *chain;                            /* PEM, postbackd's own certificate first; NULL: none */
    char *key;                              /* PEM; with chain */
    unsigned char digest[TLS_DIGEST_BYTES]; /* of all three */
    int64_t ends_at; /* when the first of postbackd's own ends, wall ms; -1: it has none */
};

/* From {"CaCertificate": PEM, "ClientCertificate": PEM, "ClientKey": PEM}: the first, the other
 * two, or all.  NULL with problems. */
struct tls_identity *tls_identity_read(const json_t *from, int64_t now_ms,
                                       struct problems *problems);
void tls_identity_free(struct tls_identity *identity); /* wipes it; NULL is allowed */
bool tls_identity_same(const struct tls_identity *one, const struct tls_identity *other);

/* As it is kept: the members of tls_identity_read(), the key among them.  To be sealed. */
json_t *tls_identity_write(const struct tls_identity *identity);
struct tls_identity *tls_identity_kept(const json_t *written); /* NULL: there is none */

/* {"CaCertificates": […], "ClientCertificates": […]}; identity NULL: both empty.  Of each its
 * Subject and EndDate, and where `whole` its Issuer, SerialNumber and StartDate; and HasClientKey.
 */
json_t *tls_identity_show(const struct tls_identity *identity, bool whole);

/* Puts it into a context of OpenSSL's.  False: OpenSSL's queue of errors says why. */
bool tls_identity_use(const struct tls_identity *identity, struct ssl_ctx_st *context);

#endif
