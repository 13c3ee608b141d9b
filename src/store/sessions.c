/* sessions.c — the sessions of users.
 *
 * A row holds the hash of the token that the browser has, so a copy of the database is nobody's
 * session.  A session that has ended is a row that is gone; those that ended by themselves are no
 * longer found, and are removed with the next sign-in.  A user has SESSIONS_A_USER at most, so the
 * table cannot grow beyond the users.
 */
#include "store/sessions.h"

#include "db/tx.h"
#include "model/show.h"
#include "store/factors.h"

#include <string.h>

static void remove_ended(struct db *db)
{
    struct stmt *ended = db_prepare(db, "DELETE FROM session WHERE used_at < ?");

    db_bind_int(ended, 1, db_now(db) - SESSION_IDLE_MS);
    db_run(db, ended);
}

static void remove_oldest(struct db *db, int64_t user)
{
    struct stmt *oldest =
        db_prepare(db, "DELETE FROM session WHERE person = ?1 AND id <= (SELECT id "
                       "FROM session WHERE person = ?1 ORDER BY id DESC "
                       "LIMIT 1 OFFSET ?2)");

    db_bind_int(oldest, 1, user);
    db_bind_int(oldest, 2, SESSIONS_A_USER);
    db_run(db, oldest);
    if (db_changes(db) > 0)
        tx_note(db_tx(db), (struct change){ CHANGE_ACCESS });
}

void session_add(struct db *db, int64_t user, const unsigned char hash[TOKEN_HASH_BYTES],
                 const char *address, const char *agent)
{
    struct stmt *add = db_prepare(db, "INSERT INTO session (person, hash, created_at, used_at, "
                                      "address, agent) VALUES (?1, ?2, ?3, ?3, ?4, ?5)");

    remove_ended(db);
    db_bind_int(add, 1, user);
    db_bind_bytes(add, 2, hash, TOKEN_HASH_BYTES);
    db_bind_int(add, 3, db_now(db));
    db_bind_text(add, 4, address);
    db_bind_text(add, 5, agent);
    db_run(db, add);
    remove_oldest(db, user);
}

bool session_find(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES], struct caller *out,
                  int64_t *stale)
{
    struct stmt *find =
        db_prepare(db, "SELECT s.id, s.used_at, u.id, u.name, " USER_ROLE ", a.id, a.sid, a.kind, "
                       "CASE WHEN " SQL_FACTOR_MISSING " THEN 1 ELSE 0 END "
                       "FROM session s JOIN person u ON u.id = s.person "
                       "JOIN account a ON a.id = u.account WHERE s.hash = ? AND s.used_at > ? "
                       "AND s.created_at > ? AND u.active = 1 AND a.active = 1");
    int64_t now_ms = db_now(db);

    memset(out, 0, sizeof(*out));
    *stale = 0;
    db_bind_bytes(find, 1, hash, TOKEN_HASH_BYTES);
    db_bind_int(find, 2, now_ms - SESSION_IDLE_MS);
    db_bind_int(find, 3, now_ms - SESSION_MOST_MS);
    bool found = db_step(find) == DB_ROW;
    if (found) {
        if (db_int(find, 1) < now_ms - SESSION_TOUCH_MS)
            *stale = db_int(find, 0);
        out->user = db_int(find, 2);
        show_cut(out->name, sizeof(out->name), db_text(find, 3));
        out->scope = role_scope((enum role)db_int(find, 4));
        out->account = db_int(find, 5);
        show_cut(out->sid, sizeof(out->sid), db_text(find, 6));
        out->kind = (enum account_kind)db_int(find, 7);
        out->only = db_int(find, 8) != 0 ? CALLER_ENROLS : CALLER_FREE;
    }
    db_finish(find);
    return found;
}

void session_touch(struct db *db, int64_t session)
{
    struct stmt *touch =
        db_prepare(db, "UPDATE session SET used_at = ?1 WHERE id = ?2 AND used_at < ?1");

    db_bind_int(touch, 1, db_now(db));
    db_bind_int(touch, 2, session);
    db_run(db, touch);
}

void session_end(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES])
{
    struct stmt *end = db_prepare(db, "DELETE FROM session WHERE hash = ?");

    db_bind_bytes(end, 1, hash, TOKEN_HASH_BYTES);
    db_run(db, end);
    if (db_changes(db) > 0)
        tx_note(db_tx(db), (struct change){ CHANGE_ACCESS });
}

void sessions_end(struct db *db, int64_t user, const unsigned char *but)
{
    struct stmt *end =
        db_prepare(db, "DELETE FROM session WHERE person = ? AND hash IS DISTINCT FROM ?");

    db_bind_int(end, 1, user);
    db_bind_bytes(end, 2, but, TOKEN_HASH_BYTES);
    db_run(db, end);
    if (db_changes(db) > 0)
        tx_note(db_tx(db), (struct change){ CHANGE_ACCESS });
}

bool session_end_one(struct db *db, int64_t account, int64_t user, int64_t session)
{
    struct stmt *end = db_prepare(db, "DELETE FROM session WHERE id = ?1 AND person IN (SELECT id "
                                      "FROM person WHERE account = ?2 AND (?3 = 0 OR id = ?3))");

    db_bind_int(end, 1, session);
    db_bind_int(end, 2, account);
    db_bind_int(end, 3, user);
    db_run(db, end);
    bool ended = !db_failed(db) && db_changes(db) == 1;
    if (ended)
        tx_note(db_tx(db), (struct change){ CHANGE_ACCESS });
    return ended;
}

json_t *session_list(struct db *db, int64_t account, int64_t user,
                     const unsigned char own[TOKEN_HASH_BYTES])
{
    struct stmt *list = db_prepare(
        db, "SELECT s.id, s.agent, s.address, s.created_at, s.used_at, s.hash, u.id, u.name, "
            "u.email FROM session s JOIN person u ON u.id = s.person WHERE u.account = ?1 "
            "AND (?2 = 0 OR u.id = ?2) AND s.used_at > ?3 AND s.created_at > ?4 "
            "ORDER BY s.used_at DESC, s.id DESC LIMIT ?5");
    json_t *array = json_array();
    size_t len;

    db_bind_int(list, 1, account);
    db_bind_int(list, 2, user);
    db_bind_int(list, 3, db_now(db) - SESSION_IDLE_MS);
    db_bind_int(list, 4, db_now(db) - SESSION_MOST_MS);
    db_bind_int(list, 5, SESSIONS_SHOWN);
    while (db_step(list) == DB_ROW) {
        json_t *one = json_object(), *who = json_object();
        show_int(one, "Id", db_int(list, 0));
        show_text(one, "Device", db_text(list, 1));
        show_text(one, "Address", db_text(list, 2));
        show_date(one, "CreationDate", db_int(list, 3));
        show_date(one, "LastUseDate", db_int(list, 4));
        const void *hash = db_bytes(list, 5, &len);
        show_bool(one, "Current", len == TOKEN_HASH_BYTES && memcmp(hash, own, len) == 0);
        show_int(who, "Id", db_int(list, 6));
        show_text(who, "Name", db_text(list, 7));
        show_text(who, "Email", db_text(list, 8));
        json_object_set_new(one, "User", who);
        json_array_append_new(array, one);
    }
    db_finish(list);
    return array;
}

json_t *session_show(struct db *db, int64_t user)
{
    struct stmt *find =
        db_prepare(db, "SELECT u.id, u.name, u.email, " USER_ROLE ", a.sid, a.kind, a.name, "
                       "u.time_zone, u.locale, "
                       "CASE WHEN " SQL_FACTOR_MISSING " THEN 1 ELSE 0 END "
                       "FROM person u JOIN account a ON a.id = u.account "
                       "WHERE u.id = ?");
    json_t *shown = NULL;

    db_bind_int(find, 1, user);
    if (db_step(find) == DB_ROW) {
        json_t *who = json_object(), *account = json_object();
        show_int(who, "Id", db_int(find, 0));
        show_text(who, "Name", db_text(find, 1));
        show_text(who, "Email", db_text(find, 2));
        show_text(who, "Role", role_name((enum role)db_int(find, 3)));
        show_text(who, "TimeZone", db_text(find, 7));
        show_text(who, "Locale", db_text(find, 8));
        show_text(account, "Sid", db_text(find, 4));
        show_text(account, "Kind", account_kind_name((enum account_kind)db_int(find, 5)));
        show_text(account, "Name", db_text(find, 6));
        shown = json_object();
        show_bool(who, "MustEnrol", db_int(find, 9) != 0);
        json_object_set_new(shown, "User", who);
        json_object_set_new(shown, "Account", account);
    }
    db_finish(find);
    return shown;
}
