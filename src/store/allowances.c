/* allowances.c — rows of (kind, key, span), counted up under their lock. */
#include "store/allowances.h"

static void bind(struct stmt *stmt, const struct allowance *allowance)
{
    db_bind_int(stmt, 1, allowance->kind);
    db_bind_int(stmt, 2, allowance->key);
    db_bind_int(stmt, 3, allowance->span);
}

/* The row is locked from here on, and there. */
static int used_so_far(struct db *db, const struct allowance *allowance)
{
    struct stmt *put = db_prepare(
        db, "INSERT INTO allowance (kind, key, span, used) VALUES (?1, ?2, ?3, 0) ON CONFLICT "
            "(kind, key, span) DO UPDATE SET used = allowance.used RETURNING used");
    bind(put, allowance);
    return (int)db_number(put, 0);
}

int allowance_draw(struct db *db, const struct allowance *allowance, int want, int *used)
{
    int before = used_so_far(db, allowance), left = allowance->most - before;
    int got = want < left ? want : left > 0 ? left : 0;
    struct stmt *put = db_prepare(db, "UPDATE allowance SET used = ?4 WHERE kind = ?1 AND key = ?2 "
                                      "AND span = ?3");
    bind(put, allowance);
    db_bind_int(put, 4, before + got);
    db_run(db, put);
    *used = before + got;
    return got;
}

void allowance_give_back(struct db *db, const struct allowance *allowance)
{
    struct stmt *put = db_prepare(db, "UPDATE allowance SET used = used - 1 WHERE kind = ?1 AND "
                                      "key = ?2 AND span = ?3 AND used > 0");
    bind(put, allowance);
    db_run(db, put);
}

int allowances_expire(struct db *db, enum allowance_kind kind, int64_t span, int most)
{
    struct stmt *drop =
        db_prepare(db, "DELETE FROM allowance WHERE (kind, key, span) IN (SELECT kind, key, span "
                       "FROM allowance WHERE kind = ?1 AND span < ?2 LIMIT ?3)");
    db_bind_int(drop, 1, kind);
    db_bind_int(drop, 2, span);
    db_bind_int(drop, 3, most);
    db_run(db, drop);
    return (int)db_changes(db);
}
