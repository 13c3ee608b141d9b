/* certificates.h — lists of certificates as PEM text: taken apart, checked, shown. */
#ifndef POSTBACKD_CERTIFICATES_H
#define POSTBACKD_CERTIFICATES_H

#include "base/problem.h"

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

struct certificates {
    X509 **items;
    size_t count;
};

/* Between 1 and `most`; anything but certificates is a problem of `field`, which says what stands
 * where.  False with problems; free it in any case. */
bool certificates_read(struct certificates *out, const char *pem, size_t most, const char *field,
                       struct problems *problems);
void certificates_free(struct certificates *certificates);

void certificates_check_dates(const struct certificates *certificates, int64_t now_ms,
                              const char *field, struct problems *problems);
/* Each but the last was issued by the next. */
void certificates_check_order(const struct certificates *certificates, const char *field,
                              struct problems *problems);

json_t *certificates_show(const struct certificates *certificates, bool whole);
int64_t certificate_ends_at(const X509 *certificate); /* wall ms */

#endif
