/* check_key.c — the key file opens the word and the secrets that the database holds sealed. */
#include "store/check_state.h"

#include "base/buf.h"
#include "store/secrets.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

static void check_sealed(struct checker *checker)
{
    struct buf plain = { 0 };
    int64_t bad = 0, all = 0;
    sqlite3_stmt *list =
        check_begin(checker, "secrets", "SELECT secrets FROM notification_revision");
    while (check_row(checker, list)) {
        const void *sealed = sqlite3_column_blob(list, 0);
        size_t len = (size_t)sqlite3_column_bytes(list, 0);
        buf_reset(&plain);
        bad += sealed == NULL || !secrets_unseal(&plain, sealed, len);
        buf_wipe(&plain);
        all++;
    }
    buf_free(&plain);
    if (!check_end(checker, "secrets", list))
        return;
    if (bad > 0)
        check_tell(checker, CHECK_DAMAGE,
                   "the key opens %" PRId64 " of %" PRId64 " sealed secrets of event notifications",
                   all - bad, all);
    else
        check_tell(checker, CHECK_FINE, "the key: it opens all %" PRId64 " sealed secrets", all);
}

void check_key(struct checker *checker)
{
    struct error error = { 0 };
    struct buf path = { 0 };
    check_tell(checker, CHECK_STEP, "the key");
    buf_fmt(&path, "%s/secret.key", checker->directory);
    bool hidden = access(buf_text(&path), R_OK) == -1 && errno == EACCES;
    buf_free(&path);
    if (!secrets_open(checker->directory, false, &error)) {
        check_tell(checker, hidden ? CHECK_FAILURE : CHECK_DAMAGE, "%s", error.message);
        return;
    }
    sqlite3_stmt *find =
        check_begin(checker, "the key", "SELECT value FROM meta WHERE key = 'sealed_word'");
    bool there = check_row(checker, find);
    bool opens = there && secrets_fit((const char *)sqlite3_column_text(find, 0));
    check_end(checker, "the key", find);
    if (there && !opens)
        check_tell(checker, CHECK_DAMAGE, "%s/secret.key is not the key of this database",
                   checker->directory);
    else
        check_sealed(checker);
    secrets_close();
}
