/* json.h — reads JSON of outside bytes into jansson's values, strictly and fast.
 *
 * The values are jansson's; only the reading is ours, because it is on the road of every event:
 * jansson's own reader takes four times as many instructions (DESIGN.md §8).  RFC 8259, UTF-8
 * only.  Refused besides: a name twice in an object, U+0000 in a string, nesting deeper than
 * JSON_NESTING_MAX, an integer that needs more than 64 bits, a real beyond what a double holds.
 */
#ifndef POSTBACKD_JSON_H
#define POSTBACKD_JSON_H

#include <jansson.h>
#include <stddef.h>

enum { JSON_NESTING_MAX = 64 };

struct json_fault {
    const char *what; /* a sentence fragment: "a string is not closed" */
    int line, column; /* from 1; columns count bytes */
};

/* The caller owns it.  NULL with *fault filled in. */
json_t *json_read(const char *text, size_t len, struct json_fault *fault);

#endif
