/* opened.h — which data points on request are open to an account.
 *
 * An event carries them for everybody; who reads an event for an account sees only those that are
 * open to it (points_new()).  An event notification's set belongs to its revision, so that a
 * postback is the same on every try and can be shown again as it was.
 */
#ifndef POSTBACKD_OPENED_H
#define POSTBACKD_OPENED_H

#include "base/problem.h"
#include "model/catalog.h"

#include <jansson.h>

enum { OPENED_MAX = 200 };

struct opened {   /* all zeroes: none */
    char **names; /* owned */
    size_t count;
};

/* Whether the account may see it: it is not on request, or open.  NULL: as none. */
bool opened_has(const struct opened *opened, const struct data_point *point);
bool opened_names(const struct opened *opened, const char *name);
/* Reads {"DataPoints":[…]}, or names separated by commas: points on request of the catalog. */
void opened_read(struct opened *opened, const json_t *from, struct problems *problems);
/* An array that opened_write() wrote; a name that the catalog no longer has is kept. */
void opened_parse(struct opened *opened, const char *text);
void opened_add(struct opened *opened, const char *name); /* once; past OPENED_MAX nothing */
json_t *opened_write(const struct opened *opened);
void opened_clear(struct opened *opened);

#endif
