/* views.c — the table saved_view.
 *
 * An account has few, so all of them are looked at for a list.
 */
#include "store/views.h"

#include "base/fail.h"
#include "model/show.h"

#include <stdlib.h>

/* ?1 the account, ?2 the person (0: a token, which is nobody). */
#define SQL_SEEN "account = ?1 AND (person IS NULL OR person = ?2) "
#define SQL_VIEW "SELECT id, person, page, name, settings, created_at, updated_at FROM saved_view "

static void bind_caller(struct stmt *stmt, const struct caller *caller)
{
    db_bind_int(stmt, 1, caller->account);
    db_bind_int(stmt, 2, caller->user);
}

static json_t *row_show(struct stmt *row)
{
    json_t *shown = json_object(), *settings = json_loads(db_text(row, 4), 0, NULL);
    show_id(shown, "Id", db_int(row, 0));
    show_text(shown, "Page", view_page_name((enum view_page)db_int(row, 2)));
    show_text(shown, "Name", db_text(row, 3));
    show_bool(shown, "Shared", db_opt(row, 1, 0) == 0);
    json_object_update(shown, settings);
    json_decref(settings);
    show_date(shown, "CreationDate", db_int(row, 5));
    show_date(shown, "UpdatedDate", db_int(row, 6));
    return shown;
}

json_t *view_list(struct db *db, const struct caller *caller, enum view_page page)
{
    json_t *views = json_array();
    struct stmt *list =
        db_prepare(db, SQL_VIEW "WHERE " SQL_SEEN "AND (?3 = 0 OR page = ?3) ORDER BY id");
    bind_caller(list, caller);
    db_bind_int(list, 3, (int64_t)page);
    while (db_step(list) == DB_ROW)
        json_array_append_new(views, row_show(list));
    db_finish(list);
    return views;
}

json_t *view_show(struct db *db, const struct caller *caller, int64_t id)
{
    struct stmt *find = db_prepare(db, SQL_VIEW "WHERE id = ?3 AND " SQL_SEEN);
    bind_caller(find, caller);
    db_bind_int(find, 3, id);
    json_t *shown = db_step(find) == DB_ROW ? row_show(find) : NULL;
    db_finish(find);
    return shown;
}

static bool has_room(struct job *job, struct db *db, const struct caller *caller, bool shared)
{
    int most = shared ? VIEWS_SHARED_MOST : VIEWS_OWN_MOST;
    struct stmt *count = db_prepare(db, "SELECT count(*) FROM saved_view WHERE account = ?1 AND "
                                        "coalesce(person, 0) = ?2");
    db_bind_int(count, 1, caller->account);
    db_bind_int(count, 2, shared ? 0 : caller->user);
    if (db_number(count, 0) < most)
        return true;
    error_set(&job->error, ERROR_CONFLICT,
              "There are %d %s views, which is the most there may be: delete one of them", most,
              shared ? "shared" : "own");
    return false;
}

static char *text_of(const json_t *settings)
{
    char *text = json_dumps(settings, JSON_COMPACT);
    if (text == NULL)
        die("out of memory for a saved view");
    return text;
}

bool view_add(struct job *job, struct db *db, const struct caller *caller, struct view *view)
{
    if (!has_room(job, db, caller, view->shared))
        return false;
    char *settings = text_of(view->settings);
    struct stmt *add =
        db_prepare(db, "INSERT INTO saved_view (account, person, page, name, settings, created_at, "
                       "updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) RETURNING id");
    db_bind_int(add, 1, caller->account);
    db_bind_opt(add, 2, view->shared ? 0 : caller->user, 0);
    db_bind_int(add, 3, (int64_t)view->page);
    db_bind_text(add, 4, view->name);
    db_bind_text(add, 5, settings);
    db_bind_int(add, 6, db_now(db));
    view->id = db_insert(add);
    free(settings);
    return true;
}

void view_put(struct db *db, const struct view *view)
{
    char *settings = text_of(view->settings);
    struct stmt *put = db_prepare(db, "UPDATE saved_view SET name = coalesce(?2, name), "
                                      "settings = ?3, updated_at = ?4 WHERE id = ?1");
    db_bind_int(put, 1, view->id);
    db_bind_text(put, 2, view->name);
    db_bind_text(put, 3, settings);
    db_bind_int(put, 4, db_now(db));
    db_run(db, put);
    free(settings);
}

bool view_delete(struct db *db, const struct caller *caller, int64_t id)
{
    struct stmt *drop = db_prepare(db, "DELETE FROM saved_view WHERE id = ?3 AND " SQL_SEEN);
    bind_caller(drop, caller);
    db_bind_int(drop, 3, id);
    db_run(db, drop);
    return db_changes(db) == 1;
}
