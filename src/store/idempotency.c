/* idempotency.c — the table idempotency: rows in order of time, found by account and hash. */
#include "store/idempotency.h"

#include "store/secrets.h"

#include <string.h>

bool idempotency_find(struct db *db, const struct idempotency_key *key,
                      struct idempotency_kept *out)
{
    struct stmt *find = db_prepare(db, "SELECT request, coalesce(status, 0), answer "
                                       "FROM idempotency WHERE account = ? AND name = ? "
                                       "AND made_at > ?");
    bool found;

    *out = (struct idempotency_kept){ .answer = { .limit = 2 * IDEMPOTENCY_ANSWER_MOST } };
    db_bind_int(find, 1, key->account);
    db_bind_bytes(find, 2, key->name, sizeof(key->name));
    db_bind_int(find, 3, db_now(db) - IDEMPOTENCY_MS);
    found = db_step(find) == DB_ROW;
    if (found) {
        size_t len;
        const void *request = db_bytes(find, 0, &len);
        out->same = len == sizeof(key->request) && memcmp(request, key->request, len) == 0;
        out->status = (int)db_int(find, 1);
        const void *sealed = db_bytes(find, 2, &len);
        if (out->status != 0 && !secrets_unseal(&out->answer, sealed, len))
            out->status = 0;
    }
    db_finish(find);
    return found;
}

bool idempotency_add(struct db *db, const struct idempotency_key *key)
{
    struct stmt *clear = db_prepare(db, "DELETE FROM idempotency WHERE account = ?1 "
                                        "AND (name = ?2 OR made_at <= ?3)");
    db_bind_int(clear, 1, key->account);
    db_bind_bytes(clear, 2, key->name, sizeof(key->name));
    db_bind_int(clear, 3, db_now(db) - IDEMPOTENCY_MS);
    db_run(db, clear);

    struct stmt *count = db_prepare(db, "SELECT count(*) FROM idempotency WHERE account = ?");
    db_bind_int(count, 1, key->account);
    if (db_number(count, 0) >= IDEMPOTENCY_MOST)
        return false;

    struct stmt *add = db_prepare(db, "INSERT INTO idempotency (account, name, request, made_at) "
                                      "VALUES (?, ?, ?, ?)");
    db_bind_int(add, 1, key->account);
    db_bind_bytes(add, 2, key->name, sizeof(key->name));
    db_bind_bytes(add, 3, key->request, sizeof(key->request));
    db_bind_int(add, 4, db_now(db));
    db_run(db, add);
    return true;
}

void idempotency_answer(struct db *db, const struct idempotency_key *key, int status,
                        const struct buf *answer)
{
    struct stmt *set = db_prepare(db, "UPDATE idempotency SET status = ?, answer = ? "
                                      "WHERE account = ? AND name = ?");
    struct buf sealed = { 0 };

    secrets_seal(&sealed, answer->data, answer->len);
    db_bind_int(set, 1, status);
    db_bind_bytes(set, 2, sealed.data, sealed.len);
    db_bind_int(set, 3, key->account);
    db_bind_bytes(set, 4, key->name, sizeof(key->name));
    db_run(db, set);
    buf_free(&sealed);
}

int idempotency_expire(struct db *db, int limit)
{
    struct stmt *expire = db_prepare(db, "DELETE FROM idempotency WHERE made_at <= ?1 AND id IN "
                                         "(SELECT id FROM idempotency ORDER BY id LIMIT ?2)");

    db_bind_int(expire, 1, db_now(db) - IDEMPOTENCY_MS);
    db_bind_int(expire, 2, limit);
    db_run(db, expire);
    return (int)db_changes(db);
}
