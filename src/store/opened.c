/* opened.c — the table opened_point, and what follows for event notifications.
 *
 * A revision keeps the set that was open when it was written (store/notifications.c).  A body
 * template names its points itself, so only default bodies change with the set: their
 * notifications get a further revision, of the same settings and secrets, sealed as they are.
 */
#include "store/opened.h"

#include "base/fail.h"
#include "db/tx.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void opened_load(struct db *db, int64_t account, struct opened *out)
{
    struct stmt *list = db_prepare(db, "SELECT name FROM opened_point WHERE account = ? "
                                       "ORDER BY name");

    db_bind_int(list, 1, account);
    while (db_step(list) == DB_ROW)
        opened_add(out, db_text(list, 0));
    db_finish(list);
}

static void replace(struct db *db, int64_t account, const struct opened *opened)
{
    struct stmt *clear = db_prepare(db, "DELETE FROM opened_point WHERE account = ?");

    db_bind_int(clear, 1, account);
    db_run(db, clear);
    for (size_t i = 0; i < opened->count; i++) {
        struct stmt *add = db_prepare(db, "INSERT INTO opened_point (account, name) VALUES (?, ?)");
        db_bind_int(add, 1, account);
        db_bind_text(add, 2, opened->names[i]);
        db_run(db, add);
    }
}

char *opened_text(struct db *db, int64_t account)
{
    struct opened opened = { 0 };
    opened_load(db, account, &opened);
    json_t *names = opened_write(&opened);
    char *text = json_dumps(names, JSON_COMPACT);
    if (text == NULL)
        die("out of memory for the data points of an account");
    json_decref(names);
    opened_clear(&opened);
    return text;
}

static bool body_is_default(const char *settings)
{
    json_t *read = json_loads(settings, 0, NULL);
    const char *template = json_string_value(json_object_get(read, "BodyTemplate"));
    const char *method = json_string_value(json_object_get(read, "Method"));
    bool is_default =
        template != NULL && template[0] == '\0' && method != NULL && strcmp(method, "GET") != 0;
    json_decref(read);
    return is_default;
}

/* The account's notifications whose body is the default one; the caller frees. */
static size_t notifications_of_default(struct db *db, int64_t account, int64_t **ids)
{
    struct stmt *list =
        db_prepare(db, "SELECT n.id, r.settings FROM notification n JOIN notification_revision r "
                       "ON r.notification = n.id AND r.revision = n.revision "
                       "WHERE n.account = ? AND n.deleted_at IS NULL ORDER BY n.id");
    size_t count = 0, room = 0;

    *ids = NULL;
    db_bind_int(list, 1, account);
    while (db_step(list) == DB_ROW) {
        if (!body_is_default(db_text(list, 1)))
            continue;
        if (count == room) {
            room = room == 0 ? 64 : room * 2;
            *ids = must_resize(*ids, room * sizeof(**ids));
        }
        (*ids)[count++] = db_int(list, 0);
    }
    db_finish(list);
    return count;
}

/* Its owner changed nothing, so updated_at stays. */
static void revision_write(struct db *db, int64_t account, int64_t notification, const char *opened)
{
    struct stmt *add =
        db_prepare(db, "INSERT INTO notification_revision (notification, revision, settings, "
                       "secrets, opened, created_at, headers_for, identity_for) "
                       "SELECT n.id, n.revision + 1, r.settings, r.secrets, ?2, ?3, "
                       "r.headers_for, r.identity_for "
                       "FROM notification n JOIN notification_revision r "
                       "ON r.notification = n.id AND r.revision = n.revision WHERE n.id = ?1");
    struct stmt *change =
        db_prepare(db, "UPDATE notification SET revision = revision + 1 WHERE id = ?");

    db_bind_int(add, 1, notification);
    db_bind_text(add, 2, opened);
    db_bind_int(add, 3, db_now(db));
    db_run(db, add);
    db_bind_int(change, 1, notification);
    db_run(db, change);
    tx_note(db_tx(db), (struct change){ CHANGE_NOTIFICATION, account, notification });
}

void opened_set(struct db *db, int64_t account, const struct opened *opened)
{
    int64_t *ids;
    replace(db, account, opened);
    size_t count = notifications_of_default(db, account, &ids);
    char *text = opened_text(db, account);
    for (size_t i = 0; i < count; i++)
        revision_write(db, account, ids[i], text);
    free(text);
    free(ids);
}
