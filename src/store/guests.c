/* guests.c — a row for each guest of an account.
 *
 * The row of a portal session begins with the hash of a one-time code.  The UPDATE that finds that
 * takes it away and puts the token's in its place, so of many who come with one code one comes in.
 */
#include "store/guests.h"

#include "db/tx.h"
#include "model/show.h"

#include <string.h>

static void remove_ended(struct db *db)
{
    struct stmt *ended = db_prepare(db, "DELETE FROM guest WHERE until_at <= ?");

    db_bind_int(ended, 1, db_now(db));
    db_run(db, ended);
}

static bool has_room(struct db *db, const struct guest *guest)
{
    struct stmt *count =
        db_prepare(db, "SELECT count(*) FROM guest WHERE account = ? AND kind = ?");

    db_bind_int(count, 1, guest->account);
    db_bind_int(count, 2, (int64_t)guest->kind);
    return db_number(count, 0) < GUESTS_MOST;
}

int64_t guest_add(struct db *db, const struct guest *guest,
                  const unsigned char hash[TOKEN_HASH_BYTES])
{
    bool portal = guest->kind == CALLER_PORTAL;
    struct stmt *add;

    remove_ended(db);
    if (!has_room(db, guest))
        return 0;
    add = db_prepare(db, "INSERT INTO guest (kind, account, person, token, name, brand, scope, "
                         "code, hash, created_at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                         "?) RETURNING id");
    db_bind_int(add, 1, (int64_t)guest->kind);
    db_bind_int(add, 2, guest->account);
    db_bind_opt(add, 3, guest->by->user, 0);
    db_bind_opt(add, 4, guest->by->token, 0);
    db_bind_text(add, 5, guest->name);
    db_bind_text(add, 6, guest->brand);
    db_bind_int(add, 7, (int64_t)guest->scope);
    db_bind_bytes(add, 8, portal ? hash : NULL, TOKEN_HASH_BYTES);
    db_bind_bytes(add, 9, portal ? NULL : hash, TOKEN_HASH_BYTES);
    db_bind_int(add, 10, db_now(db));
    db_bind_int(add, 11, db_now(db) + (portal ? GUEST_CODE_MS : GUEST_MS));
    return db_insert(add);
}

int64_t guest_exchange(struct db *db, const unsigned char code[TOKEN_HASH_BYTES],
                       const unsigned char token[TOKEN_HASH_BYTES], char **brand, enum scope *scope)
{
    struct stmt *take =
        db_prepare(db, "UPDATE guest SET code = NULL, hash = ?2, until_at = ?3 WHERE code = ?1 "
                       "AND until_at > ?4 AND account IN (SELECT id FROM account WHERE active = 1) "
                       "RETURNING account, brand, scope");
    int64_t account = 0;

    *brand = NULL;
    db_bind_bytes(take, 1, code, TOKEN_HASH_BYTES);
    db_bind_bytes(take, 2, token, TOKEN_HASH_BYTES);
    db_bind_int(take, 3, db_now(db) + GUEST_MS);
    db_bind_int(take, 4, db_now(db));
    if (db_step(take) == DB_ROW) {
        account = db_int(take, 0);
        *brand = db_copy(take, 1);
        *scope = (enum scope)db_int(take, 2);
    }
    db_run(db, take);
    return account;
}

bool guest_find(struct db *db, const unsigned char hash[TOKEN_HASH_BYTES], struct caller *out)
{
    struct stmt *find =
        db_prepare(db, "SELECT g.kind, g.scope, g.name, a.id, a.sid, a.kind FROM guest g "
                       "JOIN account a ON a.id = g.account WHERE g.hash = ?1 AND g.until_at > ?2 "
                       "AND a.active = 1 AND (g.person IS NULL OR EXISTS (SELECT 1 FROM person u "
                       "JOIN account o ON o.id = u.account WHERE u.id = g.person AND u.active = 1 "
                       "AND o.active = 1)) AND (g.token IS NULL OR EXISTS (SELECT 1 FROM token t "
                       "WHERE t.id = g.token AND t.revoked_at IS NULL))");
    bool found;

    memset(out, 0, sizeof(*out));
    db_bind_bytes(find, 1, hash, TOKEN_HASH_BYTES);
    db_bind_int(find, 2, db_now(db));
    found = db_step(find) == DB_ROW;
    if (found) {
        out->only = (enum caller_only)db_int(find, 0);
        out->scope = (unsigned)db_int(find, 1);
        show_cut(out->name, sizeof(out->name), db_text(find, 2));
        out->account = db_int(find, 3);
        show_cut(out->sid, sizeof(out->sid), db_text(find, 4));
        out->kind = (enum account_kind)db_int(find, 5);
    }
    db_finish(find);
    return found;
}

bool guest_end(struct db *db, int64_t account, enum caller_only kind, int64_t id)
{
    struct stmt *end =
        db_prepare(db, "DELETE FROM guest WHERE id = ? AND account = ? AND kind = ?");

    db_bind_int(end, 1, id);
    db_bind_int(end, 2, account);
    db_bind_int(end, 3, (int64_t)kind);
    db_run(db, end);
    if (db_failed(db) || db_changes(db) != 1)
        return false;
    tx_note(db_tx(db), (struct change){ CHANGE_ACCESS, account });
    return true;
}
