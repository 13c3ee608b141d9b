/* tls_name.h — whether a certificate is for a name with an underscore in it.
 *
 * OpenSSL compares such a name well enough, but lets no wildcard stand for it: underscores are no
 * letters of a host name (RFC 1123 §2.1).  People have them all the same, and other clients
 * deliver to them.  All other names are OpenSSL's own to judge.
 */
#ifndef POSTBACKD_TLS_NAME_H
#define POSTBACKD_TLS_NAME_H

#include <openssl/x509.h>
#include <stdbool.h>

/* By RFC 6125 §6.4.3: a name of the certificate is the host's, but for its case; or it is “*.” and
 * what follows the host's first label, of two labels at least.  The common name counts only where
 * there is no DNS name.  host: without the root's dot.  False for a host without an underscore. */
bool tls_name_matches(const X509 *certificate, const char *host);

#endif
