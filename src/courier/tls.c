/* tls.c — OpenSSL on a non-blocking socket.
 *
 * One SSL_CTX for all connections, and one for each identity in use.  Reading the system's
 * authorities costs some tens of milliseconds, so a server makes it at the start; a program that
 * may never need it, with the first connection. OpenSSL keeps its errors in a queue of the thread,
 * so each step clears it first and reads it at once.
 *
 * The rule: no handshake succeeds without the chain and the name (or the address) verified.
 */
#include "courier/tls.h"

#include "base/fail.h"
#include "base/log.h"
#include "courier/tls_name.h"
#include "model/tls_identity.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SESSION_AGE_S = 3600, HOST_NAME_MAX_BYTES = 255 };

struct tls {
    SSL_CTX *context; /* NULL until it is needed */
    char *ca_file;
};

/* OpenSSL hands over each new session; 1 means it is ours to free. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION **slot = SSL_get_app_data(ssl);
    SSL_SESSION_free(*slot);
    *slot = session;
    return 1;
}

/* Called for each verdict of OpenSSL's on the chain; only one of them is looked at again. */
static int reconsider(int good, X509_STORE_CTX *chain)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (good || host == NULL || X509_STORE_CTX_get_error(chain) != X509_V_ERR_HOSTNAME_MISMATCH ||
        !tls_name_matches(X509_STORE_CTX_get0_cert(chain), host))
        return good;
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
}

static void setup(SSL_CTX *context)
{
    static const unsigned char http11[] = "\x08http/1.1";
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, reconsider);
    SSL_CTX_set_alpn_protos(context, http11, sizeof(http11) - 1);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, keep_session);
}

/* Whether the file can be used is found out at the start, not at the first delivery. */
static bool check_file(const char *ca_file, struct error *error)
{
    X509_STORE *store = X509_STORE_new();
    bool good = store != NULL && X509_STORE_load_file(store, ca_file) == 1;
    if (!good) {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        error_set(error, ERROR_INVALID,
                  "--ca-file: %.200s holds no certificates that can be read (%s)", ca_file,
                  reason != NULL ? reason : "unknown error");
    }
    X509_STORE_free(store);
    ERR_clear_error();
    return good;
}

struct tls *tls_new(const char *ca_file, struct error *error)
{
    ERR_clear_error();
    if (ca_file != NULL && !check_file(ca_file, error))
        return NULL;
    struct tls *tls = must_alloc(sizeof(*tls));
    tls->ca_file = must_copy(ca_file);
    return tls;
}

void tls_free(struct tls *tls)
{
    SSL_CTX_free(tls->context);
    free(tls->ca_file);
    free(tls);
}

static const char *place(const char *variable, const char *otherwise)
{
    const char *set = getenv(variable);
    return set != NULL ? set : otherwise;
}

/* A folder is looked into for each certificate anew: that there is one is all that can be said. */
static void check_system(SSL_CTX *context)
{
    const char *file = place(X509_get_default_cert_file_env(), X509_get_default_cert_file());
    const char *folder = place(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
    const STACK_OF(X509_OBJECT) *read = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    if (sk_X509_OBJECT_num(read) == 0 && access(folder, R_OK | X_OK) != 0)
        log_warn("system_authorities_unreadable", LOG_T("file", file), LOG_T("directory", folder));
}

static SSL_CTX *context_of(struct tls *tls)
{
    if (tls->context != NULL)
        return tls->context;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_set_default_verify_paths(context) != 1)
        die("OpenSSL cannot start: %s", ERR_reason_error_string(ERR_peek_error()));
    check_system(context);
    if (tls->ca_file != NULL && SSL_CTX_load_verify_file(context, tls->ca_file) != 1)
        log_warn("ca_file_unreadable", LOG_T("file", tls->ca_file));
    setup(context);
    return tls->context = context;
}

/* It shares the store of authorities with all others, unless it has its own. */
SSL_CTX *tls_own(struct tls *tls, const struct tls_identity *identity)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        die("OpenSSL cannot start: %s", ERR_reason_error_string(ERR_peek_error()));
    if (identity->ca == NULL)
        SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(context_of(tls)));
    if (!tls_identity_use(identity, context)) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());
        log_error("tls_identity_unusable", LOG_T("reason", reason != NULL ? reason : ""));
        ERR_clear_error();
        SSL_CTX_free(context);
        return NULL;
    }
    setup(context);
    /* Some receivers see the path first and ask for a certificate then (RFC 8446 §4.6.2). */
    SSL_CTX_set_post_handshake_auth(context, identity->chain != NULL);
    return context;
}

void tls_prepare(struct tls *tls)
{
    context_of(tls);
}

static bool expect_host(SSL *ssl, const char *host)
{
    char name[HOST_NAME_MAX_BYTES + 1];
    struct in6_addr address;
    size_t len = strlen(host);
    if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    if (len > 0 &&
        host[len - 1] == '.') /* the DNS root's dot is not part of a certificate's name */
        len--;
    if (len == 0 || len >= sizeof(name))
        return false;
    memcpy(name, host, len);
    name[len] = '\0';
    X509_VERIFY_PARAM_set_hostflags(SSL_get0_param(ssl), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), name, len) == 1 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

static void offer_session(SSL *ssl, SSL_SESSION *session)
{
    if (session == NULL || !SSL_SESSION_is_resumable(session))
        return;
    if (time(NULL) - SSL_SESSION_get_time(session) > SESSION_AGE_S)
        return;
    SSL_set_session(ssl, session);
}

SSL *tls_start(struct tls *tls, SSL_CTX *own, int fd, const char *host, SSL_SESSION **session)
{
    ERR_clear_error();
    SSL *ssl = SSL_new(own != NULL ? own : context_of(tls));
    if (ssl == NULL)
        return NULL;
    if (SSL_set_fd(ssl, fd) != 1 || !expect_host(ssl, host)) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_app_data(ssl, session);
    offer_session(ssl, *session);
    SSL_set_connect_state(ssl);
    return ssl;
}

static enum io outcome(SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_NONE:
        return IO_DONE;
    case SSL_ERROR_WANT_READ:
        return IO_WAIT_READ;
    case SSL_ERROR_WANT_WRITE:
        return IO_WAIT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return IO_END;
    case SSL_ERROR_SSL:
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return IO_LOST;
        return IO_FAULT;
    default:
        return IO_LOST;
    }
}

enum io tls_handshake(SSL *ssl)
{
    ERR_clear_error();
    return outcome(ssl, SSL_do_handshake(ssl));
}

enum io tls_read(SSL *ssl, char *into, size_t size, size_t *moved)
{
    ERR_clear_error();
    return outcome(ssl, SSL_read_ex(ssl, into, size, moved));
}

enum io tls_write(SSL *ssl, const char *from, size_t len, size_t *moved)
{
    ERR_clear_error();
    return outcome(ssl, SSL_write_ex(ssl, from, len, moved));
}

#define REFUSED "the receiver refused our client certificate: it says that it "

static const struct {
    int reason;
    const char *words;
} reasons[] = {
    { SSL_R_WRONG_VERSION_NUMBER, "the receiver does not speak TLS on this port" },
    { SSL_R_UNSUPPORTED_PROTOCOL, "the receiver speaks no TLS of version 1.2 or later" },
    { SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the receiver speaks no TLS of version 1.2 or later" },
    { SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the receiver refused the handshake" },
    { SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL,
      "the receiver speaks HTTP/2 only; postbacks are sent by HTTP/1.1" },
    { SSL_R_TLSV1_UNRECOGNIZED_NAME, "the receiver has no certificate for this name" },
    { SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the receiver wants a client certificate" },
    { SSL_R_TLSV1_ALERT_UNKNOWN_CA, REFUSED "is of an authority that it does not know" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, REFUSED "has expired" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, REFUSED "is revoked" },
    { SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, REFUSED "is of a kind that it does not take" },
    { SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, REFUSED "is bad" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, REFUSED "is not acceptable" },
    { SSL_R_TLSV1_ALERT_ACCESS_DENIED, REFUSED "gives no access" },
};

static const char *verify_words(long verdict)
{
    switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "certificate is for another name";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "self-signed certificate";
    default:
        return X509_verify_cert_error_string(verdict);
    }
}

void tls_fault(SSL *ssl, char *out, size_t size)
{
    long verdict = SSL_get_verify_result(ssl);
    unsigned long code = ERR_peek_error();
    const char *words = ERR_reason_error_string(code);
    if (verdict != X509_V_OK)
        words = verify_words(verdict);
    else
        for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
            if (ERR_GET_REASON(code) == reasons[i].reason)
                words = reasons[i].words;
    snprintf(out, size, "%s", words != NULL ? words : "TLS failed");
}

void tls_end(SSL *ssl)
{
    ERR_clear_error();
    if (SSL_is_init_finished(ssl))
        SSL_shutdown(ssl);
    ERR_clear_error();
    SSL_free(ssl);
}
