/* accounts.c — the account table: partners, brands and the operator.
 *
 * An account is never deleted: its inquiries, events and audit rows name it.  It is made inactive,
 * and then its tokens find nobody.  The sid is what the outside knows; the id stays inside, in
 * every row and in the WHERE of every query of what the account owns.
 */
#include "store/accounts.h"

#include "base/fail.h"
#include "base/fold.h"
#include "db/tx.h"
#include "model/show.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ACCOUNT_COLUMNS "id, sid, kind, name, email, active, created_at"
#define ACCOUNTS_AFTER                                                                             \
    "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id > ?1 AND (?2 = 0 OR kind = ?2) ORDER BY id"

int64_t account_add(struct db *db, struct account *account)
{
    struct stmt *add = db_prepare(db, "INSERT INTO account (sid, kind, name, email, active, "
                                      "created_at) VALUES (?, ?, ?, ?, 1, ?) RETURNING id");

    account_sid_random(account->sid, account->kind);
    account->created_at = db_now(db);
    account->active = true;
    db_bind_text(add, 1, account->sid);
    db_bind_int(add, 2, (int64_t)account->kind);
    db_bind_text(add, 3, account->name);
    db_bind_text(add, 4, account->email != NULL ? account->email : "");
    db_bind_int(add, 5, account->created_at);
    account->id = db_insert(add);
    return account->id;
}

static bool account_from(struct stmt *find, struct account *out)
{
    bool found = db_step(find) == DB_ROW;

    memset(out, 0, sizeof(*out));
    if (found) {
        out->id = db_int(find, 0);
        show_cut(out->sid, sizeof(out->sid), db_text(find, 1));
        out->kind = (enum account_kind)db_int(find, 2);
        out->name = db_copy(find, 3);
        out->email = db_copy(find, 4);
        out->active = db_int(find, 5) != 0;
        out->created_at = db_int(find, 6);
    }
    db_finish(find);
    return found;
}

bool account_find(struct db *db, int64_t id, struct account *out)
{
    struct stmt *find = db_prepare(db, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id = ?");

    db_bind_int(find, 1, id);
    return account_from(find, out);
}

bool account_find_sid(struct db *db, const char *sid, struct account *out)
{
    struct stmt *find = db_prepare(db, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE sid = ?");

    db_bind_text(find, 1, sid);
    return account_from(find, out);
}

void account_clear(struct account *account)
{
    free(account->name);
    free(account->email);
    memset(account, 0, sizeof(*account));
}

void account_set_active(struct db *db, int64_t id, bool active)
{
    struct stmt *set = db_prepare(db, "UPDATE account SET active = ? WHERE id = ?");

    db_bind_int(set, 1, active);
    db_bind_int(set, 2, id);
    db_run(db, set);
    tx_note(db_tx(db), (struct change){ CHANGE_ACCESS, id });
}

bool account_change(struct db *db, const struct account *account)
{
    struct stmt *change =
        db_prepare(db, "UPDATE account SET name = ?, email = ?, active = ? WHERE id = ?");

    db_bind_text(change, 1, account->name);
    db_bind_text(change, 2, account->email != NULL ? account->email : "");
    db_bind_int(change, 3, account->active);
    db_bind_int(change, 4, account->id);
    db_run(db, change);
    tx_note(db_tx(db), (struct change){ CHANGE_ACCESS, account->id });
    return !db_failed(db) && db_changes(db) == 1;
}

json_t *account_show(const struct account *account)
{
    json_t *shown = json_object();

    show_int(shown, "Id", account->id);
    show_text(shown, "Sid", account->sid);
    show_text(shown, "Kind", account_kind_name(account->kind));
    show_text(shown, "Name", account->name);
    show_text(shown, "Email", account->email);
    show_bool(shown, "Active", account->active);
    show_date(shown, "CreationDate", account->created_at);
    show_uri(shown, "Uri", "/Operator/Accounts/%s", account->sid);
    return shown;
}

/* Whether the folded words are in the name, or begin the sid.  Accounts are made by the operator
 * one by one: their names are read, not indexed. */
static bool account_fits(const struct account *account, const struct buf *words)
{
    struct buf name = { 0 };
    bool fits = strncasecmp(account->sid, buf_text(words), words->len) == 0;

    if (!fits) {
        fold_add(&name, account->name, strlen(account->name), strlen(account->name));
        fits = strstr(buf_text(&name), buf_text(words)) != NULL;
    }
    buf_free(&name);
    return fits;
}

json_t *account_list(struct db *db, int kind, const char *search, int64_t after, int limit)
{
    bool all = search == NULL || search[0] == '\0';
    struct stmt *list = db_prepare(db, all ? ACCOUNTS_AFTER " LIMIT ?3" : ACCOUNTS_AFTER);
    json_t *array = json_array();
    struct buf words = { 0 };

    db_bind_int(list, 1, after);
    db_bind_int(list, 2, kind);
    if (all)
        db_bind_int(list, 3, limit);
    else
        fold_add(&words, search, strlen(search), strlen(search));
    while (json_array_size(array) < (size_t)limit && db_step(list) == DB_ROW) {
        struct account account = {
            .id = db_int(list, 0),
            .kind = (enum account_kind)db_int(list, 2),
            .name = db_copy(list, 3),
            .email = db_copy(list, 4),
            .active = db_int(list, 5) != 0,
            .created_at = db_int(list, 6),
        };
        show_cut(account.sid, sizeof(account.sid), db_text(list, 1));
        if (all || account_fits(&account, &words))
            json_array_append_new(array, account_show(&account));
        account_clear(&account);
    }
    buf_free(&words);
    db_finish(list);
    return array;
}

void account_operator_claim(struct db *db)
{
    struct stmt *put = db_prepare(db, "INSERT INTO meta (key, value) VALUES ('operator', 'made') "
                                      "ON CONFLICT (key) DO NOTHING RETURNING 1");
    if (db_number(put, 0) == 0)
        db_run_again(db, "the operator's account");
}

int64_t account_operator(struct db *db)
{
    struct stmt *find = db_prepare(db, "SELECT id FROM account WHERE kind = ? ORDER BY id LIMIT 1");
    int64_t id = 0;

    db_bind_int(find, 1, ACCOUNT_OPERATOR);
    if (db_step(find) == DB_ROW)
        id = db_int(find, 0);
    db_finish(find);
    return id;
}
