/* event.h — something that happened, for one account, with its data points.  Immutable.
 *
 * Its data is one JSON object, in canonical form: members in the catalog's order, every scalar a
 * string, lists as arrays.  A reference is held by each postback in memory; the count is not
 * atomic: an event belongs to one thread at a time and is handed over with its postbacks.
 */
#ifndef POSTBACKD_EVENT_H
#define POSTBACKD_EVENT_H

#include "base/buf.h"
#include "base/problem.h"
#include "model/catalog.h"
#include "model/json.h"
#include "model/opened.h"

#include <jansson.h>
#include <stdint.h>

enum {
    EVENT_DATA_MAX = 64 * 1024, /* bytes of canonical data */
    EVENT_DEPTH_MAX = 8,        /* levels of a list: itself, its objects, … */
};

struct event {
    int64_t id; /* 0 until written */
    int64_t account;
    const struct event_type *type;
    int64_t occurred_at; /* ms, wall clock */
    int64_t inquiry;     /* 0: not about an inquiry */
    int references;
    int queued;      /* the courier's own: of its postbacks, in lanes */
    bool checked;    /* its data came from event_check(): it is canonical without a look … */
    bool on_request; /* … which found data points on request in it */
    size_t data_len;
    char data[]; /* NUL-terminated JSON object text */
};

/* One reference, the caller's.  Dies past EVENT_DATA_MAX: check with event_check() before. */
struct event *event_new(int64_t account, const struct event_type *type, int64_t occurred_at,
                        int64_t inquiry, const char *data, size_t data_len);
struct event *event_ref(struct event *event);
void event_unref(struct event *event); /* NULL is allowed */

/* Large ones are limited by their bytes, all by how many postbacks there are (postback.h): so the
 * usual ones, which are small, neither pay for a count nor wait for room that large ones have
 * taken. */
enum { EVENT_LARGE = 1024, EVENT_LARGE_BYTES_MOST = 32 * 1024 * 1024 };
static inline bool event_is_large(const struct event *event)
{
    return event->data_len > EVENT_LARGE;
}
size_t events_large_bytes(void); /* data of the large ones that there are, on any thread */

/* Checks the Data of an intake request against the type: an object, only the type's data points,
 * scalars or (for lists) arrays, the right types; writes the canonical text to *out, which is of
 * use only when no problem was added.  Integers and booleans are taken as their text, null as "";
 * a decimal (12.50) as it was written; what has an exponent fits no text, since it may have been
 * rounded.  In lists every number stays as it was written.  Problems are named "Data.Name", behind
 * `prefix`
 * ("" or "Events[3].").  True: data points on request are among what was written. */
bool event_check(const struct event_type *type, const struct json_value *data, const char *prefix,
                 struct buf *out, struct problems *problems);
/* The same for what is a tree already, without a prefix. */
void event_check_tree(const struct event_type *type, const json_t *data, struct buf *out,
                      struct problems *problems);

/* The values of an event by name, for templates. */
struct points;
struct points_context { /* the common data points */
    const char *account_sid;
    int64_t postback;            /* 0: none yet (a test) */
    int attempt;                 /* from 1 */
    const struct opened *opened; /* what else the reader may see; NULL: no point on request */
};
/* Borrows the event and the context's strings.  NULL: the data is damaged.  Cheap: one walk over
 * the text, for a checked event not before one of its own points is asked for; values are decoded
 * when asked for. */
struct points *points_new(const struct event *event, const struct points_context *context);
/* The value as text ("" when absent; lists as JSON text); never NULL; valid until points_free. */
const char *points_get(struct points *points, const struct data_point *point);
/* The value as JSON for lists, else NULL. */
const json_t *points_json(struct points *points, const struct data_point *point);
/* The event's own data, member by member in its order; false past the last.  The name is not
 * NUL-terminated; `list` is NULL for all but lists. */
struct point_value {
    const char *name, *text;
    size_t name_len;
    const json_t *list;
};
/* All members that may be seen, as they stand in the text, each behind a comma. */
void points_copy(struct points *points, struct buf *out);
bool points_each(struct points *points, size_t *at, struct point_value *value);
void points_free(struct points *points); /* NULL is allowed */

/* An event of this type made of the catalog's samples, with an id of that time that no row has:
 * for previews, test postbacks and the check of a body template.  The caller owns one reference. */
struct event *event_sample(const struct event_type *type, int64_t account, int64_t now_ms);
/* The same with every data point filled in, as none happens: for checks of what may be written. */
struct event *event_filled(const struct event_type *type, int64_t account, int64_t now_ms);

#endif
