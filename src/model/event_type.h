/* event_type.h — an event type that the operator adds: its definition, read, checked and shown.
 *
 * {"Name":"shop.order_shipped","Category":"Platform Events","Meaning":"An order left the house",
 *  "DataPoints":[{"Name":"OrderId","Type":"text","Meaning":"The order","Sample":"ORD-20417"}]}
 *
 * What event notifications may rest on never changes: the name, the category, and each data point's
 * name, type and sample.  A change may reword meanings and add data points.  So every setting that
 * was right stays right.
 */
#ifndef POSTBACKD_EVENT_TYPE_H
#define POSTBACKD_EVENT_TYPE_H

#include "base/problem.h"
#include "model/catalog.h"

#include <jansson.h>

enum {
    EVENT_TYPE_NAME_MAX = 60,     /* bytes */
    EVENT_TYPE_MEANING_MAX = 200, /* characters, of a data point's too */
    EVENT_TYPE_SAMPLE_MAX = 2000, /* bytes */
};

/* The type of a definition; the caller owns it until catalog_put().  Its number is that of `before`
 * (NULL: a new one's, 0) and is the caller's to set then.  With `before`, Name may be missing, and
 * so may Category and Meaning, which then stay; it is not deleted.  NULL with problems. */
struct event_type *event_type_read(const json_t *definition, const struct event_type *before,
                                   struct problems *problems);
/* The same type, deleted. */
struct event_type *event_type_retired(const struct event_type *type);
void event_type_free(struct event_type *type);           /* one that was not put; NULL is allowed */
json_t *event_type_write(const struct event_type *type); /* its definition */
bool event_type_same(const struct event_type *a, const struct event_type *b); /* in all of it */

#endif
