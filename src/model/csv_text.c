/* csv_text.c — from the encodings of spreadsheets to UTF-8.
 *
 * The rule: nothing is guessed.  A file in which some bytes are UTF-8 and others are not is neither
 * UTF-8 nor Windows-1252, and is refused with the line.
 */
#include "model/csv_text.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

static void add_utf8(struct buf *out, uint32_t code)
{
    char bytes[4];
    size_t len = 0;
    if (code < 0x80) {
        bytes[len++] = (char)code;
    } else {
        if (code < 0x800) {
            bytes[len++] = (char)(0xc0 | code >> 6);
        } else {
            if (code < 0x10000) {
                bytes[len++] = (char)(0xe0 | code >> 12);
            } else {
                bytes[len++] = (char)(0xf0 | code >> 18);
                bytes[len++] = (char)(0x80 | (code >> 12 & 0x3f));
            }
            bytes[len++] = (char)(0x80 | (code >> 6 & 0x3f));
        }
        bytes[len++] = (char)(0x80 | (code & 0x3f));
    }
    buf_add(out, bytes, len);
}

static bool no_text(struct error *error, size_t line)
{
    error_set(error, ERROR_INVALID, "Line %zu: is not UTF-8 text; save the file as \"CSV UTF-8\"",
              line);
    return false;
}

/* ---- UTF-16 ---- */

static uint32_t unit(const unsigned char *at, bool big)
{
    return big ? (uint32_t)(at[0] << 8 | at[1]) : (uint32_t)(at[1] << 8 | at[0]);
}

static bool read_utf16(const unsigned char *at, size_t len, bool big, struct buf *out,
                       struct error *error)
{
    size_t line = 1;
    for (size_t i = 0; i < len; i += 2) {
        if (len - i < 2)
            return no_text(error, line);
        uint32_t code = unit(at + i, big);
        if (code >= 0xd800 && code < 0xdc00 && len - i >= 4) {
            uint32_t low = unit(at + i + 2, big);
            if (low < 0xdc00 || low > 0xdfff)
                return no_text(error, line);
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        } else if ((code >= 0xd800 && code <= 0xdfff) || code == 0) {
            return no_text(error, line);
        }
        line += code == '\n';
        add_utf8(out, code);
    }
    return true;
}

/* ---- bytes ---- */

/* 0x80 to 0x9f; 0: not in use. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

/* Bytes of the character of UTF-8 outside ASCII that begins here; 0: none does. */
static size_t wide_length(const char *at, size_t len)
{
    for (size_t i = 2; i <= 4 && i <= len; i++)
        if (text_is_utf8(at, i))
            return i;
    return 0;
}

struct bytes_seen {
    size_t wide;       /* characters of UTF-8 outside ASCII */
    size_t wrong_line; /* of the first byte that is none; 0: there is none */
    bool windows;      /* could it be Windows-1252? */
};

/* False: a NUL, which no text has. */
static bool look(const char *at, size_t len, struct bytes_seen *seen, struct error *error)
{
    size_t line = 1;
    *seen = (struct bytes_seen){ .windows = true };
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)at[i];
        if (c == '\0')
            return no_text(error, line);
        line += c == '\n' || (c == '\r' && (i + 1 == len || at[i + 1] != '\n'));
        if (c < 0x80)
            continue;
        size_t wide = wide_length(at + i, len - i);
        if (wide == 0 && seen->wrong_line == 0)
            seen->wrong_line = line;
        if (wide == 0 && c < 0xa0 && windows_1252[c - 0x80] == 0)
            seen->windows = false;
        seen->wide += wide > 0;
        i += wide > 0 ? wide - 1 : 0;
    }
    return true;
}

static void read_windows_1252(const char *at, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)at[i];
        add_utf8(out, c >= 0x80 && c < 0xa0 ? windows_1252[c - 0x80] : c);
    }
}

bool csv_text_read(const char *bytes, size_t len, struct buf *out, const char **notice,
                   struct error *error)
{
    const unsigned char *at = (const unsigned char *)bytes;
    struct bytes_seen seen;
    *notice = NULL;
    if (len >= 2 && ((at[0] == 0xff && at[1] == 0xfe) || (at[0] == 0xfe && at[1] == 0xff))) {
        if (!read_utf16(at + 2, len - 2, at[0] == 0xfe, out, error))
            return false;
    } else {
        bool marked = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
        if (marked) {
            bytes += 3;
            len -= 3;
        }
        if (!look(bytes, len, &seen, error))
            return false;
        if (seen.wrong_line != 0 && (marked || seen.wide > 0 || !seen.windows))
            return no_text(error, seen.wrong_line);
        if (seen.wrong_line == 0) {
            buf_add(out, bytes, len);
        } else {
            read_windows_1252(bytes, len, out);
            *notice = "The file is not UTF-8; it was read as Windows-1252 (Western European).";
        }
    }
    if (out->failed)
        error_set(error, ERROR_INVALID, "The file is too large");
    return !out->failed;
}
