/* totp.c — HMAC-SHA-1 is OpenSSL's; the rest is two loops over digits and letters.
 *
 * Every step that holds is tried, and compared in constant time, so that the time taken does not
 * tell which digits are right.
 */
#include "model/totp.h"

#include "base/fail.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 §6 */
/* Recovery codes are read off paper: no 0, 1, l, o. */
static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
enum { RECOVERY_LETTERS = 16, RECOVERY_GROUP = 4 };

uint32_t totp_number(const unsigned char *secret, size_t len, int64_t step, int digits)
{
    unsigned char text[8], mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    uint32_t most = 1;
    for (int i = 0; i < 8; i++)
        text[i] = (unsigned char)((uint64_t)step >> (56 - 8 * i));
    if (HMAC(EVP_sha1(), secret, (int)len, text, sizeof(text), mac, &mac_len) == NULL)
        die("HMAC-SHA-1 cannot be computed");
    const unsigned char *at = mac + (mac[mac_len - 1] & 15);
    uint32_t number = (uint32_t)(at[0] & 127) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
                      (uint32_t)at[3];
    sodium_memzero(mac, sizeof(mac));
    while (digits-- > 0)
        most *= 10;
    return number % most;
}

/* Six digits, between which there may be spaces. */
static bool read_code(const char *text, char out[TOTP_DIGITS + 1])
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        if (*text < '0' || *text > '9' || count == TOTP_DIGITS)
            return false;
        out[count++] = *text;
    }
    out[count] = '\0';
    return count == TOTP_DIGITS;
}

int64_t totp_step_of(const unsigned char secret[TOTP_SECRET_BYTES], const char *code,
                     int64_t now_ms, int64_t last)
{
    char given[TOTP_DIGITS + 1], right[16];
    int64_t now = now_ms / 1000 / TOTP_STEP_S, found = 0;
    if (!read_code(code, given))
        return 0;
    for (int64_t step = now - TOTP_STEPS_ASIDE; step <= now + TOTP_STEPS_ASIDE; step++) {
        snprintf(right, sizeof(right), "%0*u", TOTP_DIGITS,
                 totp_number(secret, TOTP_SECRET_BYTES, step, TOTP_DIGITS));
        if (sodium_memcmp(right, given, TOTP_DIGITS) == 0 && step > last && found == 0)
            found = step;
    }
    sodium_memzero(right, sizeof(right));
    return found;
}

void totp_secret_text(char out[TOTP_SECRET_TEXT], const unsigned char secret[TOTP_SECRET_BYTES])
{
    for (size_t i = 0; i < TOTP_SECRET_TEXT - 1; i++) {
        size_t bit = i * 5, at = bit / 8;
        unsigned pair = (unsigned)secret[at] << 8;
        if (at + 1 < TOTP_SECRET_BYTES)
            pair |= secret[at + 1];
        out[i] = base32[pair >> (11 - bit % 8) & 31];
    }
    out[TOTP_SECRET_TEXT - 1] = '\0';
}

static void add_encoded(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= '0' && byte <= '9') || strchr("-._~@", byte) != NULL;
        if (plain)
            buf_add(out, text, 1);
        else
            buf_fmt(out, "%%%02X", byte);
    }
}

void totp_uri(struct buf *out, const char *issuer, const char *who,
              const unsigned char secret[TOTP_SECRET_BYTES])
{
    char text[TOTP_SECRET_TEXT];
    totp_secret_text(text, secret);
    buf_str(out, "otpauth://totp/");
    add_encoded(out, issuer);
    buf_str(out, ":");
    add_encoded(out, who);
    buf_fmt(out, "?secret=%s&issuer=", text);
    add_encoded(out, issuer);
    buf_fmt(out, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, TOTP_STEP_S);
    sodium_memzero(text, sizeof(text));
}

void recovery_code_random(char out[RECOVERY_CODE_TEXT])
{
    size_t at = 0;
    for (int i = 0; i < RECOVERY_LETTERS; i++) {
        if (i > 0 && i % RECOVERY_GROUP == 0)
            out[at++] = '-';
        out[at++] = letters[randombytes_uniform(sizeof(letters) - 1)];
    }
    out[at] = '\0';
}

bool recovery_code_hash(unsigned char out[RECOVERY_HASH_BYTES], const char *code)
{
    char plain[RECOVERY_LETTERS];
    size_t count = 0;
    for (; *code != '\0'; code++) {
        char letter = (char)(*code >= 'A' && *code <= 'Z' ? *code - 'A' + 'a' : *code);
        if (letter == ' ' || letter == '-')
            continue;
        if (count == RECOVERY_LETTERS || strchr(letters, letter) == NULL)
            return false;
        plain[count++] = letter;
    }
    if (count == RECOVERY_LETTERS)
        crypto_generichash(out, RECOVERY_HASH_BYTES, (const unsigned char *)plain, count, NULL, 0);
    sodium_memzero(plain, sizeof(plain));
    return count == RECOVERY_LETTERS;
}
