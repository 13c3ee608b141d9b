/* check_key.c — the key file opens the word and the secrets that the database holds sealed. */
#include "store/check.h"

#include "base/buf.h"
#include "store/keyring.h"
#include "store/secrets.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

static void check_sealed(struct check *check, struct db *db)
{
    struct buf plain = { 0 };
    int64_t bad = 0, all = 0;
    struct stmt *list = check_begin(db, "SELECT secrets FROM notification_revision");
    while (db_step(list) == DB_ROW) {
        size_t len;
        const void *sealed = db_bytes(list, 0, &len);
        buf_reset(&plain);
        bad += sealed == NULL || !secrets_unseal(&plain, sealed, len);
        buf_wipe(&plain);
        all++;
    }
    buf_free(&plain);
    if (!check_end(check, db, "secrets", list))
        return;
    if (bad > 0)
        check_tell(check, CHECK_DAMAGE,
                   "the key opens %" PRId64 " of %" PRId64 " sealed secrets of event notifications",
                   all - bad, all);
    else
        check_tell(check, CHECK_FINE, "the key: it opens all %" PRId64 " sealed secrets", all);
}

void check_key(struct check *check, struct db *db, const char *key_file)
{
    struct error error = { 0 };
    check_tell(check, CHECK_STEP, "the key");
    bool hidden = access(key_file, R_OK) == -1 && errno == EACCES;
    if (!keyring_open(key_file, false, &error)) {
        check_tell(check, hidden ? CHECK_FAILURE : CHECK_DAMAGE, "%s", error.message);
        return;
    }
    struct stmt *find = check_begin(db, "SELECT value FROM meta WHERE key = 'sealed_word'");
    bool there = db_step(find) == DB_ROW;
    bool opens = there && secrets_fit(db_text(find, 0));
    check_end(check, db, "the key", find);
    if (there && !opens)
        check_tell(check, CHECK_DAMAGE, "%s is not the key of this database", key_file);
    else
        check_sealed(check, db);
    keyring_close();
}
