/* event_types.c — the rows of event_type that hold a definition.
 *
 * A row is written once and then only changed: a number or a name is never free again, because
 * events on disk have the number and event notifications have the name.  A deleted type that is
 * added again under its name is the same type, back.
 *
 * What a transaction has written is read again at its end, as what another node has written is, and
 * given to the catalog when it is committed.
 */
#include "store/event_types.h"

#include "base/fail.h"
#include "base/log.h"
#include "db/tx.h"
#include "model/date.h"
#include "model/show.h"
#include "store/memories.h"

#include <stdlib.h>

/* ---- at the start ---- */

static void write_names(struct db *db, const void *with)
{
    size_t count;
    const struct event_type *types = catalog_types(&count);
    (void)with;
    for (size_t i = 0; i < count; i++) {
        /* Of nodes that begin together each may be the first, by number or by name. */
        struct stmt *put = db_prepare(
            db, "INSERT INTO event_type (number, name) VALUES (?, ?) ON CONFLICT DO NOTHING");
        db_bind_int(put, 1, types[i].number);
        db_bind_text(put, 2, types[i].name);
        db_run(db, put);
        struct stmt *rename =
            db_prepare(db, "UPDATE event_type SET name = ?2 WHERE number = ?1 AND name <> ?2");
        db_bind_int(rename, 1, types[i].number);
        db_bind_text(rename, 2, types[i].name);
        db_run(db, rename);
    }
}

bool event_types_name(struct db *db, struct error *error)
{
    return db_transact(db, write_names, NULL, error);
}

/* NULL with *error: it is damaged. */
static struct event_type *read_row(struct stmt *row, struct error *error)
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
    } else {
        event_type_free(type);
        type = NULL;
        error_set(error, ERROR_BROKEN, "event type %d is damaged on disk: %s %s", number,
                  problems.count > 0 ? problems.items[0].field : "",
                  problems.count > 0 ? problems.items[0].message : "not a definition");
    }
    problems_free(&problems);
    return type;
}

#define SQL_ADDED                                                                                  \
    "SELECT number, definition, deleted_at IS NOT NULL FROM event_type WHERE definition IS NOT "   \
    "NULL "

bool event_types_load(struct db *db, struct error *error)
{
    struct stmt *list = db_prepare(db, SQL_ADDED "ORDER BY number");
    bool good = true;

    catalog_forget_added();
    while (good && db_step(list) == DB_ROW) {
        struct event_type *type = read_row(list, error);
        good = type != NULL;
        if (good)
            catalog_put(type);
    }
    db_finish(list);
    return good;
}

/* ---- what was changed ---- */

struct event_types {
    struct event_type **written; /* in this transaction, as they are now; the memory's own */
    size_t count, cap;
};

static struct event_types *of(struct db *db)
{
    return db_memory(db, MEMORY_EVENT_TYPES);
}

static void clear(void *memory)
{
    struct event_types *types = memory;
    for (size_t i = 0; i < types->count; i++)
        event_type_free(types->written[i]);
    free(types->written);
}

static size_t mark(struct db *db)
{
    return of(db)->count;
}

static void undo(struct db *db, size_t to)
{
    struct event_types *types = of(db);
    while (types->count > to)
        event_type_free(types->written[--types->count]);
}

/* NULL: there is none, or it cannot be read. */
static struct event_type *find(struct db *db, int64_t number)
{
    struct stmt *row = db_prepare(db, SQL_ADDED "AND number = ?");
    struct event_type *type = NULL;
    struct error error = { 0 };
    db_bind_int(row, 1, number);
    if (db_step(row) == DB_ROW && (type = read_row(row, &error)) == NULL)
        log_error("an event type cannot be read", LOG_T("reason", error.message));
    db_finish(row);
    return type;
}

static void changed(struct db *db, int number)
{
    struct event_types *types = of(db);
    struct event_type *type = find(db, number);
    tx_note(db_tx(db), (struct change){ CHANGE_EVENT_TYPE, .id = number });
    if (type == NULL)
        return;
    if (types->count == types->cap) {
        types->cap = types->cap == 0 ? 4 : types->cap * 2;
        types->written = must_resize(types->written, types->cap * sizeof(types->written[0]));
    }
    types->written[types->count++] = type;
}

/* Whether those before it are there: numbers go up by one. */
static bool is_next(const struct event_type *type)
{
    return type->number == CATALOG_ADDED_FIRST || catalog_type_numbered(type->number - 1) != NULL;
}

/* It owns the type then.  One that other nodes have changed may find no room, which only a line of
 * the log can tell. */
static void put(struct event_type *type)
{
    if (catalog_has_room() && is_next(type)) {
        catalog_put(type);
        return;
    }
    log_error("an event type cannot be put into the catalog; restart the server",
              LOG_T("type", type->name));
    event_type_free(type);
}

static void committed(struct db *db)
{
    struct event_types *types = of(db);
    for (size_t i = 0; i < types->count; i++)
        put(types->written[i]);
    types->count = 0;
}

static bool is_known(const struct event_type *type)
{
    const struct event_type *known = catalog_type_numbered(type->number);
    return known != NULL && event_type_same(known, type);
}

static void read_all(struct db *db)
{
    struct stmt *list = db_prepare(db, SQL_ADDED "ORDER BY number");
    struct error error = { 0 };
    while (db_step(list) == DB_ROW) {
        struct event_type *type = read_row(list, &error);
        if (type == NULL) {
            log_error("an event type cannot be read", LOG_T("reason", error.message));
            break;
        }
        if (is_known(type))
            event_type_free(type);
        else
            put(type);
    }
    db_finish(list);
}

static void hear(struct db *db, const struct change *change)
{
    if (change->kind == CHANGE_EVENT_TYPE || change->kind == CHANGE_EVERYTHING)
        read_all(db);
}

const struct db_memory event_types_memory = {
    .size = sizeof(struct event_types),
    .clear = clear,
    .mark = mark,
    .undo = undo,
    .committed = committed,
    .hear = hear,
};

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
    if (saved == EVENT_TYPE_SAVED)
        changed(db, type->number);
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
    changed(db, number);
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
