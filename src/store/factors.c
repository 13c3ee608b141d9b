/* factors.c — a row of `factor` for each user who has one, and a row for each recovery code left.
 *
 * The rule that must never break: no code is taken twice.  So the row's step only rises, by an
 * UPDATE that finds it lower, and a recovery code is taken by the DELETE that finds it.
 */
#include "store/factors.h"

#include "db/tx.h"
#include "model/show.h"
#include "store/secrets.h"

#include <sodium.h>
#include <string.h>

struct factor {
    unsigned char secret[TOTP_SECRET_BYTES];
    bool on;
    int64_t last_step;
    bool may_try; /* not too many wrong ones */
};

static bool factor_load(struct db *db, int64_t user, struct factor *out)
{
    struct stmt *find =
        db_prepare(db, "SELECT secret, coalesce(confirmed_at, 0), last_step, wrong, "
                       "wrong_from FROM factor WHERE person = ?");
    struct buf plain = { .limit = 256 };
    const void *sealed;
    size_t len;
    bool found;

    memset(out, 0, sizeof(*out));
    db_bind_int(find, 1, user);
    found = db_step(find) == DB_ROW;
    if (found) {
        sealed = db_bytes(find, 0, &len);
        /* One that cannot be opened is still on: no code is right, and an administrator resets. */
        if (secrets_unseal(&plain, sealed, len) && plain.len == TOTP_SECRET_BYTES)
            memcpy(out->secret, plain.data, TOTP_SECRET_BYTES);
        else
            randombytes_buf(out->secret, TOTP_SECRET_BYTES);
        out->on = db_int(find, 1) != 0;
        out->last_step = db_int(find, 2);
        out->may_try =
            db_int(find, 3) < FACTOR_WRONG_MOST || db_now(db) - db_int(find, 4) >= FACTOR_WRONG_MS;
    }
    db_finish(find);
    buf_wipe(&plain);
    return found;
}

/* A second factor decides what a session of the user may do. */
static void access_changed(struct db *db)
{
    tx_note(db_tx(db), (struct change){ CHANGE_ACCESS });
}

bool factor_begin(struct db *db, int64_t user, const unsigned char secret[TOTP_SECRET_BYTES])
{
    struct stmt *begin =
        db_prepare(db, "INSERT INTO factor (person, secret) VALUES (?1, ?2) ON CONFLICT (person) "
                       "DO UPDATE SET secret = excluded.secret WHERE factor.confirmed_at IS NULL");
    struct buf sealed = { .limit = 256 };

    secrets_seal(&sealed, secret, TOTP_SECRET_BYTES);
    db_bind_int(begin, 1, user);
    db_bind_bytes(begin, 2, sealed.data, sealed.len);
    db_run(db, begin);
    buf_free(&sealed);
    return !db_failed(db) && db_changes(db) == 1;
}

static void count_wrong(struct db *db, int64_t user)
{
    struct stmt *count = db_prepare(
        db,
        "UPDATE factor SET wrong = CASE WHEN wrong_from <= ?2 THEN 1 ELSE wrong + 1 END, "
        "wrong_from = CASE WHEN wrong_from <= ?2 THEN ?3 ELSE wrong_from END WHERE person = ?1");

    db_bind_int(count, 1, user);
    db_bind_int(count, 2, db_now(db) - FACTOR_WRONG_MS);
    db_bind_int(count, 3, db_now(db));
    db_run(db, count);
}

static bool take_step(struct db *db, int64_t user, int64_t step)
{
    struct stmt *take = db_prepare(db, "UPDATE factor SET last_step = ?2, wrong = 0, confirmed_at "
                                       "= coalesce(confirmed_at, ?3) "
                                       "WHERE person = ?1 AND last_step < ?2");

    db_bind_int(take, 1, user);
    db_bind_int(take, 2, step);
    db_bind_int(take, 3, db_now(db));
    db_run(db, take);
    return !db_failed(db) && db_changes(db) == 1;
}

static bool take_recovery(struct db *db, int64_t user, const char *code)
{
    unsigned char hash[RECOVERY_HASH_BYTES];
    struct stmt *take;

    if (!recovery_code_hash(hash, code))
        return false;
    take = db_prepare(db, "DELETE FROM recovery_code WHERE person = ? AND hash = ?");
    db_bind_int(take, 1, user);
    db_bind_bytes(take, 2, hash, sizeof(hash));
    db_run(db, take);
    return !db_failed(db) && db_changes(db) == 1;
}

static enum factor_answer try_code(struct db *db, int64_t user, const char *code, bool on)
{
    struct factor factor;
    enum factor_answer answer = FACTOR_RIGHT;
    int64_t step;

    if (!factor_load(db, user, &factor) || factor.on != on) {
        answer = FACTOR_NONE;
    } else if (!factor.may_try) {
        answer = FACTOR_TOO_MANY;
    } else {
        step = totp_step_of(factor.secret, code, db_now(db), factor.last_step);
        if ((step == 0 || !take_step(db, user, step)) && !(on && take_recovery(db, user, code)))
            answer = FACTOR_WRONG;
    }
    sodium_memzero(&factor, sizeof(factor));
    if (answer == FACTOR_WRONG)
        count_wrong(db, user);
    return answer;
}

enum factor_answer factor_confirm(struct db *db, int64_t user, const char *code)
{
    enum factor_answer answer = try_code(db, user, code, false);

    if (answer == FACTOR_RIGHT)
        access_changed(db);
    return answer;
}

enum factor_answer factor_take(struct db *db, int64_t user, const char *code)
{
    return try_code(db, user, code, true);
}

static void remove_recovery(struct db *db, int64_t user)
{
    struct stmt *remove = db_prepare(db, "DELETE FROM recovery_code WHERE person = ?");

    db_bind_int(remove, 1, user);
    db_run(db, remove);
}

bool factor_remove(struct db *db, int64_t user)
{
    struct stmt *remove = db_prepare(db, "DELETE FROM factor WHERE person = ?");
    bool removed;

    db_bind_int(remove, 1, user);
    db_run(db, remove);
    removed = !db_failed(db) && db_changes(db) == 1;
    remove_recovery(db, user);
    access_changed(db);
    return removed;
}

void factor_set_recovery(struct db *db, int64_t user,
                         unsigned char hashes[RECOVERY_CODES][RECOVERY_HASH_BYTES])
{
    remove_recovery(db, user);
    for (int i = 0; i < RECOVERY_CODES; i++) {
        struct stmt *add = db_prepare(db, "INSERT INTO recovery_code (person, hash) VALUES (?, ?) "
                                          "ON CONFLICT DO NOTHING");
        db_bind_int(add, 1, user);
        db_bind_bytes(add, 2, hashes[i], RECOVERY_HASH_BYTES);
        db_run(db, add);
    }
}

bool factor_is_on(struct db *db, int64_t user)
{
    struct stmt *find =
        db_prepare(db, "SELECT 1 FROM factor WHERE person = ? AND confirmed_at IS NOT NULL");

    db_bind_int(find, 1, user);
    return db_number(find, 0) == 1;
}

json_t *factor_show(struct db *db, int64_t user)
{
    struct stmt *find = db_prepare(
        db, "SELECT coalesce(f.person, 0), coalesce(f.confirmed_at, 0), a.factor_required, "
            "(SELECT count(*) FROM recovery_code r WHERE r.person = u.id) FROM person u "
            "JOIN account a ON a.id = u.account LEFT JOIN factor f ON f.person = u.id "
            "WHERE u.id = ?");
    json_t *shown = NULL;

    db_bind_int(find, 1, user);
    if (db_step(find) == DB_ROW) {
        shown = json_object();
        show_text(shown, "State",
                  db_int(find, 1) != 0   ? "ON"
                  : db_int(find, 0) != 0 ? "WAITING"
                                         : "NONE");
        show_bool(shown, "Required", db_int(find, 2) != 0);
        show_int(shown, "RecoveryCodesLeft", db_int(find, 3));
    }
    db_finish(find);
    return shown;
}

bool factor_require(struct db *db, int64_t account, bool required)
{
    struct stmt *set = db_prepare(db, "UPDATE account SET factor_required = ? WHERE id = ?");

    db_bind_int(set, 1, required);
    db_bind_int(set, 2, account);
    db_run(db, set);
    access_changed(db);
    return !db_failed(db) && db_changes(db) == 1;
}

bool factor_is_required(struct db *db, int64_t account)
{
    struct stmt *find = db_prepare(db, "SELECT factor_required FROM account WHERE id = ?");

    db_bind_int(find, 1, account);
    return db_number(find, 0) == 1;
}
