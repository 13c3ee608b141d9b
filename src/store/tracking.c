/* tracking.c — the tracking_token table.
 *
 * As with the tokens of accounts a row holds the hash, never the token, and a revoked row stays for
 * the audit log's sake.
 */
#include "store/tracking.h"

#include "model/date.h"
#include "model/show.h"

static int64_t count_of(struct db *db, int64_t campaign)
{
    struct stmt *count = db_prepare(db, "SELECT count(*) FROM tracking_token "
                                        "WHERE campaign = ? AND revoked_at IS NULL");

    db_bind_int(count, 1, campaign);
    return db_number(count, 0);
}

int64_t tracking_token_add(struct db *db, int64_t campaign, const char *label,
                           const unsigned char hash[TOKEN_HASH_BYTES])
{
    struct stmt *add;

    if (count_of(db, campaign) >= TRACKING_TOKENS_MAX)
        return 0;
    add = db_prepare(db, "INSERT INTO tracking_token (campaign, hash, label, created_at) "
                         "VALUES (?, ?, ?, ?) RETURNING id");
    db_bind_int(add, 1, campaign);
    db_bind_bytes(add, 2, hash, TOKEN_HASH_BYTES);
    db_bind_text(add, 3, label != NULL ? label : "");
    db_bind_int(add, 4, db_now(db));
    return db_insert(add);
}

bool tracking_token_revoke(struct db *db, int64_t campaign, int64_t token)
{
    struct stmt *revoke = db_prepare(db, "UPDATE tracking_token SET revoked_at = ? WHERE id = ? "
                                         "AND campaign = ? AND revoked_at IS NULL");

    db_bind_int(revoke, 1, db_now(db));
    db_bind_int(revoke, 2, token);
    db_bind_int(revoke, 3, campaign);
    db_run(db, revoke);
    return !db_failed(db) && db_changes(db) == 1;
}

json_t *tracking_token_list(struct db *db, int64_t campaign)
{
    struct stmt *list = db_prepare(db, "SELECT id, label, created_at, revoked_at "
                                       "FROM tracking_token WHERE campaign = ? ORDER BY id");
    json_t *array = json_array();

    db_bind_int(list, 1, campaign);
    while (db_step(list) == DB_ROW) {
        json_t *token = json_object();
        show_int(token, "Id", db_int(list, 0));
        show_text(token, "Label", db_text(list, 1));
        show_date(token, "CreationDate", db_int(list, 2));
        show_date(token, "RevokedDate", db_opt(list, 3, DATE_NONE));
        json_array_append_new(array, token);
    }
    db_finish(list);
    return array;
}

bool tracking_token_is(struct db *db, int64_t campaign, const unsigned char hash[TOKEN_HASH_BYTES])
{
    struct stmt *find = db_prepare(db, "SELECT campaign FROM tracking_token "
                                       "WHERE hash = ? AND revoked_at IS NULL");
    bool is;

    db_bind_bytes(find, 1, hash, TOKEN_HASH_BYTES);
    is = db_step(find) == DB_ROW && db_int(find, 0) == campaign;
    db_finish(find);
    return is;
}
