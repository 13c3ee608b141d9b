/* certificates.c — PEM text to certificates by OpenSSL, block by block.
 *
 * Text around the blocks is allowed, as tools print it; a block that is no certificate is not,
 * since a private key pasted into the wrong field would otherwise be shown to nobody and kept
 * where it does not belong.
 *
 * The rule: no byte of a block goes into a message, and every block is wiped.
 */
#include "model/certificates.h"

#include "base/fail.h"
#include "model/date.h"
#include "model/show.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAME_TEXT = 400 };

static bool is_certificate(const char *kind)
{
    return strcmp(kind, PEM_STRING_X509) == 0 || strcmp(kind, PEM_STRING_X509_OLD) == 0;
}

/* The next block, decoded.  False: there is none, or it is damaged (*damaged). */
static bool next_block(BIO *from, X509 **certificate, char kind_out[64], bool *damaged)
{
    char *kind = NULL, *header = NULL;
    unsigned char *bytes = NULL;
    long len = 0;

    ERR_clear_error();
    *certificate = NULL;
    if (PEM_read_bio(from, &kind, &header, &bytes, &len) != 1) {
        unsigned long code = ERR_peek_last_error();
        *damaged = ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE;
        ERR_clear_error();
        return false;
    }
    const unsigned char *at = bytes;
    show_cut(kind_out, 64, kind);
    if (is_certificate(kind))
        *certificate = d2i_X509(NULL, &at, len);
    OPENSSL_free(kind);
    OPENSSL_free(header);
    OPENSSL_clear_free(bytes, (size_t)len);
    ERR_clear_error();
    return true;
}

static bool take(struct certificates *out, X509 *certificate, const char *kind, const char *field,
                 struct problems *problems)
{
    if (certificate == NULL && !is_certificate(kind))
        problems_add(problems, field, "may hold certificates only; block %zu is a %s",
                     out->count + 1, kind);
    else if (certificate == NULL)
        problems_add(problems, field, "certificate %zu cannot be read", out->count + 1);
    else
        out->items[out->count++] = certificate;
    return certificate != NULL;
}

bool certificates_read(struct certificates *out, const char *pem, size_t most, const char *field,
                       struct problems *problems)
{
    BIO *from = BIO_new_mem_buf(pem, -1);
    size_t before = problems->count;
    X509 *certificate;
    char kind[64];
    bool damaged = false;

    if (from == NULL)
        die("out of memory");
    *out = (struct certificates){ .items = must_alloc(most * sizeof(X509 *)) };
    while (next_block(from, &certificate, kind, &damaged)) {
        if (out->count == most) {
            problems_add(problems, field, "may hold at most %zu certificates", most);
            X509_free(certificate);
            break;
        }
        if (!take(out, certificate, kind, field, problems))
            break;
    }
    BIO_free(from);
    if (damaged)
        problems_add(problems, field,
                     "block %zu is damaged: its lines are not base64, or its END "
                     "is missing",
                     out->count + 1);
    else if (out->count == 0 && problems->count == before)
        problems_add(problems, field, "must be PEM: -----BEGIN CERTIFICATE----- …");
    return problems->count == before;
}

void certificates_free(struct certificates *certificates)
{
    for (size_t i = 0; i < certificates->count; i++)
        X509_free(certificates->items[i]);
    free(certificates->items);
    *certificates = (struct certificates){ 0 };
}

/* ---- checks ---- */

static int64_t ms_of(const ASN1_TIME *time)
{
    struct tm at = { 0 };
    if (ASN1_TIME_to_tm(time, &at) != 1)
        return 0;
    return (int64_t)timegm(&at) * 1000;
}

int64_t certificate_ends_at(const X509 *certificate)
{
    return ms_of(X509_get0_notAfter(certificate));
}

void certificates_check_dates(const struct certificates *certificates, int64_t now_ms,
                              const char *field, struct problems *problems)
{
    for (size_t i = 0; i < certificates->count; i++) {
        char date[DATE_TEXT];
        int64_t starts = ms_of(X509_get0_notBefore(certificates->items[i]));
        int64_t ends = certificate_ends_at(certificates->items[i]);
        if (ends <= now_ms) {
            problems_add(problems, field, "certificate %zu ended on %s", i + 1,
                         date_format(date, ends));
        } else if (starts > now_ms) {
            problems_add(problems, field, "certificate %zu is not valid before %s", i + 1,
                         date_format(date, starts));
        }
    }
}

void certificates_check_order(const struct certificates *certificates, const char *field,
                              struct problems *problems)
{
    for (size_t i = 1; i < certificates->count; i++)
        if (X509_check_issued(certificates->items[i], certificates->items[i - 1]) != X509_V_OK)
            problems_add(problems, field,
                         "certificate %zu did not issue certificate %zu; put postbackd's own "
                         "first, then who issued it",
                         i + 1, i);
    ERR_clear_error();
}

/* ---- showing ---- */

/* As RFC 2253 writes it; what is not UTF-8 is escaped. */
static void show_name(json_t *object, const char *member, const X509_NAME *name)
{
    static const unsigned long flags[] = { XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB,
                                           XN_FLAG_RFC2253 };
    json_t *shown = NULL;

    for (size_t i = 0; i < 2 && shown == NULL; i++) {
        BIO *into = BIO_new(BIO_s_mem());
        char text[NAME_TEXT], *bytes;
        if (into == NULL)
            die("out of memory");
        X509_NAME_print_ex(into, name, 0, flags[i]);
        BIO_write(into, "", 1);
        BIO_get_mem_data(into, &bytes);
        show_cut(text, sizeof(text), bytes);
        shown = json_string(text);
        BIO_free(into);
    }
    json_object_set_new(object, member, shown != NULL ? shown : json_string(""));
}

static void show_serial(json_t *object, const X509 *certificate)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *text = number != NULL ? BN_bn2hex(number) : NULL;

    show_text(object, "SerialNumber", text);
    OPENSSL_free(text);
    BN_free(number);
}

json_t *certificates_show(const struct certificates *certificates, bool whole)
{
    json_t *list = json_array();

    for (size_t i = 0; i < certificates->count; i++) {
        const X509 *certificate = certificates->items[i];
        json_t *shown = json_object();
        show_name(shown, "Subject", X509_get_subject_name(certificate));
        if (whole) {
            show_name(shown, "Issuer", X509_get_issuer_name(certificate));
            show_serial(shown, certificate);
            show_date(shown, "StartDate", ms_of(X509_get0_notBefore(certificate)));
        }
        show_date(shown, "EndDate", certificate_ends_at(certificate));
        json_array_append_new(list, shown);
    }
    return list;
}
