/* tls.h — TLS 1.2 and later on a connected non-blocking socket, the receiver's name verified.
 *
 * A name is sent (SNI) and checked, an address literal only checked.  The last session of a
 * destination is kept in the caller's slot and offered again for up to an hour.
 */
#ifndef POSTBACKD_TLS_H
#define POSTBACKD_TLS_H

#include "base/error.h"

#include <openssl/ssl.h>
#include <stddef.h>

/* How one step on a socket went, TLS or not. */
enum io {
    IO_DONE,       /* *moved bytes, at least one; a handshake: finished */
    IO_WAIT_READ,  /* nothing until the socket is readable */
    IO_WAIT_WRITE, /* … writable */
    IO_END,        /* the receiver has ended the stream in order */
    IO_LOST,       /* reset, or ended without a word */
    IO_FAULT,      /* TLS itself failed; tls_fault() says how */
};

struct tls;
struct tls_identity;
/* The system's authorities and those of ca_file (PEM; NULL: none).  NULL with *error. */
struct tls *tls_new(const char *ca_file, struct error *error);
void tls_free(struct tls *tls);
/* Reads the authorities now (some tens of milliseconds) and not with the first connection.  What
 * cannot be read is logged; receivers are then refused for their certificate. */
void tls_prepare(struct tls *tls);

/* A context of an identity's own (SSL_CTX_free()); NULL, logged: it cannot be used. */
SSL_CTX *tls_own(struct tls *tls, const struct tls_identity *identity);

/* own: of tls_own(), or NULL.  *session: NULL or the caller's; replaced as sessions come, freed
 * with SSL_SESSION_free(). It must outlive the SSL.  NULL: out of memory or no such host name. */
SSL *tls_start(struct tls *tls, SSL_CTX *own, int fd, const char *host, SSL_SESSION **session);
enum io tls_handshake(SSL *ssl);
enum io tls_read(SSL *ssl, char *into, size_t size, size_t *moved);
enum io tls_write(SSL *ssl, const char *from, size_t len, size_t *moved);
/* A person's words for the step that just gave IO_FAULT. */
void tls_fault(SSL *ssl, char *out, size_t size);
/* Says goodbye if that goes without waiting, and frees; the socket stays the caller's. */
void tls_end(SSL *ssl);

#endif
