/* links.c — rows of the table `link`. */
#include "store/links.h"

#include "model/date.h"
#include "model/show.h"
#include "store/letters.h"

#include <string.h>

enum { KEPT_DAYS = 30 };

static void remove_old(struct db *db)
{
    struct stmt *old = db_prepare(db, "DELETE FROM link WHERE expires_at < ?");
    db_bind_int(old, 1, date_add_days(db_now(db), -KEPT_DAYS));
    db_run(db, old);
}

int64_t link_add(struct db *db, struct link_row *link, const unsigned char hash[TOKEN_HASH_BYTES])
{
    remove_old(db);
    struct stmt *add = db_prepare(
        db, "INSERT INTO link (kind, hash, account, person, email, name, role, inviter, "
            "created_at, sent_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10) "
            "RETURNING id");
    link->expires_at = db_now(db) + link_lasts_ms(link->kind);
    db_bind_int(add, 1, (int64_t)link->kind);
    db_bind_bytes(add, 2, hash, TOKEN_HASH_BYTES);
    db_bind_int(add, 3, link->account);
    db_bind_opt(add, 4, link->person, 0);
    db_bind_text(add, 5, link->email);
    db_bind_text(add, 6, link->name);
    db_bind_int(add, 7, (int64_t)link->role);
    db_bind_text(add, 8, link->inviter);
    db_bind_int(add, 9, db_now(db));
    db_bind_int(add, 10, link->expires_at);
    return link->id = db_insert(add);
}

#define SQL_LINK                                                                                   \
    "SELECT l.id, l.kind, l.account, l.person, l.email, l.name, l.role, l.inviter, "               \
    "l.expires_at, a.name FROM link l JOIN account a ON a.id = l.account "                         \
    "LEFT JOIN person p ON p.id = l.person "

static bool read_link(struct stmt *find, struct link_row *out)
{
    bool found = db_step(find) == DB_ROW;

    memset(out, 0, sizeof(*out));
    if (found) {
        out->id = db_int(find, 0);
        out->kind = (enum link_kind)db_int(find, 1);
        out->account = db_int(find, 2);
        out->person = db_opt(find, 3, 0);
        show_cut(out->email, sizeof(out->email), db_text(find, 4));
        show_cut(out->name, sizeof(out->name), db_text(find, 5));
        out->role = (enum role)db_int(find, 6);
        show_cut(out->inviter, sizeof(out->inviter), db_text(find, 7));
        out->expires_at = db_int(find, 8);
        show_cut(out->account_name, sizeof(out->account_name), db_text(find, 9));
    }
    db_finish(find);
    return found;
}

bool link_find(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES], struct link_row *out)
{
    struct stmt *find =
        db_prepare(db, SQL_LINK "WHERE l.hash = ? AND l.expires_at > ? AND a.active = 1 "
                                "AND (l.person IS NULL OR p.active = 1)");
    db_bind_bytes(find, 1, hash, TOKEN_HASH_BYTES);
    db_bind_int(find, 2, db_now(db));
    return read_link(find, out);
}

bool link_find_invitation(struct db *db, int64_t account, int64_t id, struct link_row *out)
{
    struct stmt *find = db_prepare(db, SQL_LINK "WHERE l.id = ? AND l.account = ? AND l.kind = 1");
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, account);
    return read_link(find, out);
}

void link_renew(struct db *db, struct link_row *link, const unsigned char hash[TOKEN_HASH_BYTES])
{
    struct stmt *renew =
        db_prepare(db, "UPDATE link SET hash = ?2, sent_at = ?3, expires_at = ?4 WHERE id = ?1");
    link->expires_at = db_now(db) + link_lasts_ms(link->kind);
    db_bind_int(renew, 1, link->id);
    db_bind_bytes(renew, 2, hash, TOKEN_HASH_BYTES);
    db_bind_int(renew, 3, db_now(db));
    db_bind_int(renew, 4, link->expires_at);
    db_run(db, renew);
}

bool link_take(struct db *db, int64_t id)
{
    struct stmt *take = db_prepare(db, "DELETE FROM link WHERE id = ?");
    db_bind_int(take, 1, id);
    db_run(db, take);
    return !db_failed(db) && db_changes(db) == 1;
}

void links_remove(struct db *db, int64_t person, enum link_kind kind)
{
    struct stmt *all = db_prepare(db, "DELETE FROM link WHERE person = ? AND kind = ?");
    db_bind_int(all, 1, person);
    db_bind_int(all, 2, (int64_t)kind);
    db_run(db, all);
}

static int64_t first_of(struct stmt *find)
{
    int64_t value = db_step(find) == DB_ROW ? db_int(find, 0) : 0;
    db_finish(find);
    return value;
}

int64_t links_count(struct db *db, int64_t account, enum link_kind kind)
{
    struct stmt *count = db_prepare(db, "SELECT count(*) FROM link WHERE account = ? AND kind = ?");
    db_bind_int(count, 1, account);
    db_bind_int(count, 2, (int64_t)kind);
    return first_of(count);
}

bool link_sent_since(struct db *db, int64_t person, enum link_kind kind, int64_t since_ms)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM link WHERE person = ? AND kind = ? "
                                       "AND sent_at > ? LIMIT 1");
    db_bind_int(find, 1, person);
    db_bind_int(find, 2, (int64_t)kind);
    db_bind_int(find, 3, since_ms);
    return first_of(find) != 0;
}

bool link_invites(struct db *db, int64_t account, const char *email)
{
    struct stmt *find = db_prepare(db, "SELECT 1 FROM link WHERE account = ? AND kind = 1 "
                                       "AND lower(email) = lower(?) LIMIT 1");
    db_bind_int(find, 1, account);
    db_bind_text(find, 2, email);
    return first_of(find) != 0;
}

json_t *link_list_invitations(struct db *db, int64_t account)
{
    struct stmt *list = db_prepare(db, "SELECT id, email, name, role, inviter, created_at, "
                                       "sent_at, expires_at FROM link WHERE account = ? AND "
                                       "kind = 1 ORDER BY id");
    json_t *array = json_array();

    db_bind_int(list, 1, account);
    while (db_step(list) == DB_ROW) {
        json_t *one = json_object();
        show_int(one, "Id", db_int(list, 0));
        show_text(one, "Email", db_text(list, 1));
        show_text(one, "Name", db_text(list, 2));
        show_text(one, "Role", role_name((enum role)db_int(list, 3)));
        show_text(one, "InvitedBy", db_text(list, 4));
        show_date(one, "CreationDate", db_int(list, 5));
        show_date(one, "SentDate", db_int(list, 6));
        show_date(one, "ExpiryDate", db_int(list, 7));
        show_bool(one, "Expired", db_int(list, 7) <= db_now(db));
        json_array_append_new(array, one);
    }
    db_finish(list);
    return array;
}

void link_mail(struct db *db, const struct link_row *link, const char *origin, const char *token)
{
    struct buf address = { 0 }, subject = { 0 }, text = { 0 };
    link_address(&address, origin, link->kind, token);
    link_letter(&subject, &text, link->kind, link->account_name, link->inviter, buf_text(&address),
                link->expires_at);
    letter_add(db, link->email, buf_text(&subject), buf_text(&text));
    buf_wipe(&address);
    buf_wipe(&text);
    buf_free(&subject);
}
