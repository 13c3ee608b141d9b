/* text.h — small questions about strings, with every length checked. */
#ifndef POSTBACKD_TEXT_H
#define POSTBACKD_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool text_int(const char *text, int64_t least, int64_t most, int64_t *value); /* whole text */
bool text_bool(const char *text, bool *value); /* true/false, 1/0, yes/no, on/off */
bool text_is_utf8(const char *bytes, size_t len);
size_t text_length(const char *utf8);         /* in characters */
bool text_same(const char *a, const char *b); /* ASCII letters of either case are the same */
bool text_contains(const char *text, const char *part); /* likewise, anywhere in it */
bool text_starts(const char *text, const char *prefix);

void text_percent_encode(struct buf *out, const char *bytes, size_t len); /* RFC 3986 unreserved */
/* Decodes %XX and, if asked, '+' as space.  False on a bad escape or a NUL byte. */
bool text_percent_decode(struct buf *out, const char *bytes, size_t len, bool plus_is_space);

void text_hex(struct buf *out, const void *bytes, size_t len);                   /* lower case */
void text_base64(struct buf *out, const void *bytes, size_t len, bool url_safe); /* url: no '=' */
bool text_unbase64(struct buf *out, const char *text, size_t len, bool url_safe);

#endif
