/* template.h — text with tokens, compiled once, expanded for each postback.
 *
 * {Name} and {Name|function|function:argument}; "{{" and "}}" are literal braces.  In a JSON body
 * braces outside quotes are JSON's own: only "{" with a letter behind it starts a token; and
 * inside quotes a single brace that starts none is literal too.
 * Each value is escaped by where it stands, decided when compiled, so that no value can break out
 * of its place:
 *     URL path and query  percent-encoded      form   percent-encoded, space as '+'
 *     JSON in a string    JSON-escaped         XML    escaped; in text, attributes' values, CDATA
 *     JSON elsewhere      a JSON value         text   as it is
 * The JSON value of integers, money and `unix` is a number (null when empty), of a list an array,
 * of all else a string.
 * Functions: unix, sha256, md5 (of an empty value: empty), lower, upper (ASCII), raw,
 * date:PATTERN (see date.h), default:TEXT.  Names are case-sensitive.  `raw` leaves a URL's
 * reserved characters; it never lets through controls, spaces, quotes, '#' or bytes outside ASCII.
 */
#ifndef POSTBACKD_TEMPLATE_H
#define POSTBACKD_TEMPLATE_H

#include "base/buf.h"
#include "base/problem.h"
#include "model/event.h"

enum template_place { PLACE_URL, PLACE_JSON, PLACE_XML, PLACE_FORM, PLACE_TEXT };

enum {
    TEMPLATE_MAX = 64 * 1024,            /* bytes of source */
    TEMPLATE_EXPANDED_MAX = 1024 * 1024, /* bytes of a JSON or XML body made of samples */
    TEMPLATE_FUNCTIONS_MAX = 8,          /* of one token */
    TEMPLATE_DISTINCT_MAX = 128,         /* data points with functions, each counted once */
    TEMPLATE_WORK_MOST = 256 * 1024,     /* bytes of values that functions read in one expansion */
};

struct template;

/* Compiles for a set of event types: a token must be a data point of at least one of them.
 * NULL with problems added under `field`, each with its line and column, when wrong.  A JSON or
 * XML body is also expanded with sample events and parsed. */
struct template *template_compile(const char *text, enum template_place place,
                                  const struct event_type *const *types, size_t type_count,
                                  const char *field, struct problems *problems);
/* `points` may be NULL when the template holds no token.  A value that stands in it many times with
 * the same functions goes through them once.  False: the functions would read more than
 * TEMPLATE_WORK_MOST bytes; *out is not whole then. */
bool template_expand(const struct template *template, struct points *points, struct buf *out);
void template_free(struct template *template); /* NULL is allowed */

#define TEMPLATE_CLOSED                                                                            \
    "{%s} is given on request, and not open to this account: ask for it with a support request"
/* Adds a problem, with its line and column, for each token whose data point is not open. */
void template_refuse_closed(const struct template *template, const struct opened *opened,
                            const char *field, struct problems *problems);
/* A problem when it has more than TEMPLATE_DISTINCT_MAX data points with functions; for what is
 * saved anew. */
void template_refuse_heavy(const struct template *template, const char *field,
                           struct problems *problems);
/* Whether a token names this data point. */
bool template_names(const struct template *template, const char *point);

/* The body when the account wrote none: every data point of the event, in this format.  JSON: one
 * object; XML: <Event> with an element for each, lists as <Item>s; form: Name=value&…; text:
 * "Name: value" lines.  The same on every try: without PostbackId and Attempt. */
void template_default_body(enum template_place place, struct points *points, struct buf *out);

#endif
