/* check.c — what the parts of a check have in common. */
#include "db/check.h"

#include "db/driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void check_tell(struct check *check, enum check_news news, const char *format, ...)
{
    char words[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    check->told[news]++;
    check->tell(check->context, news, words);
}

int check_bad(const struct check *check)
{
    return check->told[CHECK_DAMAGE] + check->told[CHECK_FAILURE];
}

struct db *check_database(struct check *check, const struct db_where *where)
{
    memset(check->told, 0, sizeof(check->told));
    const struct db_driver *driver = db_driver_for(where);
    if (driver != NULL)
        return driver->check(where, check);
    check_tell(check, CHECK_FAILURE, "this program was built without PostgreSQL (libpq)");
    return NULL;
}

struct stmt *check_begin(struct db *db, const char *sql)
{
    db_begin(db, 0, 0);
    return db_prepare_once(db, sql);
}

bool check_end(struct check *check, struct db *db, const char *what, struct stmt *stmt)
{
    if (stmt != NULL)
        db_finish(stmt);
    if (db_commit(db))
        return true;
    check_tell(check, db_failure(db) == DB_FATAL ? CHECK_DAMAGE : CHECK_FAILURE, "%s: %s", what,
               db_failure_text(db));
    return false;
}

int64_t check_number(struct check *check, struct db *db, const char *what, const char *sql,
                     int64_t none)
{
    struct stmt *stmt = check_begin(db, sql);
    int64_t number = db_step(stmt) == DB_ROW ? db_int(stmt, 0) : none;
    return check_end(check, db, what, stmt) ? number : none;
}
