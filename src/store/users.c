/* users.c — the people who sign in to an account.
 *
 * An email belongs to one user of one account, whatever the case of its letters.  The password is
 * an argon2id string made by the caller: hashing takes a tenth of a second, which no transaction
 * of the writer may wait for.
 */
#include "store/accounts.h"

#include "model/show.h"

int64_t user_add(struct db *db, int64_t account, const char *email, const char *name,
                 enum role role, const char *password_hash)
{
    struct stmt *add = db_prepare(db, "INSERT INTO user (account, email, name, role, "
                                      "password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?)");

    db_bind_int(add, 1, account);
    db_bind_text(add, 2, email);
    db_bind_text(add, 3, name);
    db_bind_int(add, 4, (int64_t)role);
    db_bind_text(add, 5, password_hash);
    db_bind_int(add, 6, db_now(db));
    db_run(db, add);
    if (db_unique_failed(db) || db_failed(db))
        return 0;
    return db_last_id(db);
}

bool user_email_taken(struct db *db, const char *email)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM user WHERE email = ?");
    bool taken;

    db_bind_text(find, 1, email);
    taken = db_step(find) == DB_ROW;
    db_finish(find);
    return taken;
}

json_t *user_list(struct db *db, int64_t account)
{
    struct stmt *list = db_prepare(db, "SELECT id, email, name, role, active, created_at FROM user "
                                       "WHERE account = ? ORDER BY id");
    json_t *array = json_array();

    db_bind_int(list, 1, account);
    while (db_step(list) == DB_ROW) {
        json_t *user = json_object();
        show_int(user, "Id", db_int(list, 0));
        show_text(user, "Email", db_text(list, 1));
        show_text(user, "Name", db_text(list, 2));
        show_text(user, "Role", db_int(list, 3) == ROLE_READ_ONLY ? "READ_ONLY" : "USER");
        show_bool(user, "Active", db_int(list, 4) != 0);
        show_date(user, "CreationDate", db_int(list, 5));
        json_array_append_new(array, user);
    }
    db_finish(list);
    return array;
}
