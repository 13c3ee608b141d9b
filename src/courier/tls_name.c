/* tls_name.c — the names of a certificate against a host's that has an underscore.
 *
 * The rule: a “*” stands for one whole label, the first, and for nothing else.
 */
#include "courier/tls_name.h"

#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

static const char label_bytes[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

/* A NUL inside a certificate's name ends no comparison: lengths are compared first. */
static bool same(const char *name, size_t len, const char *text)
{
    return len == strlen(text) && strncasecmp(name, text, len) == 0;
}

static bool name_is(const ASN1_STRING *string, const char *host)
{
    const char *name = (const char *)ASN1_STRING_get0_data(string);
    size_t len = (size_t)ASN1_STRING_length(string);
    if (same(name, len, host))
        return true;
    size_t label = strspn(host, label_bytes);
    const char *rest = host + label;
    return len > 2 && name[0] == '*' && label > 0 && rest[0] == '.' &&
           strchr(rest + 1, '.') != NULL && same(name + 1, len - 1, rest);
}

static bool common_name_is(const X509 *certificate, const char *host)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        if (name_is(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), host))
            return true;
    return false;
}

bool tls_name_matches(const X509 *certificate, const char *host)
{
    if (strchr(host, '_') == NULL)
        return false;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool found = false, any = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        any = true;
        found = name_is(name->d.dNSName, host);
    }
    GENERAL_NAMES_free(names);
    return found || (!any && common_name_is(certificate, host));
}
