/* check_key.c — the key file opens the word and the secrets that the database holds sealed. */
#include "store/check.h"

#include "base/buf.h"
#include "store/key_change.h"
#include "store/keyring.h"
#include "store/secrets.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

struct opened {
    int64_t all, bad;
};

static bool open_column(struct check *check, struct db *db, const struct sealed_column *column,
                        struct opened *out)
{
    struct buf plain = { 0 };
    struct stmt *list = check_begin(db, column->list);
    *out = (struct opened){ 0 };
    db_bind_int(list, 1, 0);
    db_bind_int(list, 2, 0);
    db_bind_int(list, 3, INT64_MAX);
    while (db_step(list) == DB_ROW) {
        size_t len;
        const void *sealed = db_bytes(list, 2, &len);
        buf_reset(&plain);
        out->bad += sealed == NULL || !secrets_unseal(&plain, sealed, len);
        buf_wipe(&plain);
        out->all++;
    }
    buf_free(&plain);
    return check_end(check, db, column->what, list);
}

static void check_sealed(struct check *check, struct db *db)
{
    int64_t all = 0;
    bool whole = true;
    for (size_t i = 0; i < SEALED_COLUMNS; i++) {
        struct opened opened;
        if (!open_column(check, db, &sealed_columns[i], &opened))
            return;
        if (opened.bad > 0)
            check_tell(check, CHECK_DAMAGE,
                       "the key opens %" PRId64 " of %" PRId64 " sealed secrets of %s",
                       opened.all - opened.bad, opened.all, sealed_columns[i].what);
        whole = whole && opened.bad == 0;
        all += opened.all;
    }
    if (whole)
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
