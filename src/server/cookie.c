/* cookie.c — a Cookie header, read once from left to right.
 *
 * It is whatever somebody sent: nothing is decoded, nothing is taken over but the one value asked
 * for, and that only when every byte of it is one that a cookie's value may have.
 */
#include "server/cookie.h"

#include <string.h>

/* RFC 6265 §4.1.1: cookie-octet. */
static bool is_octet(char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

static bool is_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_octet(text[i]))
            return false;
    }
    return len > 0;
}

static size_t trimmed(const char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    return len;
}

bool cookie_read(const char *header, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name), value_len = 0;
    const char *value = NULL;

    out[0] = '\0';
    for (const char *at = header; *at != '\0';) {
        at += strspn(at, " \t;");
        size_t len = strcspn(at, ";");
        const char *pair = at;
        at += len;
        if (len <= name_len || memcmp(pair, name, name_len) != 0 || pair[name_len] != '=')
            continue;
        const char *found = pair + name_len + 1;
        size_t found_len = trimmed(found, len - name_len - 1);
        if (value != NULL && (found_len != value_len || memcmp(found, value, value_len) != 0))
            return false;
        value = found;
        value_len = found_len;
    }
    if (value == NULL || value_len >= size || !is_value(value, value_len))
        return false;
    memcpy(out, value, value_len);
    out[value_len] = '\0';
    return true;
}
