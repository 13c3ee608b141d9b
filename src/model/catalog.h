/* catalog.h — every event type that can happen, its category and its data points, as one table.
 *
 * Pages, docs, tokens and validation are made from it.  The numbers are written to disk: they
 * never change and are never used again.
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

enum { CATALOG_POINTS_MAX = 100 }; /* data points of one type */

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
};

const struct category *catalog_categories(size_t *count);
const struct category *catalog_category(const char *name_or_key); /* NULL: unknown */
const struct event_type *catalog_types(size_t *count);            /* in the order of the pages */
const struct event_type *catalog_type(const char *name);          /* NULL: unknown */
const struct event_type *catalog_type_numbered(int number);       /* NULL: unknown */

/* EventId EventType EventTime AccountSid PostbackId Attempt: on every event. */
const struct data_point *catalog_common(size_t *count);
/* A data point of this type, common ones included; type NULL: only those.  NULL: unknown. */
const struct data_point *catalog_point(const struct event_type *type, const char *name, size_t len);
/* The name among the types' data points that someone who wrote `name` may have meant (letters
 * swapped, left out, in the wrong case); NULL: none is near. */
const char *catalog_nearest(const struct event_type *const *types, size_t type_count,
                            const char *name, size_t len);
/* "text", "integer", "money", "date", "enum", "url", "list" */
const char *point_type_name(enum point_type type);

#endif
