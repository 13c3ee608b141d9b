/* users.c — the people who sign in to an account.
 *
 * An email belongs to one user of one account, whatever the case of its letters.  The password is
 * an argon2id string made by the caller: hashing takes a tenth of a second, which no transaction
 * of the writer may wait for.
 */
#include "store/accounts.h"

#include "db/tx.h"
#include "model/show.h"
#include "store/links.h"
#include "store/sessions.h"

#include <string.h>

/* An ADMIN's row is a user's with a mark. */
static enum role role_kept(enum role role)
{
    return role == ROLE_ADMIN ? ROLE_USER : role;
}

int64_t user_add(struct db *db, int64_t account, const char *email, const char *name,
                 enum role role, const char *password_hash)
{
    struct stmt *add = db_prepare(db, "INSERT INTO person (account, email, name, role, "
                                      "password_hash, created_at, admin) "
                                      "VALUES (?, ?, ?, ?, ?, ?, ?) "
                                      "ON CONFLICT DO NOTHING RETURNING id");

    db_bind_int(add, 1, account);
    db_bind_text(add, 2, email);
    db_bind_text(add, 3, name);
    db_bind_int(add, 4, (int64_t)role_kept(role));
    db_bind_text(add, 5, password_hash);
    db_bind_int(add, 6, db_now(db));
    db_bind_int(add, 7, role == ROLE_ADMIN);
    return db_insert(add);
}

bool user_email_taken(struct db *db, const char *email)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM person WHERE lower(email) = lower(?)");
    bool taken;

    db_bind_text(find, 1, email);
    taken = db_step(find) == DB_ROW;
    db_finish(find);
    return taken;
}

json_t *user_list(struct db *db, int64_t account)
{
    struct stmt *list =
        db_prepare(db, "SELECT id, email, name, " USER_ROLE ", active, created_at FROM person "
                       "WHERE account = ? ORDER BY id");
    json_t *array = json_array();

    db_bind_int(list, 1, account);
    while (db_step(list) == DB_ROW) {
        json_t *user = json_object();
        show_int(user, "Id", db_int(list, 0));
        show_text(user, "Email", db_text(list, 1));
        show_text(user, "Name", db_text(list, 2));
        show_text(user, "Role", role_name((enum role)db_int(list, 3)));
        show_bool(user, "Active", db_int(list, 4) != 0);
        show_date(user, "CreationDate", db_int(list, 5));
        json_array_append_new(array, user);
    }
    db_finish(list);
    return array;
}

bool user_change(struct db *db, int64_t account, int64_t user, const struct user_change *change)
{
    struct stmt *write = db_prepare(db, "UPDATE person SET name = coalesce(?3, name), "
                                        "role = coalesce(?4, role), active = coalesce(?5, active), "
                                        "password_hash = coalesce(?6, password_hash), "
                                        "admin = coalesce(?7, admin), email = coalesce(?8, email), "
                                        "time_zone = coalesce(?9, time_zone), "
                                        "locale = coalesce(?10, locale) "
                                        "WHERE id = ?1 AND account = ?2");

    db_bind_int(write, 1, user);
    db_bind_int(write, 2, account);
    db_bind_text(write, 3, change->name);
    db_bind_opt(write, 4, (int64_t)role_kept(change->role), 0);
    db_bind_opt(write, 5, change->active_given ? (int64_t)change->active : -1, -1);
    db_bind_text(write, 6, change->password_hash);
    db_bind_opt(write, 7, change->role != 0 ? change->role == ROLE_ADMIN : -1, -1);
    db_bind_text(write, 8, change->email);
    db_bind_text(write, 9, change->time_zone);
    db_bind_text(write, 10, change->locale);
    db_run(db, write);
    bool changed = !db_failed(db) && db_changes(db) == 1;
    if (changed && (change->password_hash != NULL || change->email != NULL)) {
        links_remove(db, user, LINK_PASSWORD);
        links_remove(db, user, LINK_EMAIL);
    }
    tx_note(db_tx(db), (struct change){ CHANGE_ACCESS, account });
    return changed;
}

int64_t users_count(struct db *db, int64_t account)
{
    struct stmt *count = db_prepare(db, "SELECT count(*) FROM person WHERE account = ?");
    db_bind_int(count, 1, account);
    int64_t users = db_step(count) == DB_ROW ? db_int(count, 0) : 0;
    db_finish(count);
    return users;
}

bool user_is_last_admin(struct db *db, int64_t account, int64_t user,
                        const struct user_change *change)
{
    if ((change->role == 0 || change->role == ROLE_ADMIN) &&
        (!change->active_given || change->active))
        return false;
    struct stmt *lock = db_prepare(db, "UPDATE account SET active = active WHERE id = ?");
    db_bind_int(lock, 1, account);
    db_run(db, lock);
    struct stmt *count = db_prepare(db, "SELECT count(*), count(CASE WHEN id = ?2 THEN 1 END) "
                                        "FROM person WHERE account = ?1 AND admin = 1 "
                                        "AND active = 1");
    db_bind_int(count, 1, account);
    db_bind_int(count, 2, user);
    bool last = db_step(count) == DB_ROW && db_int(count, 0) == 1 && db_int(count, 1) == 1;
    db_finish(count);
    return last;
}

/* ---- signing in ---- */

#define SQL_KEY                                                                                    \
    "SELECT u.id, u.name, " USER_ROLE ", u.email, u.password_hash, a.id, a.sid, a.kind "           \
    "FROM person u JOIN account a ON a.id = u.account WHERE u.active = 1 AND a.active = 1 AND "

static bool read_key(struct stmt *find, struct user_key *out)
{
    bool found = db_step(find) == DB_ROW;

    memset(out, 0, sizeof(*out));
    if (found) {
        out->caller.user = db_int(find, 0);
        show_cut(out->caller.name, sizeof(out->caller.name), db_text(find, 1));
        out->caller.scope = role_scope((enum role)db_int(find, 2));
        show_cut(out->email, sizeof(out->email), db_text(find, 3));
        show_cut(out->password_hash, sizeof(out->password_hash), db_text(find, 4));
        out->caller.account = db_int(find, 5);
        show_cut(out->caller.sid, sizeof(out->caller.sid), db_text(find, 6));
        out->caller.kind = (enum account_kind)db_int(find, 7);
    }
    db_finish(find);
    return found;
}

bool user_find_email(struct db *db, const char *email, struct user_key *out)
{
    struct stmt *find = db_prepare(db, SQL_KEY "lower(u.email) = lower(?)");

    db_bind_text(find, 1, email);
    return read_key(find, out);
}

bool user_find_key(struct db *db, int64_t user, struct user_key *out)
{
    struct stmt *find = db_prepare(db, SQL_KEY "u.id = ?");

    db_bind_int(find, 1, user);
    return read_key(find, out);
}
