/* The client over TLS: whom it trusts, what it says when it does not, sessions, keep-alive.
 * Certificates are made here, when the tests run. */
#include "exchanges.h"

#include "courier/tls_name.h"
#include "model/tls_identity.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static EVP_PKEY *key;   /* everybody's: it is names and dates that matter here */
static X509 *authority; /* signs the others; the client is told of it */
static char ca_path[] = "/tmp/postbackd-test-ca-XXXXXX";

struct wanted {
    const char *common_name, *alt_names; /* "DNS:localhost", "IP:127.0.0.1" */
    X509 *issuer;                        /* NULL: itself */
    long from_s, to_s;                   /* from now */
    bool is_authority;
};

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *certificate_with(const struct wanted *wanted)
{
    static long serial;
    X509 *certificate = X509_new();
    X509 *issuer = wanted->issuer != NULL ? wanted->issuer : certificate;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wanted->from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wanted->to_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)wanted->common_name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    X509_set_pubkey(certificate, key);
    if (wanted->is_authority)
        add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
    if (wanted->alt_names != NULL)
        add_extension(certificate, issuer, NID_subject_alt_name, wanted->alt_names);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

/* A receiver's TLS with such a certificate. */
static SSL_CTX *context_with(const struct wanted *wanted)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    X509 *certificate = certificate_with(wanted);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
    X509_free(certificate);
    return context;
}

static int make_authority(void **state)
{
    (void)state;
    const struct wanted wanted = { .common_name = "Test Authority",
                                   .to_s = 3600,
                                   .is_authority = true };
    key = EVP_EC_gen("P-256");
    authority = certificate_with(&wanted);
    FILE *file = fdopen(mkstemp(ca_path), "w");
    if (file == NULL || PEM_write_X509(file, authority) != 1)
        return -1;
    return fclose(file);
}

static int drop_authority(void **state)
{
    (void)state;
    unlink(ca_path);
    X509_free(authority);
    EVP_PKEY_free(key);
    return 0;
}

/* One exchange with a receiver of such a certificate, called by `host`. */
static struct attempt exchange_tls(SSL_CTX *context, script *run, const char *host,
                                   const struct client_config *config)
{
    struct side side;
    struct result result;
    struct receiver *receiver = receiver_start(run, context);
    receiver->text = ok;
    receiver->text_len = sizeof(ok) - 1;
    side_start(&side, config);
    const struct destination to = { .https = true, .host = host, .port = receiver->port };
    send_body(&side, &to, "POST", "/hook", "{}", 2, &result);
    await(&side, &result);
    side_stop(&side);
    receiver_stop(receiver);
    return result.attempt;
}

static struct attempt exchange_as(const struct wanted *wanted, const char *host, bool trusted)
{
    const struct client_config config = { .ca_file = trusted ? ca_path : NULL };
    SSL_CTX *context = context_with(wanted);
    struct attempt attempt = exchange_tls(context, script_answer, host, &config);
    SSL_CTX_free(context);
    return attempt;
}

static void expect_trusted(const struct wanted *wanted, const char *host)
{
    struct attempt attempt = exchange_as(wanted, host, true);
    expect_answer(&attempt, 200, "ok");
    attempt_free(&attempt);
}

static void expect_refused(const struct wanted *wanted, const char *host, bool trusted,
                           const char *words)
{
    struct attempt attempt = exchange_as(wanted, host, trusted);
    expect_error(&attempt, EXCHANGE_TLS, words);
    attempt_free(&attempt);
}

static void test_a_good_certificate_is_trusted(void **state)
{
    (void)state;
    const struct wanted wanted = { .common_name = "receiver",
                                   .alt_names = "DNS:localhost,IP:127.0.0.1",
                                   .issuer = authority,
                                   .from_s = -60,
                                   .to_s = 600 };
    expect_trusted(&wanted, "localhost");
    expect_trusted(&wanted, "127.0.0.1");
}

static void test_a_bad_certificate_is_refused_with_the_reason(void **state)
{
    (void)state;
    struct wanted wanted = { .common_name = "localhost",
                             .alt_names = "DNS:localhost",
                             .issuer = authority,
                             .from_s = -600,
                             .to_s = -60 };
    expect_refused(&wanted, "localhost", true, "certificate has expired");
    wanted.from_s = 600, wanted.to_s = 1200;
    expect_refused(&wanted, "localhost", true, "certificate is not yet valid");
    wanted.from_s = -60, wanted.to_s = 600;
    expect_refused(&wanted, "localhost", false, "unable to get local issuer certificate");
    expect_refused(&wanted, "127.0.0.1", true, "certificate is for another name");
    wanted.alt_names = "DNS:receiver.example";
    expect_refused(&wanted, "localhost", true, "certificate is for another name");
    wanted.issuer = NULL;
    wanted.alt_names = "DNS:localhost";
    expect_refused(&wanted, "localhost", true, "self-signed certificate");
}

/* R3: a wildcard stands for a label with an underscore, and for no more than it ever did. */
static void test_names_with_underscores_match_by_the_usual_rule(void **state)
{
    (void)state;
    static const struct {
        const char *common_name, *alt_names, *host;
        bool matches;
    } cases[] = {
        { "x", "DNS:*.shop.example", "my_host.shop.example", true },
        { "x", "DNS:*.Shop.Example", "MY_HOST.shop.example", true },
        { "x", "DNS:other.example,DNS:*.shop.example", "_a.shop.example", true },
        { "x", "DNS:my_host.shop.example", "my_host.shop.example", true },
        { "x", "DNS:*.my_shop.example", "host.my_shop.example", true },
        { "x", "DNS:*.my_shop.example", "my_host.my_shop.example", true },
        { "x", "DNS:*.xn--bcher-kva.example", "my_host.xn--bcher-kva.example", true },
        { "x", "DNS:*.shop.example", "a.my_host.shop.example", false },   /* one label only */
        { "x", "DNS:*.*.example", "my_host.shop.example", false },        /* one star only */
        { "x", "DNS:a.*.shop.example", "a.my_host.shop.example", false }, /* the first label */
        { "x", "DNS:my*.shop.example", "my_host.shop.example", false },   /* a whole label */
        { "x", "DNS:*_host.shop.example", "my_host.shop.example", false },
        { "x", "DNS:*.shop.example", "my_host.evil-shop.example", false },
        { "x", "DNS:*.shop.example", "my_host.shop.example.evil", false },
        { "x", "DNS:*.shop.example", "_.example", false },
        { "x", "DNS:*.shop.example", ".shop.example_", false },
        { "x", "DNS:*.example", "my_host.example", false }, /* of two labels at least */
        { "x", "DNS:*", "my_host", false },
        { "x", "DNS:*.shop.example", "my host_.shop.example", false },
        { "x", "DNS:*.shop.example", "my-host.shop.example", false }, /* OpenSSL's to judge */
        { "*.shop.example", NULL, "my_host.shop.example", true },
        { "*.shop.example", "DNS:other.example", "my_host.shop.example", false },
        { "*.shop.example", "IP:127.0.0.1", "my_host.shop.example", true },
        { "x", "IP:127.0.0.1", "127_0.0.1", false },
        { "x", "email:*.shop.example", "my_host.shop.example", false },
        { "x", "URI:https://*.shop.example", "my_host.shop.example", false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct wanted wanted = { .common_name = cases[i].common_name,
                                       .alt_names = cases[i].alt_names,
                                       .issuer = authority,
                                       .to_s = 600 };
        X509 *certificate = certificate_with(&wanted);
        if (tls_name_matches(certificate, cases[i].host) != cases[i].matches)
            fail_msg("%s, %s: expected to %s %s", cases[i].common_name,
                     cases[i].alt_names != NULL ? cases[i].alt_names : "no other names",
                     cases[i].matches ? "match" : "refuse", cases[i].host);
        X509_free(certificate);
    }
}

static _Atomic int named, unnamed;

static int on_name(SSL *ssl, int *alert, void *context)
{
    (void)alert;
    (void)context;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == NULL)
        unnamed++;
    else if (strcmp(name, "localhost") == 0)
        named++;
    return SSL_TLSEXT_ERR_OK;
}

static void test_the_receivers_name_is_sent_but_never_an_address(void **state)
{
    (void)state;
    const struct client_config config = { .ca_file = ca_path };
    const struct wanted wanted = { .common_name = "receiver",
                                   .alt_names = "DNS:localhost,IP:127.0.0.1",
                                   .issuer = authority,
                                   .to_s = 600 };
    SSL_CTX *context = context_with(&wanted);
    SSL_CTX_set_tlsext_servername_callback(context, on_name);
    static const char *const hosts[] = { "localhost", "127.0.0.1" };
    for (int i = 0; i < 2; i++) {
        struct attempt attempt = exchange_tls(context, script_answer, hosts[i], &config);
        expect_answer(&attempt, 200, "ok");
        attempt_free(&attempt);
    }
    assert_int_equal(named, 1);
    assert_int_equal(unnamed, 1);
    SSL_CTX_free(context);
}

static void test_old_versions_of_tls_are_refused(void **state)
{
    (void)state;
    const struct client_config config = { .ca_file = ca_path };
    const struct wanted wanted = {
        .common_name = "receiver", .alt_names = "DNS:localhost", .issuer = authority, .to_s = 600
    };
    SSL_CTX *context = context_with(&wanted);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    SSL_CTX_set_security_level(context, 0);
    struct attempt attempt = exchange_tls(context, script_answer, "localhost", &config);
    expect_error(&attempt, EXCHANGE_TLS, "no TLS of version 1.2 or later");
    SSL_CTX_free(context);
}

static void script_plain(struct peer *peer)
{
    peer_say(peer, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    peer_wait_for_close(peer);
}

static void script_close(struct peer *peer)
{
    (void)peer;
}

static void script_wait(struct peer *peer)
{
    peer_wait_for_close(peer);
}

static void test_a_receiver_that_does_not_speak_tls_is_told(void **state)
{
    (void)state;
    const struct client_config config = { .ca_file = ca_path, .deadline_ms = 300 };
    struct attempt attempt = exchange_tls(NULL, script_plain, "localhost", &config);
    expect_error(&attempt, EXCHANGE_TLS, "does not speak TLS");
    attempt = exchange_tls(NULL, script_close, "localhost", &config);
    expect_error(&attempt, EXCHANGE_TLS, "closed during the TLS handshake");
    attempt = exchange_tls(NULL, script_wait, "localhost", &config);
    expect_error(&attempt, EXCHANGE_TIMEOUT, "TLS handshake");
}

static void test_a_client_certificate_that_is_wanted_is_told(void **state)
{
    (void)state;
    const struct client_config config = { .ca_file = ca_path };
    const struct wanted wanted = {
        .common_name = "receiver", .alt_names = "DNS:localhost", .issuer = authority, .to_s = 600
    };
    SSL_CTX *context = context_with(&wanted);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    struct attempt attempt = exchange_tls(context, script_answer, "localhost", &config);
    expect_error(&attempt, EXCHANGE_TLS, "the receiver wants a client certificate");
    SSL_CTX_free(context);
}

static int only_http2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                      const unsigned char *in, unsigned in_len, void *context)
{
    (void)ssl, (void)out, (void)out_len, (void)in, (void)in_len, (void)context;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* R8: by an alert, where the receiver heeds what we offer. */
static void test_a_receiver_of_http2_only_is_told(void **state)
{
    (void)state;
    const struct client_config config = { .ca_file = ca_path };
    const struct wanted wanted = {
        .common_name = "receiver", .alt_names = "DNS:localhost", .issuer = authority, .to_s = 600
    };
    SSL_CTX *context = context_with(&wanted);
    SSL_CTX_set_alpn_select_cb(context, only_http2, NULL);
    struct attempt attempt = exchange_tls(context, script_answer, "localhost", &config);
    expect_error(&attempt, EXCHANGE_TLS, "speaks HTTP/2 only");
    SSL_CTX_free(context);
}

/* A body that ends with the connection, cut off below TLS: nobody can tell that it is whole. */
static void script_cut(struct peer *peer)
{
    if (peer_request(peer))
        peer_say(peer, "HTTP/1.1 200 OK\r\n\r\nis this all");
}

static void script_whole(struct peer *peer)
{
    script_cut(peer);
    SSL_shutdown(peer->ssl);
}

static void test_a_body_to_the_close_must_be_closed_in_order(void **state)
{
    (void)state;
    const struct client_config config = { .ca_file = ca_path };
    const struct wanted wanted = {
        .common_name = "receiver", .alt_names = "DNS:localhost", .issuer = authority, .to_s = 600
    };
    SSL_CTX *context = context_with(&wanted);
    struct attempt attempt = exchange_tls(context, script_cut, "localhost", &config);
    expect_error(&attempt, EXCHANGE_RESET, "before its answer was whole");
    attempt_free(&attempt);
    attempt = exchange_tls(context, script_whole, "localhost", &config);
    expect_answer(&attempt, 200, "is this all");
    attempt_free(&attempt);
    SSL_CTX_free(context);
}

static void script_echo(struct peer *peer)
{
    char head[100];
    while (peer_request(peer)) {
        snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                 peer->request_len);
        peer_say(peer, head);
        peer_say_bytes(peer, peer->in, peer->request_len);
    }
}

static void test_a_connection_is_kept_and_carries_much(void **state)
{
    (void)state;
    static char body[600000];
    const struct client_config config = { .ca_file = ca_path };
    const struct wanted wanted = {
        .common_name = "receiver", .alt_names = "DNS:localhost", .issuer = authority, .to_s = 600
    };
    SSL_CTX *context = context_with(&wanted);
    struct side side;
    struct result result;
    struct receiver *receiver = receiver_start(script_echo, context);
    side_start(&side, &config);
    const struct destination to = { .https = true, .host = "localhost", .port = receiver->port };
    memset(body, 'y', sizeof(body));
    for (int i = 0; i < 4; i++) {
        send_body(&side, &to, "POST", "/", body, i % 2 == 0 ? sizeof(body) : 10, &result);
        await(&side, &result);
        assert_int_equal(result.attempt.error, EXCHANGE_OK);
        assert_int_equal(result.attempt.status, 200);
        attempt_free(&result.attempt);
    }
    side_stop(&side);
    assert_int_equal(receiver->connections, 1);
    receiver_stop(receiver);
    SSL_CTX_free(context);
}

static void expect_resumed(int version)
{
    static const char closing[] =
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    const struct client_config config = { .ca_file = ca_path };
    const struct wanted wanted = {
        .common_name = "receiver", .alt_names = "DNS:localhost", .issuer = authority, .to_s = 600
    };
    SSL_CTX *context = context_with(&wanted);
    SSL_CTX_set_max_proto_version(context, version);
    struct side side;
    struct result result;
    struct receiver *receiver = receiver_start(script_answer_and_close, context);
    receiver->text = closing;
    receiver->text_len = sizeof(closing) - 1;
    side_start(&side, &config);
    const struct destination to = { .https = true, .host = "localhost", .port = receiver->port };
    for (int i = 0; i < 3; i++) {
        send_body(&side, &to, "POST", "/", "{}", 2, &result);
        await(&side, &result);
        expect_answer(&result.attempt, 200, "ok");
        attempt_free(&result.attempt);
    }
    side_stop(&side);
    assert_int_equal(receiver->connections, 3);
    assert_int_equal(receiver->resumed, 2);
    receiver_stop(receiver);
    SSL_CTX_free(context);
}

static void test_sessions_are_resumed(void **state)
{
    (void)state;
    expect_resumed(TLS1_2_VERSION);
    expect_resumed(TLS1_3_VERSION);
}

static void script_one_then_close(struct peer *peer)
{
    if (peer_request(peer) && peer_say(peer, ok))
        peer_request(peer);
    SSL_shutdown(peer->ssl);
}

static void test_a_kept_connection_found_closed_is_replaced(void **state)
{
    (void)state;
    const struct client_config config = { .ca_file = ca_path };
    const struct wanted wanted = {
        .common_name = "receiver", .alt_names = "DNS:localhost", .issuer = authority, .to_s = 600
    };
    SSL_CTX *context = context_with(&wanted);
    struct side side;
    struct result result;
    struct receiver *receiver = receiver_start(script_one_then_close, context);
    side_start(&side, &config);
    const struct destination to = { .https = true, .host = "localhost", .port = receiver->port };
    for (int i = 0; i < 3; i++) {
        send_body(&side, &to, "POST", "/", "{}", 2, &result);
        await(&side, &result);
        expect_answer(&result.attempt, 200, "ok");
        attempt_free(&result.attempt);
    }
    side_stop(&side);
    assert_int_equal(receiver->connections, 3);
    receiver_stop(receiver);
    SSL_CTX_free(context);
}

/* ---- identities of a notification's own ---- */

static json_t *pem_of(X509 *certificate)
{
    char *bytes;
    BIO *into = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(into, certificate), 1);
    long len = BIO_get_mem_data(into, &bytes);
    json_t *text = json_stringn(bytes, (size_t)len);
    BIO_free(into);
    return text;
}

static json_t *pem_of_key(void)
{
    char *bytes;
    BIO *into = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(into, key, NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(into, &bytes);
    json_t *text = json_stringn(bytes, (size_t)len);
    BIO_free(into);
    return text;
}

/* With this authority (NULL: the system's) and a client certificate of this name (NULL: none). */
static struct tls_identity *identity_with(X509 *ca, const char *name)
{
    struct problems problems = { 0 };
    json_t *from = json_object();
    if (ca != NULL)
        json_object_set_new(from, "CaCertificate", pem_of(ca));
    if (name != NULL) {
        const struct wanted wanted = { .common_name = name, .issuer = authority, .to_s = 600 };
        X509 *certificate = certificate_with(&wanted);
        json_object_set_new(from, "ClientCertificate", pem_of(certificate));
        json_object_set_new(from, "ClientKey", pem_of_key());
        X509_free(certificate);
    }
    struct tls_identity *identity =
        tls_identity_read(from, (int64_t)time(NULL) * 1000 + 1000, &problems);
    if (identity == NULL)
        fail_msg("%s %s", problems.items[0].field, problems.items[0].message);
    json_decref(from);
    return identity;
}

struct mutual { /* a receiver that wants a client certificate of the authority */
    struct side side;
    struct receiver *receiver;
    SSL_CTX *context;
};

static void mutual_start(struct mutual *mutual, script *run)
{
    const struct client_config config = { .ca_file = NULL };
    const struct wanted wanted = {
        .common_name = "receiver", .alt_names = "DNS:localhost", .issuer = authority, .to_s = 600
    };
    mutual->context = context_with(&wanted);
    SSL_CTX_set_verify(mutual->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_load_verify_file(mutual->context, ca_path);
    mutual->receiver = receiver_start(run, mutual->context);
    mutual->receiver->text = ok;
    mutual->receiver->text_len = sizeof(ok) - 1;
    side_start(&mutual->side, &config);
}

static void mutual_stop(struct mutual *mutual)
{
    side_stop(&mutual->side);
    receiver_stop(mutual->receiver);
    SSL_CTX_free(mutual->context);
}

static void mutual_send(struct mutual *mutual, const struct tls_identity *identity,
                        struct result *result)
{
    const struct destination to = {
        .https = true, .host = "localhost", .port = mutual->receiver->port, .identity = identity
    };
    send_body(&mutual->side, &to, "POST", "/", "{}", 2, result);
}

static void mutual_exchange(struct mutual *mutual, const struct tls_identity *identity)
{
    struct result result;
    mutual_send(mutual, identity, &result);
    await(&mutual->side, &result);
    expect_answer(&result.attempt, 200, "ok");
    attempt_free(&result.attempt);
}

static void test_connections_of_different_identities_are_not_shared(void **state)
{
    (void)state;
    struct mutual mutual;
    mutual_start(&mutual, script_answer);
    struct tls_identity *one = identity_with(authority, "one");
    struct tls_identity *other = identity_with(authority, "other");
    for (int i = 0; i < 3; i++) {
        mutual_exchange(&mutual, one);
        mutual_exchange(&mutual, other);
    }
    assert_int_equal(mutual.receiver->connections, 2);
    assert_int_equal(mutual.receiver->requests, 6);
    tls_identity_free(one);
    tls_identity_free(other);
    mutual_stop(&mutual);
}

static void test_without_its_identity_nothing_is_trusted_or_shown(void **state)
{
    (void)state;
    struct mutual mutual;
    struct result result;
    mutual_start(&mutual, script_answer);
    struct tls_identity *only_trusts = identity_with(authority, NULL);
    struct tls_identity *only_shows = identity_with(NULL, "one");
    mutual_send(&mutual, NULL, &result);
    await(&mutual.side, &result);
    expect_error(&result.attempt, EXCHANGE_TLS, "self-signed certificate in certificate chain");
    mutual_send(&mutual, only_shows, &result);
    await(&mutual.side, &result);
    expect_error(&result.attempt, EXCHANGE_TLS, "self-signed certificate in certificate chain");
    mutual_send(&mutual, only_trusts, &result);
    await(&mutual.side, &result);
    expect_error(&result.attempt, EXCHANGE_TLS, "wants a client certificate");
    assert_int_equal(mutual.receiver->requests, 0);
    tls_identity_free(only_trusts);
    tls_identity_free(only_shows);
    mutual_stop(&mutual);
}

static void test_a_forgotten_identity_keeps_no_connection(void **state)
{
    (void)state;
    struct mutual mutual;
    struct result result;
    struct client_figures figures;
    mutual_start(&mutual, script_answer);
    struct tls_identity *one = identity_with(authority, "one");
    struct tls_identity *other = identity_with(authority, "other");
    mutual_exchange(&mutual, one);
    mutual_exchange(&mutual, other);
    client_forget(mutual.side.client, one);
    client_figures(mutual.side.client, &figures);
    assert_int_equal(figures.open, 1);  /* the other's */
    mutual_send(&mutual, one, &result); /* under way when it is forgotten: it ends well … */
    client_forget(mutual.side.client, one);
    await(&mutual.side, &result);
    expect_answer(&result.attempt, 200, "ok");
    attempt_free(&result.attempt);
    client_figures(mutual.side.client, &figures);
    assert_int_equal(figures.open, 1); /* … and leaves nothing */
    mutual_exchange(&mutual, one);
    mutual_exchange(&mutual, other);
    assert_int_equal(mutual.receiver->connections, 4);
    tls_identity_free(one);
    tls_identity_free(other);
    mutual_stop(&mutual);
}

static void test_a_receivers_refusal_of_the_client_certificate_is_told(void **state)
{
    (void)state;
    struct mutual mutual;
    struct result result;
    const struct wanted stranger = { .common_name = "Stranger", .to_s = 600, .is_authority = true };
    mutual_start(&mutual, script_answer);
    X509 *unknown = certificate_with(&stranger), *known = authority;
    authority = unknown; /* who signs the next one */
    struct tls_identity *one = identity_with(known, "one");
    authority = known;
    mutual_send(&mutual, one, &result);
    await(&mutual.side, &result);
    expect_error(&result.attempt, EXCHANGE_TLS, "refused our client certificate");
    X509_free(unknown);
    tls_identity_free(one);
    mutual_stop(&mutual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_certificate_is_trusted),
        cmocka_unit_test(test_a_bad_certificate_is_refused_with_the_reason),
        cmocka_unit_test(test_names_with_underscores_match_by_the_usual_rule),
        cmocka_unit_test(test_the_receivers_name_is_sent_but_never_an_address),
        cmocka_unit_test(test_old_versions_of_tls_are_refused),
        cmocka_unit_test(test_a_receiver_that_does_not_speak_tls_is_told),
        cmocka_unit_test(test_a_client_certificate_that_is_wanted_is_told),
        cmocka_unit_test(test_a_receiver_of_http2_only_is_told),
        cmocka_unit_test(test_a_body_to_the_close_must_be_closed_in_order),
        cmocka_unit_test(test_a_connection_is_kept_and_carries_much),
        cmocka_unit_test(test_sessions_are_resumed),
        cmocka_unit_test(test_a_kept_connection_found_closed_is_replaced),
        cmocka_unit_test(test_connections_of_different_identities_are_not_shared),
        cmocka_unit_test(test_without_its_identity_nothing_is_trusted_or_shown),
        cmocka_unit_test(test_a_forgotten_identity_keeps_no_connection),
        cmocka_unit_test(test_a_receivers_refusal_of_the_client_certificate_is_told),
    };
    return cmocka_run_group_tests(tests, make_authority, drop_authority);
}
