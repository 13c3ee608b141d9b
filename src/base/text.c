/* text.c — see text.h. */
#include "base/text.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

bool text_int(const char *text, int64_t least, int64_t most, int64_t *value)
{
    bool negative = *text == '-';
    const char *at = text + negative;
    if (*at == '\0')
        return false;
    int64_t sum = 0; /* kept negative, so that INT64_MIN can be read */
    for (; *at != '\0'; at++) {
        if (*at < '0' || *at > '9')
            return false;
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_sub_overflow(sum, *at - '0', &sum))
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, sum, &sum))
        return false;
    if (sum < least || sum > most)
        return false;
    *value = sum;
    return true;
}

bool text_bool(const char *text, bool *value)
{
    static const char *const yes[] = { "true", "1", "yes", "on" };
    static const char *const no[] = { "false", "0", "no", "off" };
    for (size_t i = 0; i < 4; i++) {
        if (text_same(text, yes[i]) || text_same(text, no[i])) {
            *value = text_same(text, yes[i]);
            return true;
        }
    }
    return false;
}

/* Length of the UTF-8 sequence at `at`, 0 when it is none (RFC 3629: no surrogates, no overlong
 * forms, nothing above U+10FFFF). */
static size_t sequence(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char first, last, second_least, second_most;
        size_t len;
    } forms[] = {
        { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last)
            continue;
        size_t len = forms[i].len;
        if (len > left)
            return 0;
        if (len > 1 && (at[1] < forms[i].second_least || at[1] > forms[i].second_most))
            return 0;
        for (size_t j = 2; j < len; j++)
            if (at[j] < 0x80 || at[j] > 0xbf)
                return 0;
        return len;
    }
    return 0;
}

bool text_is_utf8(const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        if ((unsigned char)bytes[at] < 0x80) { /* nearly all of nearly every text */
            at++;
            continue;
        }
        size_t step = sequence((const unsigned char *)bytes + at, len - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

size_t text_length(const char *utf8)
{
    size_t length = 0;
    for (; *utf8 != '\0'; utf8++)
        length += ((unsigned char)*utf8 & 0xc0) != 0x80;
    return length;
}

bool text_same(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

bool text_contains(const char *text, const char *part)
{
    size_t len = strlen(part);
    for (; *text != '\0'; text++) {
        if (strncasecmp(text, part, len) == 0)
            return true;
    }
    return len == 0;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const char upper_hex[] = "0123456789ABCDEF";

static bool unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void text_percent_encode(struct buf *out, const char *bytes, size_t len)
{
    size_t plain = 0; /* start of the run not yet written */
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (unreserved(c))
            continue;
        buf_add(out, bytes + plain, i - plain);
        buf_add(out, (char[]){ '%', upper_hex[c >> 4], upper_hex[c & 15] }, 3);
        plain = i + 1;
    }
    buf_add(out, bytes + plain, len - plain);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool text_percent_decode(struct buf *out, const char *bytes, size_t len, bool plus_is_space)
{
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (c == '%') {
            int high = i + 2 < len ? hex_digit(bytes[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(bytes[i + 2]) : -1;
            if (high == -1 || low == -1)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0')
            return false;
        buf_char(out, c);
    }
    return !out->failed;
}

void text_hex(struct buf *out, const void *bytes, size_t len)
{
    char *room = buf_room(out, len * 2);
    if (room == NULL)
        return;
    sodium_bin2hex(room, len * 2 + 1, bytes, len);
    buf_grew(out, len * 2);
}

void text_base64(struct buf *out, const void *bytes, size_t len, bool url_safe)
{
    int variant =
        url_safe ? sodium_base64_VARIANT_URLSAFE_NO_PADDING : sodium_base64_VARIANT_ORIGINAL;
    size_t size = sodium_base64_encoded_len(len, variant); /* counts the NUL */
    char *room = buf_room(out, size - 1);
    if (room == NULL)
        return;
    sodium_bin2base64(room, size, bytes, len, variant);
    buf_grew(out, size - 1);
}

/* The six bits of a digit, -1 for none.  No table is looked up, so that the cache tells nothing of
 * a secret.  (libsodium's decoder took a twentieth of the whole road of an event.) */
static int base64_digit(unsigned char c, bool url_safe)
{
    int bits = -1;
    bits = c >= 'A' && c <= 'Z' ? c - 'A' : bits;
    bits = c >= 'a' && c <= 'z' ? c - 'a' + 26 : bits;
    bits = c >= '0' && c <= '9' ? c - '0' + 52 : bits;
    bits = c == (url_safe ? '-' : '+') ? 62 : bits;
    bits = c == (url_safe ? '_' : '/') ? 63 : bits;
    return bits;
}

bool text_unbase64(struct buf *out, const char *text, size_t len, bool url_safe)
{
    size_t padding = 0;
    while (!url_safe && padding < 2 && padding < len && text[len - padding - 1] == '=')
        padding++;
    if (!url_safe && len % 4 != 0)
        return false;
    len -= padding;
    char *room = len % 4 != 1 ? buf_room(out, len / 4 * 3 + 3) : NULL;
    if (room == NULL)
        return false;
    unsigned bits = 0;
    size_t made = 0;
    for (size_t i = 0; i < len; i++) {
        int digit = base64_digit((unsigned char)text[i], url_safe);
        if (digit == -1)
            return false;
        bits = bits << 6 | (unsigned)digit;
        if (i % 4 != 0)
            room[made++] = (char)(bits >> (6 - i % 4 * 2));
    }
    unsigned spare = len % 4 == 2 ? 15 : len % 4 == 3 ? 3 : 0; /* bits that must be zero */
    if ((bits & spare) != 0)
        return false;
    buf_grew(out, made);
    return true;
}
