/* check.c — first what is below the rows, which is the engine's, then the nouns' part. */
#include "store/check.h"

#include "base/buf.h"

void check_store(struct check *check, const struct db_where *where, const char *key_file)
{
    struct buf path = { 0 };
    struct db *db = check_database(check, where);
    if (db == NULL)
        return;
    if (key_file != NULL)
        buf_str(&path, key_file);
    else
        buf_fmt(&path, "%s/secret.key", where->directory);
    check_counts(check, db);
    check_rows(check, db);
    check_key(check, db, buf_text(&path));
    buf_free(&path);
    db_close(db);
}
