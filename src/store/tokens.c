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
                  int64_t expires_at, const unsigned char hash[TOKEN_HASH_BYTES])
{
    struct stmt *old = db_prepare(db, "DELETE FROM token WHERE account = ?1 AND revoked_at IS NOT "
                                      "NULL AND id <= (SELECT id FROM token WHERE account = ?1 "
                                      "ORDER BY id DESC LIMIT 1 OFFSET ?2) AND NOT EXISTS "
                                      "(SELECT 1 FROM guest WHERE guest.token = token.id)");
    db_bind_int(old, 1, account);
    db_bind_int(old, 2, TOKENS_KEPT);
    db_run(db, old);
    struct stmt *add = db_prepare(db, "INSERT INTO token (account, hash, scope, label, created_at, "
                                      "expires_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING id");

    db_bind_int(add, 1, account);
    db_bind_bytes(add, 2, hash, TOKEN_HASH_BYTES);
    db_bind_int(add, 3, (int64_t)scope);
    db_bind_text(add, 4, label != NULL ? label : "");
    db_bind_int(add, 5, db_now(db));
    db_bind_opt(add, 6, expires_at, DATE_NONE);
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
    struct stmt *list =
        db_prepare(db, "SELECT id, scope, label, created_at, revoked_at, expires_at, "
                       "used_at FROM token "
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
        show_date(token, "ExpiryDate", db_opt(list, 5, DATE_NONE));
        show_date(token, "LastUseDate", db_opt(list, 6, DATE_NONE));
        json_array_append_new(array, token);
    }
    db_finish(list);
    return array;
}

int64_t tokens_count(struct db *db, int64_t account)
{
    struct stmt *count = db_prepare(db, "SELECT count(*) FROM token WHERE account = ? AND "
                                        "revoked_at IS NULL AND (expires_at IS NULL OR "
                                        "expires_at > ?)");
    db_bind_int(count, 1, account);
    db_bind_int(count, 2, db_now(db));
    int64_t tokens = db_step(count) == DB_ROW ? db_int(count, 0) : 0;
    db_finish(count);
    return tokens;
}

void token_touch(struct db *db, int64_t token)
{
    struct stmt *touch = db_prepare(db, "UPDATE token SET used_at = ?1 WHERE id = ?2 AND "
                                        "(used_at IS NULL OR used_at < ?1)");
    db_bind_int(touch, 1, db_now(db));
    db_bind_int(touch, 2, token);
    db_run(db, touch);
}

bool token_find(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES], struct caller *out,
                int64_t *stale)
{
    struct stmt *find =
        db_prepare(db, "SELECT t.id, t.scope, t.label, a.id, a.sid, a.kind, a.name, t.used_at "
                       "FROM token t JOIN account a ON a.id = t.account "
                       "WHERE t.hash = ?1 AND t.revoked_at IS NULL AND a.active = 1 "
                       "AND (t.expires_at IS NULL OR t.expires_at > ?2)");
    bool found;

    memset(out, 0, sizeof(*out));
    *stale = 0;
    db_bind_bytes(find, 1, hash, TOKEN_HASH_BYTES);
    db_bind_int(find, 2, db_now(db));
    found = db_step(find) == DB_ROW;
    if (found) {
        out->token = db_int(find, 0);
        if (db_opt(find, 7, INT64_MIN) < db_now(db) - TOKEN_TOUCH_MS)
            *stale = out->token;
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
