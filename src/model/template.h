/* template.h — text with tokens, compiled once, expanded for each postback.
 *
 * {Name} and {Name|function|function:argument}; "{{" and "}}" are literal braces; in a JSON body
 * a brace that does not start a token ("{" followed by anything but a letter) is literal too.
 * Each value is escaped by where it stands, decided when compiled, so that no value can break out
 * of its place:
 *     URL path and query  percent-encoded      form   percent-encoded, space as '+'
 *     JSON in a string    JSON-escaped         XML    text and attributes escaped
 *     JSON elsewhere      a JSON value         text   as it is
 * Functions: unix, sha256, md5, lower, upper, raw, date:PATTERN, default:TEXT.  Names are
 * case-sensitive.  `raw` leaves a URL's reserved characters; it never lets through controls,
 * spaces, quotes or bytes outside ASCII there.
 */
#ifndef POSTBACKD_TEMPLATE_H
#define POSTBACKD_TEMPLATE_H

#include "base/buf.h"
#include "base/problem.h"
#include "model/event.h"

enum template_place { PLACE_URL, PLACE_JSON, PLACE_XML, PLACE_FORM, PLACE_TEXT };

enum { TEMPLATE_MAX = 64 * 1024 }; /* bytes of source */

struct template;

/* Compiles for a set of event types: a token must be a data point of at least one of them.
 * NULL with problems added under `field`, each with its line and column, when wrong.  A JSON or
 * XML body is also expanded with sample events and parsed. */
struct template *template_compile(const char *text, enum template_place place,
                                  const struct event_type *const *types, size_t type_count,
                                  const char *field, struct problems *problems);
void template_expand(const struct template *template, struct points *points, struct buf *out);
void template_free(struct template *template); /* NULL is allowed */

/* The body when the account wrote none: every data point of the event, in this format. */
void template_default_body(enum template_place place, const struct event *event,
                           struct points *points, struct buf *out);

#endif
