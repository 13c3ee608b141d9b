/* signature.c — Standard Webhooks signatures and the text form of their secrets.
 *
 * The signed text is fed to HMAC-SHA256 piece by piece, so no copy of a body is made.  Base64 is
 * libsodium's, into buffers of this file's own, so that no copy of a secret stays in memory that
 * somebody else frees.
 *
 * The rule that must never break: what held a secret is wiped before it is given back.
 */
#include "model/signature.h"

#include "base/text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char secret_prefix[] = "whsec_";
enum { SECRET_LEAST = 24, SECRET_MOST = sizeof(((struct signing_secret *)0)->bytes) };

void signature_add(struct buf *out, const struct signing_secret *secret, const char *id,
                   int64_t timestamp_s, const char *body, size_t body_len)
{
    crypto_auth_hmacsha256_state state;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    char text[sodium_base64_ENCODED_LEN(sizeof(mac), sodium_base64_VARIANT_ORIGINAL)];
    char stamp[24];
    int stamp_len = snprintf(stamp, sizeof(stamp), ".%lld.", (long long)timestamp_s);

    crypto_auth_hmacsha256_init(&state, secret->bytes, secret->len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)id, strlen(id));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)stamp, (size_t)stamp_len);
    if (body_len > 0)
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, body_len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof(state)); /* its pads give the key away */

    sodium_bin2base64(text, sizeof(text), mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
    buf_str(out, "v1,");
    buf_str(out, text);
}

void secret_write(struct buf *out, const struct signing_secret *secret)
{
    char text[sodium_base64_ENCODED_LEN(SECRET_MOST, sodium_base64_VARIANT_ORIGINAL)];
    sodium_bin2base64(text, sizeof(text), secret->bytes, secret->len,
                      sodium_base64_VARIANT_ORIGINAL);
    buf_str(out, secret_prefix);
    buf_str(out, text);
    sodium_memzero(text, sizeof(text));
}

bool secret_read(struct signing_secret *secret, const char *text)
{
    struct signing_secret read = { .len = 0 };
    bool right = false;

    if (!text_starts(text, secret_prefix))
        return false;
    text += sizeof(secret_prefix) - 1;
    if (sodium_base642bin(read.bytes, sizeof(read.bytes), text, strlen(text), NULL, &read.len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) == 0 &&
        read.len >= SECRET_LEAST) {
        *secret = read;
        right = true;
    }
    sodium_memzero(&read, sizeof(read));
    return right;
}

void secret_random(struct signing_secret *secret)
{
    sodium_memzero(secret, sizeof(*secret));
    randombytes_buf(secret->bytes, SECRET_BYTES);
    secret->len = SECRET_BYTES;
}
