/* tokens.c — the auth tokens of accounts.
 *
 * A row holds the hash of a token, never the token, so a copy of the database signs nobody in.
 * A token holds 32 random bytes: a plain hash cannot be guessed back, and is found by its index.
 * A revoked row stays, for the audit log's sake.
 */
#include "store/accounts.h"

#include "db/tx.h"
#include "model/date.h"
#include "model/show.h"

#include <string.h>

int64_t token_add(struct db *db, int64_t account, enum scope scope, const char *label,
                  const unsigned char hash[TOKEN_HASH_BYTES])
{
    struct stmt *add = db_prepare(db, "INSERT INTO token (account, hash, scope, label, created_at) "
                                      "VALUES (?, ?, ?, ?, ?) RETURNING id");

    db_bind_int(add, 1, account);
    db_bind_bytes(add, 2, hash, TOKEN_HASH_BYTES);
    db_bind_int(add, 3, (int64_t)scope);
    db_bind_text(add, 4, label != NULL ? label : "");
    db_bind_int(add, 5, db_now(db));
    return db_insert(add);
}

bool token_revoke(struct db *db, int64_t account, int64_t token)
{
    struct stmt *revoke = db_prepare(db, "UPDATE token SET revoked_at = ? WHERE id = ? "
                                         "AND account = ? AND revoked_at IS NULL");

    db_bind_int(revoke, 1, db_now(db));
    db_bind_int(revoke, 2, token);
    db_bind_int(revoke, 3, account);
    db_run(db, revoke);
    tx_note(db_tx(db), (struct change){ CHANGE_ACCESS, account });
    return !db_failed(db) && db_changes(db) == 1;
}

json_t *token_list(struct db *db, int64_t account)
{
    struct stmt *list = db_prepare(db, "SELECT id, scope, label, created_at, revoked_at FROM token "
                                       "WHERE account = ? ORDER BY id");
    json_t *array = json_array();

    db_bind_int(list, 1, account);
    while (db_step(list) == DB_ROW) {
        json_t *token = json_object();
        show_int(token, "Id", db_int(list, 0));
        show_text(token, "Scope", scope_name((enum scope)db_int(list, 1)));
        show_text(token, "Label", db_text(list, 2));
        show_date(token, "CreationDate", db_int(list, 3));
        show_date(token, "RevokedDate", db_opt(list, 4, DATE_NONE));
        json_array_append_new(array, token);
    }
    db_finish(list);
    return array;
}

bool token_find(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES], struct caller *out)
{
    struct stmt *find =
        db_prepare(db, "SELECT t.id, t.scope, t.label, a.id, a.sid, a.kind, a.name "
                       "FROM token t JOIN account a ON a.id = t.account "
                       "WHERE t.hash = ? AND t.revoked_at IS NULL AND a.active = 1");
    bool found;

    memset(out, 0, sizeof(*out));
    db_bind_bytes(find, 1, hash, TOKEN_HASH_BYTES);
    found = db_step(find) == DB_ROW;
    if (found) {
        out->token = db_int(find, 0);
        out->scope = (unsigned)db_int(find, 1);
        out->account = db_int(find, 3);
        show_cut(out->sid, sizeof(out->sid), db_text(find, 4));
        out->kind = (enum account_kind)db_int(find, 5);
        if (out->kind == ACCOUNT_OPERATOR && out->scope == SCOPE_API)
            out->scope |= SCOPE_ADMIN;
        show_cut(out->name, sizeof(out->name), db_text(find, 2));
        if (out->name[0] == '\0')
            show_cut(out->name, sizeof(out->name), db_text(find, 6));
    }
    db_finish(find);
    return found;
}
