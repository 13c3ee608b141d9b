/* event_types.c — the rows of event_type that hold a definition.
 *
 * A row is written once and then only changed: a number or a name is never free again, because
 * events on disk have the number and event notifications have the name.  A deleted type that is
 * added again under its name is the same type, back.
 */
#include "store/event_types.h"

#include "base/fail.h"
#include "model/date.h"
#include "model/show.h"

#include <stdlib.h>

/* ---- at the start ---- */

static void write_names(struct db *db, const void *with)
{
    size_t count;
    const struct event_type *types = catalog_types(&count);
    (void)with;
    for (size_t i = 0; i < count; i++) {
        struct stmt *put = db_prepare(
            db, "INSERT INTO event_type (number, name) VALUES (?, ?) ON CONFLICT (number) "
                "DO UPDATE SET name = excluded.name WHERE event_type.name <> excluded.name");
        db_bind_int(put, 1, types[i].number);
        db_bind_text(put, 2, types[i].name);
        db_run(db, put);
    }
}

bool event_types_name(struct db *db, struct error *error)
{
    return db_transact(db, write_names, NULL, error);
}

static bool load_row(struct stmt *row, struct error *error)
{
    struct problems problems = { 0 };
    int number = (int)db_int(row, 0);
    json_t *definition = json_loads(db_text(row, 1), 0, NULL);
    struct event_type *type =
        json_is_object(definition) ? event_type_read(definition, NULL, &problems) : NULL;
    bool fits = type != NULL && number < CATALOG_ADDED_FIRST + CATALOG_ADDED_MAX;

    json_decref(definition);
    if (fits) {
        type->number = number;
        type->deleted = db_int(row, 2) != 0;
        catalog_put(type);
    } else {
        event_type_free(type);
        error_set(error, ERROR_BROKEN, "event type %d is damaged on disk: %s %s", number,
                  problems.count > 0 ? problems.items[0].field : "",
                  problems.count > 0 ? problems.items[0].message : "not a definition");
    }
    problems_free(&problems);
    return fits;
}

bool event_types_load(struct db *db, struct error *error)
{
    struct stmt *list = db_prepare(db, "SELECT number, definition, deleted_at IS NOT NULL "
                                       "FROM event_type WHERE definition IS NOT NULL "
                                       "ORDER BY number");
    bool good = true;

    catalog_forget_added();
    while (good && db_step(list) == DB_ROW)
        good = load_row(list, error);
    db_finish(list);
    return good;
}

/* ---- writing ---- */

static int next_number(struct db *db)
{
    struct stmt *find = db_prepare(db, "SELECT max(number) FROM event_type WHERE number >= ?");
    int next = CATALOG_ADDED_FIRST;

    db_bind_int(find, 1, CATALOG_ADDED_FIRST);
    if (db_step(find) == DB_ROW)
        next = (int)db_opt(find, 0, CATALOG_ADDED_FIRST - 1) + 1;
    db_finish(find);
    return next;
}

static bool name_is_taken(struct db *db, const char *name)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM event_type WHERE name = ?");

    db_bind_text(find, 1, name);
    return db_number(find, 0) == 1;
}

/* The number that is free when it is looked for may be another one's when it is written. */
static enum event_type_saved add(struct db *db, struct event_type *type, const char *definition)
{
    for (int number; (number = next_number(db)) < CATALOG_ADDED_FIRST + CATALOG_ADDED_MAX;) {
        struct stmt *put =
            db_prepare(db, "INSERT INTO event_type (definition, number, name, created_at) "
                           "VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING number");
        db_bind_text(put, 1, definition);
        db_bind_int(put, 2, number);
        db_bind_text(put, 3, type->name);
        db_bind_int(put, 4, db_now(db));
        type->number = (int)db_insert(put);
        if (type->number != 0 || db_failed(db))
            return EVENT_TYPE_SAVED;
        if (name_is_taken(db, type->name))
            return EVENT_TYPE_TAKEN;
    }
    return EVENT_TYPES_FULL;
}

static void change(struct db *db, const struct event_type *type, const char *definition)
{
    struct stmt *put =
        db_prepare(db, "UPDATE event_type SET definition = ?, deleted_at = NULL WHERE number = ?");

    db_bind_text(put, 1, definition);
    db_bind_int(put, 2, type->number);
    db_run(db, put);
}

enum event_type_saved event_type_save(struct db *db, struct event_type *type)
{
    enum event_type_saved saved = EVENT_TYPE_SAVED;
    json_t *definition = event_type_write(type);
    char *text = json_dumps(definition, JSON_COMPACT);

    json_decref(definition);
    if (text == NULL)
        bug("the event type %s cannot be written", type->name);
    if (type->number == 0)
        saved = add(db, type, text);
    else
        change(db, type, text);
    free(text);
    return saved;
}

void event_type_delete(struct db *db, int number)
{
    struct stmt *mark = db_prepare(db, "UPDATE event_type SET deleted_at = ? WHERE number = ? "
                                       "AND deleted_at IS NULL");

    db_bind_int(mark, 1, db_now(db));
    db_bind_int(mark, 2, number);
    db_run(db, mark);
}

/* ---- showing ---- */

static json_t *show_row(struct stmt *row)
{
    json_t *shown = json_loads(db_text(row, 1), 0, NULL);

    if (shown == NULL)
        shown = json_object();
    show_int(shown, "Id", db_int(row, 0));
    show_uri(shown, "Uri", "/Operator/EventTypes/%s", db_text(row, 2));
    show_date(shown, "CreationDate", db_int(row, 3));
    show_date(shown, "DeletedDate", db_opt(row, 4, DATE_NONE));
    return shown;
}

#define SQL_SHOW                                                                                   \
    "SELECT number, definition, name, created_at, deleted_at FROM event_type "                     \
    "WHERE definition IS NOT NULL "

json_t *event_types_list(struct db *db, int64_t after, int limit)
{
    struct stmt *list = db_prepare(db, SQL_SHOW "AND number > ? ORDER BY number LIMIT ?");
    json_t *array = json_array();

    db_bind_int(list, 1, after);
    db_bind_int(list, 2, limit);
    while (db_step(list) == DB_ROW)
        json_array_append_new(array, show_row(list));
    db_finish(list);
    return array;
}

json_t *event_types_show(struct db *db, const char *name)
{
    struct stmt *find = db_prepare(db, SQL_SHOW "AND name = ?");
    json_t *shown = NULL;

    db_bind_text(find, 1, name);
    if (db_step(find) == DB_ROW)
        shown = show_row(find);
    db_finish(find);
    return shown;
}
