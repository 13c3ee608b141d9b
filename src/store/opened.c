/* opened.c — the table opened_point, and what follows for event notifications.
 *
 * A revision keeps the set that was open when it was written (store/notifications.c).  A body
 * template names its points itself, so only default bodies change with the set: their
 * notifications get a further revision, of the same settings and secrets, sealed as they are.
 */
#include "store/opened.h"

#include "base/fail.h"

void opened_load(struct db *db, int64_t account, struct opened *out)
{
    struct stmt *list = db_prepare(db, "SELECT name FROM opened_point WHERE account = ?");

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

static void write_revisions(struct db *db, int64_t account)
{
    struct stmt *add = db_prepare(
        db, "INSERT INTO notification_revision (notification, revision, settings, secrets, opened, "
            "created_at) SELECT n.id, n.revision + 1, r.settings, r.secrets, "
            "(SELECT json_group_array(name) FROM opened_point WHERE account = ?1), ?2 "
            "FROM notification n JOIN notification_revision r "
            "ON r.notification = n.id AND r.revision = n.revision "
            "WHERE n.account = ?1 AND n.deleted_at IS NULL "
            "AND json_extract(r.settings, '$.BodyTemplate') = '' "
            "AND json_extract(r.settings, '$.Method') <> 'GET'");

    db_bind_int(add, 1, account);
    db_bind_int(add, 2, db_now(db));
    db_run(db, add);
}

/* Its owner changed nothing, so updated_at stays. */
static size_t take_revisions(struct db *db, int64_t account, int64_t **ids)
{
    struct stmt *change =
        db_prepare(db, "UPDATE notification SET revision = revision + 1 "
                       "WHERE account = ? AND deleted_at IS NULL AND EXISTS (SELECT 1 FROM "
                       "notification_revision r WHERE r.notification = notification.id "
                       "AND r.revision = notification.revision + 1) RETURNING id");
    size_t count = 0, room = 0;

    *ids = NULL;
    db_bind_int(change, 1, account);
    while (db_step(change) == DB_ROW) {
        if (count == room) {
            room = room == 0 ? 64 : room * 2;
            *ids = must_resize(*ids, room * sizeof(**ids));
        }
        (*ids)[count++] = db_int(change, 0);
    }
    db_finish(change);
    return count;
}

size_t opened_set(struct db *db, int64_t account, const struct opened *opened, int64_t **ids)
{
    replace(db, account, opened);
    write_revisions(db, account);
    return take_revisions(db, account, ids);
}
