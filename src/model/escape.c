/* escape.c — one table says which bytes may stand as they are in which place.
 *
 * Every writer copies the longest run of such bytes at once and replaces the byte that ends it;
 * most values are one run.
 *
 * The rule that must never break: no value ends the place in which it stands.
 */
#include "model/escape.h"

#include "base/text.h"

#include <string.h>

enum {
    URL = 1,
    RAW = 2,
    FORM = 4,
    JSON = 8,
    XML = 16, /* in all of XML's places; the others are looked at one by one */
    NAME = 32,
    BOTH = JSON | XML,
    RESERVED = JSON | XML | RAW,
    ANYWHERE = URL | RAW | FORM | JSON | XML | NAME,
};

static const unsigned char plain[256] = {
    [' '] = BOTH,
    ['!'] = RESERVED,
    ['#'] = BOTH,
    ['$'] = RESERVED,
    ['%'] = BOTH,
    ['&'] = JSON | RAW,
    ['\''] = JSON,
    ['(' ... ')'] = RESERVED,
    ['*'] = RESERVED | FORM,
    ['+' ... ','] = RESERVED,
    ['-' ... '.'] = ANYWHERE,
    ['/'] = RESERVED,
    ['0' ... '9'] = ANYWHERE,
    [':' ... ';'] = RESERVED,
    ['<'] = JSON,
    ['='] = RESERVED,
    ['>'] = JSON,
    ['?' ... '@'] = RESERVED,
    ['A' ... 'Z'] = ANYWHERE,
    ['['] = RESERVED,
    ['\\'] = XML,
    [']'] = JSON | RAW,
    ['^'] = BOTH,
    ['_'] = ANYWHERE,
    ['`'] = BOTH,
    ['a' ... 'z'] = ANYWHERE,
    ['{' ... '}'] = BOTH,
    ['~'] = BOTH | URL | RAW,
    [0x7f] = BOTH,
    [0x80 ... 0xff] = JSON,
};

/* How many bytes from `at` on are plain in that place. */
static size_t run(const char *at, const char *end, int place)
{
    const char *start = at;
    while (at < end && (plain[(unsigned char)*at] & place) != 0)
        at++;
    return (size_t)(at - start);
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static void add_percent(struct buf *out, const char *at, const char *end, int place)
{
    static const char hex[] = "0123456789ABCDEF";
    while (at < end) {
        size_t len = run(at, end, place);
        buf_add(out, at, len);
        at += len;
        if (at == end)
            break;
        unsigned char c = (unsigned char)*at;
        if (place == FORM && c == ' ')
            buf_char(out, '+');
        else if (place == RAW && c == '%' && end - at >= 3 && is_hex(at[1]) && is_hex(at[2]))
            buf_char(out, '%');
        else
            buf_add(out, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
        at++;
    }
}

static void add_json(struct buf *out, const char *at, const char *end)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r',
        ['\t'] = 't', ['\b'] = 'b',  ['\f'] = 'f',
    };
    while (at < end) {
        size_t len = run(at, end, JSON);
        buf_add(out, at, len);
        at += len;
        if (at == end)
            break;
        unsigned char c = (unsigned char)*at++;
        if (letters[c] != 0)
            buf_add(out, (char[]){ '\\', letters[c] }, 2);
        else
            buf_add(out, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
    }
}

/* Most strings hold nothing to escape and are written at one go. */
static void add_json_quoted(struct buf *out, const char *bytes, size_t len)
{
    if (run(bytes, bytes + len, JSON) < len) {
        buf_char(out, '"');
        add_json(out, bytes, bytes + len);
        buf_char(out, '"');
        return;
    }
    char *room = buf_room(out, len + 2);
    if (room == NULL)
        return;
    room[0] = '"';
    memcpy(room + 1, bytes, len);
    room[len + 1] = '"';
    buf_grew(out, len + 2);
}

/* ---- XML ---- */

/* What a byte is replaced by in each place; NULL: it stands as it is.  In CDATA a ']' or '>' of a
 * value could end the section together with what stands beside it: the section is ended and
 * begun again around it. */
static const struct {
    char byte;
    const char *text, *attribute, *cdata;
} xml[] = {
    { '&', "&amp;", "&amp;", NULL },
    { '<', "&lt;", "&lt;", NULL },
    { '>', "&gt;", "&gt;", "]]>&gt;<![CDATA[" },
    { ']', NULL, NULL, "]]>]<![CDATA[" },
    { '"', NULL, "&quot;", NULL },
    { '\'', NULL, "&#39;", NULL },
    { '\t', NULL, "&#9;", NULL },
    { '\n', NULL, "&#10;", NULL },
    { '\r', "&#13;", "&#13;", "]]>&#13;<![CDATA[" },
};

static void add_xml_byte(struct buf *out, enum escape escape, char c)
{
    for (size_t i = 0; i < sizeof(xml) / sizeof(xml[0]); i++) {
        if (xml[i].byte != c)
            continue;
        const char *instead = escape == ESCAPE_XML_TEXT        ? xml[i].text
                              : escape == ESCAPE_XML_ATTRIBUTE ? xml[i].attribute
                                                               : xml[i].cdata;
        if (instead != NULL)
            buf_str(out, instead);
        else
            buf_char(out, c);
        return;
    }
    /* a control character: XML 1.0 has no way to write it */
}

/* The length of the character that begins at `at`, beyond ASCII; 0: none that XML allows. */
static size_t wide(const char *at, const char *end)
{
    unsigned char first = (unsigned char)*at;
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if ((size_t)(end - at) < len || !text_is_utf8(at, len))
        return 0;
    bool none = len == 3 && (memcmp(at, "\xef\xbf\xbe", 3) == 0 || /* U+FFFE */
                             memcmp(at, "\xef\xbf\xbf", 3) == 0);
    return none ? 0 : len;
}

static void add_xml(struct buf *out, enum escape escape, const char *at, const char *end)
{
    while (at < end) {
        size_t len = run(at, end, XML);
        buf_add(out, at, len);
        at += len;
        if (at == end)
            break;
        if ((unsigned char)*at < 0x80) {
            add_xml_byte(out, escape, *at++);
            continue;
        }
        len = wide(at, end);
        buf_add(out, at, len);
        at += len > 0 ? len : 1;
    }
}

void escape_add(struct buf *out, enum escape escape, const char *bytes, size_t len)
{
    const char *end = bytes + len;
    switch (escape) {
    case ESCAPE_NOTHING:
        buf_add(out, bytes, len);
        break;
    case ESCAPE_URL:
        add_percent(out, bytes, end, URL);
        break;
    case ESCAPE_URL_RAW:
        add_percent(out, bytes, end, RAW);
        break;
    case ESCAPE_FORM:
        add_percent(out, bytes, end, FORM);
        break;
    case ESCAPE_JSON:
        add_json(out, bytes, end);
        break;
    case ESCAPE_JSON_QUOTED:
        add_json_quoted(out, bytes, len);
        break;
    case ESCAPE_XML_TEXT:
    case ESCAPE_XML_ATTRIBUTE:
    case ESCAPE_XML_CDATA:
        add_xml(out, escape, bytes, end);
        break;
    }
}

void escape_xml_name(struct buf *out, const char *bytes, size_t len)
{
    char first = len > 0 ? bytes[0] : '\0';
    if (!((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_'))
        buf_char(out, '_'); /* a name begins with a letter */
    for (size_t i = 0; i < len; i++)
        buf_char(out, (plain[(unsigned char)bytes[i]] & NAME) != 0 ? bytes[i] : '_');
}

const char *clip(char out[CLIP_TEXT], const char *bytes, size_t len)
{
    static const char more[] = "…";
    if (len < CLIP_TEXT) {
        memcpy(out, bytes, len);
        out[len] = '\0';
        return out;
    }
    size_t fits = CLIP_TEXT - sizeof(more);
    while (fits > 0 && ((unsigned char)bytes[fits] & 0xc0) == 0x80)
        fits--;
    memcpy(out, bytes, fits);
    memcpy(out + fits, more, sizeof(more));
    return out;
}
