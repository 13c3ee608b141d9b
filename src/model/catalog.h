/* catalog.h — every event type that can happen, its category and its data points, as one table.
 *
 * Pages, docs, tokens and validation are made from it.  The numbers are written to disk: they
 * never change and are never used again.
 *
 * Behind the built-in types stand those that the operator adds at run time.  What the catalog gives
 * out is immutable and stays where it is for as long as the program runs, so any thread may look
 * anything up and keep it.  A type that is changed or deleted is a new entry in the old one's
 * place: whoever holds the old one goes on with it.
 */
#ifndef POSTBACKD_CATALOG_H
#define POSTBACKD_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

enum point_type {
    POINT_TEXT,
    POINT_INTEGER,
    POINT_MONEY,
    POINT_DATE,
    POINT_ENUM,
    POINT_URL,
    POINT_LIST
};

enum {
    CATALOG_POINTS_MAX = 100,    /* data points of one type */
    CATALOG_ADDED_FIRST = 1000,  /* the numbers of added types begin here */
    CATALOG_ADDED_MAX = 1000,    /* added types, with the deleted ones */
    CATALOG_ENTRIES_MAX = 10000, /* added types and their changes since the start */
};

struct data_point {
    const char *name; /* PascalCase, the token's name */
    enum point_type type;
    const char *meaning; /* one line */
    const char *sample;  /* JSON text for POINT_LIST, else plain */
    bool on_request; /* carried by the event, open to an account only when the operator opens it */
};

struct category {
    const char *name; /* "Action Inquiry Events" */
    const char *key;  /* "action_inquiry" */
};

struct event_type {
    int number;       /* on disk */
    const char *name; /* "action_inquiry.opened" */
    const struct category *category;
    bool by_default;                 /* ticked when a notification of its category names no types */
    const char *meaning;             /* one line */
    const struct data_point *points; /* besides the common ones */
    size_t point_count;
    bool deleted; /* known for the events that are there; takes no new ones */
};

/* What it is in an event of this type: the samples of a type are together one that can happen, so
 * some are "". */
const char *catalog_sample(const struct event_type *type, const struct data_point *point);

const struct category *catalog_categories(size_t *count);
const struct category *catalog_category(const char *name_or_key); /* NULL: unknown */
const struct event_type *catalog_types(size_t *count);      /* the built-in ones, as in the pages */
const struct event_type *catalog_type(const char *name);    /* also a deleted one; NULL: unknown */
const struct event_type *catalog_type_numbered(int number); /* as catalog_type() */
/* All, the built-in ones first: `size_t at = 0; while ((type = catalog_each(&at)) != NULL)`. */
const struct event_type *catalog_each(size_t *at);
/* Whether the name begins as a built-in type's does ("action."): not for the operator to add. */
bool catalog_reserved(const char *name);

/* EventId EventType EventTime AccountSid PostbackId Attempt: on every event. */
const struct data_point *catalog_common(size_t *count);
/* A data point of this type, common ones included; type NULL: only those.  NULL: unknown. */
const struct data_point *catalog_point(const struct event_type *type, const char *name, size_t len);
/* Whether a type that is not deleted has a data point on request of this name. */
bool catalog_on_request(const char *name, size_t len);
/* The name among the types' data points that someone who wrote `name` may have meant (letters
 * swapped, left out, in the wrong case); NULL: none is near. */
const char *catalog_nearest(const struct event_type *const *types, size_t type_count,
                            const char *name, size_t len);
/* "text", "integer", "money", "date", "enum", "url", "list" */
const char *point_type_name(enum point_type type);
bool point_type_named(const char *name, enum point_type *type);

/* ---- added types: on one thread, that of the writer's connection ---- */

/* Puts a type where its number says, in place of an older one with this number; the catalog owns
 * it from then on.  Numbers go up by one from CATALOG_ADDED_FIRST. */
void catalog_put(const struct event_type *type);
bool catalog_has_room(void); /* for one more entry; from any thread */
/* Back to the built-in ones; the entries stay valid.  For the start, and for tests. */
void catalog_forget_added(void);

#endif
