/* event_types.h — the event types that the operator has added, on disk.
 *
 * The catalog gets one, and its changes, when that is committed, here or on another node: on the
 * thread of the writer's connection, before anybody is told.
 */
#ifndef POSTBACKD_EVENT_TYPES_H
#define POSTBACKD_EVENT_TYPES_H

#include "db/nouns.h"
#include "model/event_type.h"

/* Writes the names of the catalog's own, for people who read the database with a tool of theirs.  A
 * transaction of its own. */
bool event_types_name(struct db *db, struct error *error);
/* Fills the catalog.  Before there are other threads; false with *error when a row is damaged. */
bool event_types_load(struct db *db, struct error *error);

/* Writes one with its definition: a new one (number 0) gets its number here, unless there is none
 * left, or another one of its name. */
enum event_type_saved { EVENT_TYPE_SAVED, EVENT_TYPE_TAKEN, EVENT_TYPES_FULL };
enum event_type_saved event_type_save(struct db *db, struct event_type *type);
void event_type_delete(struct db *db, int number);

extern const struct db_memory event_types_memory;

/* The API's objects, by number from `after` on, at most `limit`; the deleted ones too. */
json_t *event_types_list(struct db *db, int64_t after, int limit);
/* By name; NULL: there is none. */
json_t *event_types_show(struct db *db, const char *name);

#endif
