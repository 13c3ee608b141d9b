/* view.h — a saved view of a list: its filters and columns under a name, one's own or the
 * account's.
 *
 * The numbers of pages are written to disk: they never change.
 */
#ifndef POSTBACKD_MODEL_VIEW_H
#define POSTBACKD_MODEL_VIEW_H

#include "base/problem.h"

#include <jansson.h>
#include <stdbool.h>

enum view_page { VIEW_POSTBACKS = 1, VIEW_INQUIRIES = 2, VIEW_ACTIONS = 3, VIEW_PAGES };

enum {
    VIEWS_SHARED_MOST = 100, /* an account's */
    VIEWS_OWN_MOST = 50,     /* of each of its people */
    VIEW_NAME_MAX = 80,      /* characters */
    VIEW_MEMBERS_MAX = 40,   /* filters, and columns */
    VIEW_MEMBER_BYTES = 400, /* of a filter's value, of a name */
};

const char *view_page_name(enum view_page page); /* "POSTBACKS", … */
bool view_page_named(const char *name, enum view_page *page);
/* {"Filters":{…},"Columns":[…]} of what is given in a body: a new reference.  What is wrong is a
 * problem; what is missing is taken from `before` (NULL: empty). */
json_t *view_settings_read(const json_t *body, const json_t *before, struct problems *problems);

#endif
