/* cookie.h — one value out of a Cookie header: name=value pairs with ';' between (RFC 6265 §4.2).
 */
#ifndef POSTBACKD_COOKIE_H
#define POSTBACKD_COOKIE_H

#include <stdbool.h>
#include <stddef.h>

/* Copies the value of the cookie to out.  False, and out is "", when there is none of the name;
 * when its value is empty, longer than size - 1, or has other bytes than a cookie may; or when
 * there are two of the name that differ: a neighbour may have set one of them, and nothing tells
 * which. Other cookies may be as they like: they are other programs' on the same host. */
bool cookie_read(const char *header, const char *name, char *out, size_t size);

#endif
