/* signature.h — Standard Webhooks signatures (standardwebhooks.com, version 1).
 *
 * "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body".  Secrets are written
 * "whsec_" and base64, 24 to 64 bytes.
 */
#ifndef POSTBACKD_SIGNATURE_H
#define POSTBACKD_SIGNATURE_H

#include "base/buf.h"
#include "model/notification.h"

void signature_add(struct buf *out, const struct signing_secret *secret, const char *id,
                   int64_t timestamp_s, const char *body, size_t body_len);
void secret_write(struct buf *out, const struct signing_secret *secret);
bool secret_read(struct signing_secret *secret, const char *text);
void secret_random(struct signing_secret *secret);

#endif
