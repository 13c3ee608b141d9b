/* tls_identity.c — checked when set, put into OpenSSL's context when used.
 *
 * The texts are kept as they came; what they hold is taken out of them each time it is shown or
 * used, which is seldom.
 *
 * The rule that must never break: the key goes nowhere but into tls_identity_write(), for sealing,
 * and into a context; every copy of it made here is wiped.
 */
#include "model/tls_identity.h"

#include "base/fail.h"
#include "model/certificates.h"
#include "model/show.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char ca_field[] = "CaCertificate", chain_field[] = "ClientCertificate",
                  key_field[] = "ClientKey";

static void wipe(char *text)
{
    if (text != NULL)
        sodium_memzero(text, strlen(text));
    free(text);
}

void tls_identity_free(struct tls_identity *identity)
{
    if (identity == NULL)
        return;
    wipe(identity->ca);
    wipe(identity->chain);
    wipe(identity->key);
    sodium_memzero(identity, sizeof(*identity));
    free(identity);
}

bool tls_identity_same(const struct tls_identity *one, const struct tls_identity *other)
{
    if (one == NULL || other == NULL)
        return one == other;
    return memcmp(one->digest, other->digest, TLS_DIGEST_BYTES) == 0;
}

/* ---- keeping ---- */

static struct certificates list_of(const char *pem, size_t most)
{
    struct problems problems = { 0 };
    struct certificates list = { 0 };
    if (pem != NULL)
        certificates_read(&list, pem, most, "", &problems);
    problems_free(&problems);
    return list;
}

static int64_t first_end(const struct tls_identity *identity)
{
    struct certificates chain = list_of(identity->chain, TLS_CHAIN_MOST);
    int64_t first = -1;

    for (size_t i = 0; i < chain.count; i++) {
        int64_t ends = certificate_ends_at(chain.items[i]);
        if (first == -1 || ends < first)
            first = ends;
    }
    certificates_free(&chain);
    return first;
}

static void sum_up(struct tls_identity *identity)
{
    const char *texts[] = { identity->ca, identity->chain, identity->key };
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, TLS_DIGEST_BYTES);
    for (size_t i = 0; i < 3; i++) {
        const char *text = texts[i] != NULL ? texts[i] : "";
        crypto_generichash_update(&state, (const unsigned char *)text, strlen(text) + 1);
    }
    crypto_generichash_final(&state, identity->digest, TLS_DIGEST_BYTES);
    sodium_memzero(&state, sizeof(state));
}

static char *text_of(const json_t *from, const char *name)
{
    const char *text = json_string_value(json_object_get(from, name));
    return text != NULL && *text != '\0' ? must_copy(text) : NULL;
}

struct tls_identity *tls_identity_kept(const json_t *written)
{
    if (!json_is_object(written))
        return NULL;
    struct tls_identity *identity = must_alloc(sizeof(*identity));
    identity->ca = text_of(written, ca_field);
    identity->chain = text_of(written, chain_field);
    identity->key = text_of(written, key_field);
    sum_up(identity);
    identity->ends_at = first_end(identity);
    return identity;
}

json_t *tls_identity_write(const struct tls_identity *identity)
{
    json_t *object = json_object();
    if (identity->ca != NULL)
        json_object_set_new(object, ca_field, json_string(identity->ca));
    if (identity->chain != NULL)
        json_object_set_new(object, chain_field, json_string(identity->chain));
    if (identity->key != NULL)
        json_object_set_new(object, key_field, json_string(identity->key));
    return object;
}

/* ---- checking ---- */

static bool check_text(const json_t *from, const char *field, size_t most,
                       struct problems *problems)
{
    const json_t *given = json_object_get(from, field);
    const char *text = json_string_value(given);

    if (given == NULL || json_is_null(given))
        return true;
    if (text == NULL || strlen(text) != json_string_length(given))
        problems_add(problems, field, "must be text in PEM");
    else if (strlen(text) > most)
        problems_add(problems, field, "must have at most %zu characters", most);
    else
        return true;
    return false;
}

/* OpenSSL asks for a passphrase: there is none. */
static int no_passphrase(char *out, int size, int writing, void *asked)
{
    (void)out;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static EVP_PKEY *key_of(const char *pem, bool *asked)
{
    BIO *from = BIO_new_mem_buf(pem, -1);
    if (from == NULL)
        die("out of memory");
    ERR_clear_error();
    EVP_PKEY *key = PEM_read_bio_PrivateKey(from, NULL, no_passphrase, asked);
    BIO_free(from);
    return key;
}

static void check_key(const struct tls_identity *identity, const X509 *first,
                      struct problems *problems)
{
    bool asked = false;
    EVP_PKEY *key = key_of(identity->key, &asked);

    if (key == NULL && asked)
        problems_add(problems, key_field,
                     "has a passphrase; give it without one: it is kept "
                     "sealed");
    else if (key == NULL)
        problems_add(problems, key_field, "must be PEM: -----BEGIN PRIVATE KEY----- …");
    else if (EVP_PKEY_get_bits(key) > TLS_KEY_BITS_MOST)
        problems_add(problems, key_field, "has %d bits; at most %d are taken",
                     EVP_PKEY_get_bits(key), TLS_KEY_BITS_MOST);
    else if (first != NULL && X509_check_private_key(first, key) != 1)
        problems_add(problems, key_field, "is not the key of the first certificate in %s",
                     chain_field);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

static void check_ca(const struct tls_identity *identity, int64_t now_ms, struct problems *problems)
{
    struct certificates list;
    if (certificates_read(&list, identity->ca, TLS_CA_MOST, ca_field, problems))
        certificates_check_dates(&list, now_ms, ca_field, problems);
    certificates_free(&list);
}

static void check_client(const struct tls_identity *identity, int64_t now_ms,
                         struct problems *problems)
{
    struct certificates list = { 0 };
    if (identity->chain == NULL)
        problems_add(problems, chain_field, "is required with %s", key_field);
    else if (certificates_read(&list, identity->chain, TLS_CHAIN_MOST, chain_field, problems)) {
        certificates_check_dates(&list, now_ms, chain_field, problems);
        certificates_check_order(&list, chain_field, problems);
    }
    if (identity->key == NULL)
        problems_add(problems, key_field, "is required with %s", chain_field);
    else
        check_key(identity, list.count > 0 ? list.items[0] : NULL, problems);
    certificates_free(&list);
}

/* Too weak a key, or whatever else this OpenSSL does not take. */
static void check_use(const struct tls_identity *identity, struct problems *problems)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        die("out of memory");
    if (!tls_identity_use(identity, context)) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());
        problems_add(problems, identity->chain != NULL ? chain_field : ca_field,
                     "cannot be used for TLS: %s", reason != NULL ? reason : "it is refused");
    }
    ERR_clear_error();
    SSL_CTX_free(context);
}

struct tls_identity *tls_identity_read(const json_t *from, int64_t now_ms,
                                       struct problems *problems)
{
    size_t before = problems->count;
    bool texts = check_text(from, ca_field, TLS_CA_MAX, problems);
    texts = check_text(from, chain_field, TLS_CHAIN_MAX, problems) && texts;
    texts = check_text(from, key_field, TLS_KEY_MAX, problems) && texts;
    if (!texts)
        return NULL;
    struct tls_identity *identity = tls_identity_kept(from);
    if (identity == NULL ||
        (identity->ca == NULL && identity->chain == NULL && identity->key == NULL))
        problems_add(problems, ca_field, "is required, or %s with %s", chain_field, key_field);
    else {
        if (identity->ca != NULL)
            check_ca(identity, now_ms, problems);
        if (identity->chain != NULL || identity->key != NULL)
            check_client(identity, now_ms, problems);
        if (problems->count == before)
            check_use(identity, problems);
    }
    if (problems->count == before)
        return identity;
    tls_identity_free(identity);
    return NULL;
}

/* ---- use ---- */

static bool use_ca(const struct tls_identity *identity, SSL_CTX *context)
{
    struct certificates list = list_of(identity->ca, TLS_CA_MOST);
    X509_STORE *store = X509_STORE_new();
    bool good = store != NULL && list.count > 0;

    for (size_t i = 0; good && i < list.count; i++)
        good = X509_STORE_add_cert(store, list.items[i]) == 1;
    if (good) /* what was given is trusted, be it a root or not */
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    if (good)
        SSL_CTX_set_cert_store(context, store);
    else
        X509_STORE_free(store);
    certificates_free(&list);
    return good;
}

static bool use_client(const struct tls_identity *identity, SSL_CTX *context)
{
    struct certificates list = list_of(identity->chain, TLS_CHAIN_MOST);
    bool asked;
    EVP_PKEY *key = key_of(identity->key, &asked);
    bool good = key != NULL && list.count > 0 &&
                SSL_CTX_use_certificate(context, list.items[0]) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1;

    for (size_t i = 1; good && i < list.count; i++)
        good = SSL_CTX_add1_chain_cert(context, list.items[i]) == 1;
    EVP_PKEY_free(key);
    certificates_free(&list);
    return good;
}

bool tls_identity_use(const struct tls_identity *identity, SSL_CTX *context)
{
    return (identity->ca == NULL || use_ca(identity, context)) &&
           (identity->chain == NULL || use_client(identity, context));
}

/* ---- showing ---- */

json_t *tls_identity_show(const struct tls_identity *identity, bool whole)
{
    json_t *shown = json_object();
    struct certificates ca = { 0 }, chain = { 0 };

    if (identity != NULL) {
        ca = list_of(identity->ca, TLS_CA_MOST);
        chain = list_of(identity->chain, TLS_CHAIN_MOST);
    }
    json_object_set_new(shown, "CaCertificates", certificates_show(&ca, whole));
    json_object_set_new(shown, "ClientCertificates", certificates_show(&chain, whole));
    if (whole)
        show_bool(shown, "HasClientKey", identity != NULL && identity->key != NULL);
    certificates_free(&ca);
    certificates_free(&chain);
    return shown;
}
