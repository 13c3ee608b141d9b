/* url.h — the URL of an event notification, taken apart and checked.
 *
 * http or https, a host that is a DNS name or an IP literal, a port from 1 to 65535, then path and
 * query, which alone may hold tokens.  No user:password@, no fragment, no spaces or control bytes,
 * nothing outside ASCII (RFC 3986); what stands inside a token is the template's to judge.
 */
#ifndef POSTBACKD_URL_H
#define POSTBACKD_URL_H

#include "base/buf.h"
#include "base/problem.h"
#include "model/notification.h"

/* Fills *to (the host is owned by the caller, free() it) and *target_at, where path and query
 * start in the URL.  False with one problem under `field`, which says the place. */
bool url_check(const char *url, struct url_parts *to, size_t *target_at, const char *field,
               struct problems *problems);

/* Whether the path (up to the first '?') has a segment that is "." or "..", by which a receiver
 * would take another path for it: RFC 3986 §5.2.4.  Receivers differ in what they undo before they
 * look, so %XX (also of %XX), what stands behind ';' in a segment, and spaces and controls around
 * it are undone, and '\\' and an encoded '/' part segments too; an encoded '?' or '#' ends the
 * path. */
bool url_has_dot_segment(const char *target, size_t len);

/* Whether there is a '?' outside of tokens. */
bool url_has_query(const char *target);

/* "https://host:8443" or, for the Host header, "host:8443": IPv6 in brackets, the port unless it
 * is the scheme's own. */
void url_origin(struct buf *out, const struct url_parts *to);
void url_host(struct buf *out, const struct url_parts *to);
/* "https://host:8443", the port always written and an IPv6 address in its shortest form: the same
 * for all spellings of one scheme, host and port. */
void url_authority(struct buf *out, const struct url_parts *to);

#endif
