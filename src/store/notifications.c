/* notifications.c — event notifications on disk.
 *
 * `notification` has what may change by itself (its state) and names the revision in force;
 * `notification_revision` has the settings as JSON and, sealed, what must not be readable in the
 * file: custom headers, signing secrets and the TLS client's key.  A revision is never written
 * again, so that an attempt that names one shows the request as it was.  Compiling happens on every
 * load: what comes out of here can be sent with (but what was loaded to be changed).
 */
#include "store/notifications.h"

#include "base/fail.h"
#include "base/log.h"
#include "base/text.h"
#include "db/tx.h"
#include "model/signature.h"
#include "model/tls_identity.h"
#include "store/events.h"
#include "store/opened.h"
#include "store/postbacks.h"
#include "store/secrets.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SECRETS_MAX = 384 * 1024 }; /* bytes, not sealed: 20 headers, certificates and a key */

/* jansson keeps copies of what it reads and writes: wiped in place before they are freed. */
static void wipe_json(json_t *value)
{
    const char *name;
    json_t *member;
    size_t at;

    if (json_is_string(value)) {
        sodium_memzero((char *)json_string_value(value), json_string_length(value));
    } else if (json_is_object(value)) {
        json_object_foreach(value, name, member) wipe_json(member);
    } else if (json_is_array(value)) {
        json_array_foreach(value, at, member) wipe_json(member);
    }
}

static void put_secret(json_t *object, const char *name, const struct signing_secret *secret)
{
    struct buf text = { .limit = 256 };

    if (secret->len > 0) {
        secret_write(&text, secret);
        json_object_set_new(object, name, json_string(buf_text(&text)));
    }
    buf_wipe(&text);
}

/* Headers and secrets, sealed, at the end of *out. */
static void secrets_write(const struct notification *notification, struct buf *out)
{
    json_t *object = json_object(), *headers = json_array();
    char *plain;

    for (size_t i = 0; i < notification->header_count; i++)
        json_array_append_new(headers,
                              json_pack("{s:s, s:s}", "Name", notification->headers[i].name,
                                        "Value", notification->headers[i].value));
    json_object_set_new(object, "Headers", headers);
    put_secret(object, "Secret", &notification->secret);
    put_secret(object, "OldSecret", &notification->old_secret);
    json_object_set_new(object, "OldSecretUntil", json_integer(notification->old_secret_until));
    if (notification->identity != NULL)
        json_object_set_new(object, "Tls", tls_identity_write(notification->identity));
    plain = json_dumps(object, JSON_COMPACT);
    wipe_json(object);
    json_decref(object);
    if (plain == NULL)
        bug("a notification's secrets cannot be written");
    secrets_seal(out, plain, strlen(plain));
    sodium_memzero(plain, strlen(plain));
    free(plain);
}

static bool take_secret(const json_t *object, const char *name, struct signing_secret *secret)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL || secret_read(secret, text);
}

/* Takes a sealed blob apart.  False: it is damaged, or sealed under another key. */
static bool secrets_read(struct notification *notification, const void *sealed, size_t len,
                         struct problems *problems)
{
    struct buf plain = { .limit = SECRETS_MAX };
    json_t *object = NULL;
    bool read = false;

    if (secrets_unseal(&plain, sealed, len))
        object = json_loadb(buf_text(&plain), plain.len, 0, NULL);
    if (json_is_object(object)) {
        read =
            notification_headers_read(notification, json_object_get(object, "Headers"), problems) &&
            take_secret(object, "Secret", &notification->secret) &&
            take_secret(object, "OldSecret", &notification->old_secret);
        notification->old_secret_until =
            json_integer_value(json_object_get(object, "OldSecretUntil"));
        notification->identity = tls_identity_kept(json_object_get(object, "Tls"));
    }
    wipe_json(object);
    json_decref(object);
    buf_wipe(&plain);
    return read;
}

/* Routes are the writer's own memory, which the next job of the transaction asks; all others hear
 * of it once it is committed. */
static void notification_changed(struct db *db, int64_t account, int64_t id)
{
    events_forget(db, account);
    tx_note(db_tx(db), (struct change){ CHANGE_NOTIFICATION, account, id });
}

static void revision_insert(struct db *db, const struct notification *notification)
{
    struct stmt *add = db_prepare(db, "INSERT INTO notification_revision (notification, revision, "
                                      "settings, secrets, created_at, opened, headers_for, "
                                      "identity_for) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    char *opened = opened_text(db, notification->account);
    json_t *shown = notification_settings_write(&notification->settings);
    char *settings = json_dumps(shown, JSON_COMPACT);
    struct buf sealed = { .limit = SECRETS_MAX };

    json_decref(shown);
    secrets_write(notification, &sealed);
    if (settings == NULL || sealed.failed)
        bug("a notification's settings cannot be written");
    db_bind_int(add, 1, notification->id);
    db_bind_int(add, 2, notification->revision);
    db_bind_text(add, 3, settings);
    db_bind_bytes(add, 4, sealed.data, sealed.len);
    db_bind_int(add, 5, notification->updated_at);
    db_bind_text(add, 6, opened);
    db_bind_text(add, 7, notification->headers_for);
    db_bind_text(add, 8, notification->identity_for);
    db_run(db, add);
    free(opened);
    free(settings);
    buf_free(&sealed);
}

void notification_add(struct db *db, struct notification *notification)
{
    struct stmt *add = db_prepare(db, "INSERT INTO notification (account, revision, state, "
                                      "held_reason, created_at, updated_at, active_at, delay_s, "
                                      "ordered) VALUES (?1, 1, ?2, ?3, ?4, ?4, ?4, ?5, ?6) "
                                      "RETURNING id");

    if (notification->secret.len == 0)
        secret_random(&notification->secret);
    notification->revision = 1;
    notification->created_at = notification->updated_at = db_now(db);
    db_bind_int(add, 1, notification->account);
    db_bind_int(add, 2, (int64_t)notification->state);
    db_bind_text(add, 3, notification->held_reason != NULL ? notification->held_reason : "");
    db_bind_int(add, 4, notification->created_at);
    db_bind_int(add, 5, notification->settings.minimum_delay_s);
    db_bind_int(add, 6, notification->settings.ordered);
    notification->id = db_insert(add);
    revision_insert(db, notification);
    notification_changed(db, notification->account, notification->id);
}

bool notification_change(struct db *db, struct notification *notification)
{
    struct stmt *change = db_prepare(
        db, "UPDATE notification SET revision = revision + 1, updated_at = ?1, "
            "delay_s = ?4, ordered = ?5 WHERE id = ?2 AND account = ?3 AND deleted_at IS NULL "
            "RETURNING revision");
    bool found;

    db_bind_int(change, 1, db_now(db));
    db_bind_int(change, 2, notification->id);
    db_bind_int(change, 3, notification->account);
    db_bind_int(change, 4, notification->settings.minimum_delay_s);
    db_bind_int(change, 5, notification->settings.ordered);
    found = db_step(change) == DB_ROW;
    if (found)
        notification->revision = (int)db_int(change, 0);
    db_run(db, change);
    if (!found)
        return false;
    notification->updated_at = db_now(db);
    revision_insert(db, notification);
    notification_changed(db, notification->account, notification->id);
    return true;
}

/* The account of one that is not deleted; 0: there is none, or it is not this account's (0: any).
 */
static int64_t find_account(struct db *db, int64_t account, int64_t id)
{
    struct stmt *find = db_prepare(db, "SELECT account FROM notification WHERE id = ?1 "
                                       "AND (?2 = 0 OR account = ?2) AND deleted_at IS NULL");
    int64_t found = 0;

    db_bind_int(find, 1, id);
    db_bind_int(find, 2, account);
    if (db_step(find) == DB_ROW)
        found = db_int(find, 0);
    db_finish(find);
    return found;
}

bool notification_set_state(struct db *db, int64_t account, int64_t id,
                            enum notification_state state, const char *held_reason)
{
    int64_t owner = find_account(db, account, id);
    struct stmt *set;

    if (owner == 0)
        return false;
    set = db_prepare(db, "UPDATE notification SET state = ?1, held_reason = ?2, updated_at = ?3, "
                         "active_at = CASE WHEN ?6 = 1 AND state <> 0 THEN ?3 ELSE active_at END "
                         "WHERE id = ?4 AND account = ?5 AND deleted_at IS NULL");
    db_bind_int(set, 1, (int64_t)state);
    db_bind_text(set, 2, state == NOTIFICATION_HELD && held_reason != NULL ? held_reason : "");
    db_bind_int(set, 3, db_now(db));
    db_bind_int(set, 4, id);
    db_bind_int(set, 5, owner);
    db_bind_int(set, 6, state == NOTIFICATION_ACTIVE);
    db_run(db, set);
    if (db_changes(db) != 1)
        return false;
    notification_changed(db, owner, id);
    return true;
}

bool notification_hold(struct db *db, int64_t id, int revision, const char *reason,
                       int64_t *account)
{
    struct stmt *hold =
        db_prepare(db, "UPDATE notification SET state = ?1, held_reason = ?2, updated_at = ?3 "
                       "WHERE id = ?4 AND state = ?5 AND revision = ?6 AND deleted_at IS NULL "
                       "RETURNING account");
    bool held;

    db_bind_int(hold, 1, NOTIFICATION_HELD);
    db_bind_text(hold, 2, reason);
    db_bind_int(hold, 3, db_now(db));
    db_bind_int(hold, 4, id);
    db_bind_int(hold, 5, NOTIFICATION_ACTIVE);
    db_bind_int(hold, 6, revision);
    held = db_step(hold) == DB_ROW;
    *account = held ? db_int(hold, 0) : 0;
    db_run(db, hold);
    if (held)
        notification_changed(db, *account, id);
    return held;
}

bool notification_delete(struct db *db, int64_t account, int64_t id)
{
    int64_t owner = find_account(db, account, id);
    struct stmt *mark;

    if (owner == 0)
        return false;
    mark = db_prepare(db, "UPDATE notification SET deleted_at = ?1, updated_at = ?1 "
                          "WHERE id = ?2 AND account = ?3 AND deleted_at IS NULL");
    db_bind_int(mark, 1, db_now(db));
    db_bind_int(mark, 2, id);
    db_bind_int(mark, 3, owner);
    db_run(db, mark);
    if (db_changes(db) != 1)
        return false;
    postback_cancel_all(db, id);
    notification_changed(db, owner, id);
    return true;
}

static struct notification *damaged(int64_t id, int revision, const struct problems *problems)
{
    log_error("notification_damaged", LOG_N("notification", id), LOG_N("revision", revision),
              LOG_T("field", problems->count > 0 ? problems->items[0].field : ""),
              LOG_T("reason", problems->count > 0 ? problems->items[0].message
                                                  : "its secrets cannot be unsealed"));
    return NULL;
}

/* Revisions from before there were authorities have none: theirs are for their own URL. */
static void bind_credentials(struct notification *notification, struct stmt *row)
{
    char *headers_for = db_copy(row, 11), *identity_for = db_copy(row, 12);

    if (notification->header_count > 0)
        notification_headers_bind(notification, headers_for[0] != '\0' ? headers_for : NULL);
    if (notification->identity != NULL)
        notification_identity_bind(notification, identity_for[0] != '\0' ? identity_for : NULL);
    free(headers_for);
    free(identity_for);
}

/* From a row of SQL_LOAD, by notification_compile() or notification_keep(); NULL when it is
 * damaged. */
static struct notification *
from_row(struct stmt *row, struct notification *(*make)(struct notification_settings *settings,
                                                        struct problems *problems))
{
    struct problems problems = { 0 };
    struct notification_settings settings = { 0 };
    struct notification *notification;
    int64_t id = db_int(row, 0);
    int revision = (int)db_int(row, 3);
    json_t *shown = json_loads(db_text(row, 8), 0, NULL);
    const void *sealed;
    size_t len;

    notification_settings_read(&settings, shown, &problems);
    json_decref(shown);
    notification = make(&settings, &problems);
    notification_settings_free(&settings);
    if (notification != NULL) {
        notification->id = id;
        notification->account = db_int(row, 1);
        notification->account_sid = db_copy(row, 2);
        notification->revision = revision;
        notification->state = (enum notification_state)db_int(row, 4);
        notification->held_reason = db_copy(row, 5);
        notification->created_at = db_int(row, 6);
        notification->updated_at = db_int(row, 7);
        opened_parse(&notification->opened, db_text(row, 10));
        sealed = db_bytes(row, 9, &len);
        if (!secrets_read(notification, sealed, len, &problems)) {
            notification_unref(notification);
            notification = NULL;
        } else {
            bind_credentials(notification, row);
        }
    }
    if (notification == NULL)
        damaged(id, revision, &problems);
    problems_free(&problems);
    return notification;
}

#define SQL_LOAD                                                                                   \
    "SELECT n.id, n.account, a.sid, r.revision, n.state, n.held_reason, n.created_at, "            \
    "n.updated_at, r.settings, r.secrets, r.opened, r.headers_for, r.identity_for FROM "           \
    "notification n JOIN account a ON a.id = "                                                     \
    "n.account "                                                                                   \
    "JOIN notification_revision r ON r.notification = n.id "                                       \
    "WHERE n.id = ?1 AND (?2 = 0 OR n.account = ?2) "

struct notification *notification_load(struct db *db, int64_t account, int64_t id, int revision)
{
    struct stmt *find =
        revision == 0
            ? db_prepare(db, SQL_LOAD "AND r.revision = n.revision AND n.deleted_at IS NULL")
            : db_prepare(db, SQL_LOAD "AND r.revision = ?3");
    struct notification *notification = NULL;

    db_bind_int(find, 1, id);
    db_bind_int(find, 2, account);
    if (revision != 0)
        db_bind_int(find, 3, revision);
    if (db_step(find) == DB_ROW)
        notification = from_row(find, notification_compile);
    db_finish(find);
    return notification;
}

struct notification *notification_load_kept(struct db *db, int64_t account, int64_t id)
{
    struct stmt *find =
        db_prepare(db, SQL_LOAD "AND r.revision = n.revision AND n.deleted_at IS NULL");
    struct notification *notification = NULL;

    db_bind_int(find, 1, id);
    db_bind_int(find, 2, account);
    if (db_step(find) == DB_ROW)
        notification = from_row(find, notification_keep);
    db_finish(find);
    return notification;
}

bool notification_exists(struct db *db, int64_t account, int64_t id)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM notification WHERE id = ?1 AND "
                                       "(?2 = 0 OR account = ?2) AND deleted_at IS NULL");

    db_bind_int(find, 1, id);
    db_bind_int(find, 2, account);
    return db_number(find, 0) == 1;
}

struct ids {
    int64_t *items;
    size_t count, room;
};

static void ids_add(struct ids *ids, int64_t id)
{
    if (ids->count == ids->room) {
        ids->room = ids->room == 0 ? 64 : ids->room * 2;
        ids->items = must_resize(ids->items, ids->room * sizeof(*ids->items));
    }
    ids->items[ids->count++] = id;
}

size_t notification_ids(struct db *db, int64_t account, int64_t **out)
{
    struct stmt *list = account == 0
                            ? db_prepare(db, "SELECT id FROM notification "
                                             "WHERE deleted_at IS NULL ORDER BY id")
                            : db_prepare(db, "SELECT id FROM notification WHERE account = ? "
                                             "AND deleted_at IS NULL ORDER BY id");
    struct ids ids = { 0 };
    if (account != 0)
        db_bind_int(list, 1, account);
    while (db_step(list) == DB_ROW)
        ids_add(&ids, db_int(list, 0));
    db_finish(list);
    *out = ids.items;
    return ids.count;
}

#define SQL_FAILING                                                                                \
    "(n.state = 2 OR EXISTS (SELECT 1 FROM episode e WHERE e.notification = n.id AND "             \
    "e.maintenance = 0))"

static bool is_found(const char *settings, const char *search)
{
    json_t *given = json_loads(settings, 0, NULL);
    const char *name = json_string_value(json_object_get(given, "Name"));
    const char *url = json_string_value(json_object_get(given, "Url"));
    bool found = (name != NULL && text_contains(name, search)) ||
                 (url != NULL && text_contains(url, search));
    json_decref(given);
    return found;
}

size_t notification_find(struct db *db, int64_t account, const struct notification_filter *filter,
                         int64_t **out)
{
    const char *search = filter->search != NULL ? filter->search : "";
    struct ids found = { 0 };
    struct stmt *list = db_prepare(
        db, "SELECT n.id, r.settings FROM notification n LEFT JOIN notification_revision r "
            "ON ?3 = 1 AND r.notification = n.id AND r.revision = n.revision "
            "WHERE n.account = ?1 AND n.deleted_at IS NULL AND (?2 = 0 OR " SQL_FAILING
            ") ORDER BY n.id");
    db_bind_int(list, 1, account);
    db_bind_int(list, 2, filter->failing);
    db_bind_int(list, 3, search[0] != '\0');
    while (db_step(list) == DB_ROW) {
        if (search[0] == '\0' || is_found(db_text(list, 1), search))
            ids_add(&found, db_int(list, 0));
    }
    db_finish(list);
    *out = found.items;
    return found.count;
}

int64_t notification_failing(struct db *db, int64_t account)
{
    struct stmt *count = db_prepare(db, "SELECT count(*) FROM notification n WHERE n.account = ? "
                                        "AND n.deleted_at IS NULL AND " SQL_FAILING);
    db_bind_int(count, 1, account);
    return db_number(count, 0);
}
