/* check.c — first what is below the rows, which is the engine's, then the nouns' part. */
#include "store/check.h"

void check_store(struct check *check, const char *directory)
{
    const struct db_where where = { .directory = directory };
    struct db *db = check_database(check, &where);
    if (db == NULL)
        return;
    check_counts(check, db);
    check_rows(check, db);
    check_key(check, db, directory);
    db_close(db);
}
