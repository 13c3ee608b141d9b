/* escape.h — writing a value where its own bytes would mean something else.
 *
 * Whatever the bytes are, what is written is one value in its place and nothing besides.  Values
 * are UTF-8; a sequence that is not is written byte by byte where the format allows, and left out
 * of XML.
 */
#ifndef POSTBACKD_ESCAPE_H
#define POSTBACKD_ESCAPE_H

#include "base/buf.h"

#include <stddef.h>

enum escape {
    ESCAPE_NOTHING,       /* plain text */
    ESCAPE_URL,           /* path or query: all but RFC 3986 §2.3's unreserved as %XX */
    ESCAPE_URL_RAW,       /* the reserved ones (§2.2, but '#' and quotes) and %XX stay too */
    ESCAPE_FORM,          /* application/x-www-form-urlencoded: space as '+' */
    ESCAPE_JSON,          /* inside a JSON string, without its quotes (RFC 8259 §7) */
    ESCAPE_JSON_QUOTED,   /* a JSON string with its quotes */
    ESCAPE_XML_TEXT,      /* between tags; what XML 1.0 §2.2 forbids is left out, here and below */
    ESCAPE_XML_ATTRIBUTE, /* in a quoted attribute's value: line breaks and tabs survive (§3.3.3) */
    ESCAPE_XML_CDATA,     /* in a CDATA section */
};

void escape_add(struct buf *out, enum escape escape, const char *bytes, size_t len);

/* An XML element's name made of any text: letters, digits, '-', '.' and '_' stay, all else is
 * '_'. */
void escape_xml_name(struct buf *out, const char *bytes, size_t len);

/* Copies what fits of text that came from outside, to be quoted in a message: whole characters,
 * "…" at the end when it was cut.  Gives out. */
enum { CLIP_TEXT = 64 };
const char *clip(char out[CLIP_TEXT], const char *bytes, size_t len);

#endif
