/* sqlite_errors.c — what SQLite's errors mean for a db.
 *
 * Errors that only a wrong program can cause end it at once; the others are sorted by what may be
 * done after them.
 */
#include "db/sqlite.h"

#include "base/fail.h"

#include <errno.h>
#include <stdio.h>

static bool no_room(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

static enum db_failure classify(int code, int number)
{
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
        return DB_CONSTRAINT;
    case SQLITE_FULL:
        return DB_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
        return DB_FATAL;
    case SQLITE_IOERR:
        /* After a failed fsync nobody knows what is on disk, whatever a second one says. */
        if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC ||
            code == SQLITE_IOERR_CORRUPTFS)
            return DB_FATAL;
        return no_room(number) ? DB_FULL : DB_TROUBLE;
    case SQLITE_BUSY: /* somebody else wrote after this transaction had read */
        return code == SQLITE_BUSY_SNAPSHOT ? DB_RETRY : DB_TROUBLE;
    default:
        return DB_TROUBLE;
    }
}

static int errno_of(sqlite3_file *file)
{
    int number = 0;
    if (file == NULL || file->pMethods == NULL ||
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number) != SQLITE_OK)
        return 0;
    return number;
}

/* Why the system refused.  SQLite loses it when a COMMIT fails: then the log's file knows. */
static int system_errno(struct sqlite_db *db)
{
    sqlite3_file *log = NULL, *file = NULL;
    int number = sqlite3_system_errno(db->handle);
    if (number == 0) {
        sqlite3_file_control(db->handle, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log);
        number = errno_of(log);
    }
    if (number == 0) {
        sqlite3_file_control(db->handle, NULL, SQLITE_FCNTL_FILE_POINTER, &file);
        number = errno_of(file);
    }
    return number;
}

void sqlite_fail(struct sqlite_db *db, const char *sql)
{
    char words[DB_FAILURE_TEXT];
    int code = sqlite3_extended_errcode(db->handle), primary = code & 0xff;
    if (db->base.failure != DB_FINE)
        return;
    if (!db->checks && (primary == SQLITE_ERROR || primary == SQLITE_MISUSE ||
                        primary == SQLITE_RANGE || primary == SQLITE_TOOBIG))
        bug("%s: %s", sql != NULL ? sql : "statement", sqlite3_errmsg(db->handle));
    int number = primary == SQLITE_IOERR ? system_errno(db) : 0;
    snprintf(words, sizeof(words), "%s%s%s", sqlite3_errmsg(db->handle), number != 0 ? ": " : "",
             number != 0 ? strerror(number) : "");
    bool unreadable = db->checks && primary == SQLITE_IOERR;
    db_fail(&db->base, unreadable ? DB_FATAL : classify(code, number), words);
}

sqlite3 *sqlite_handle(struct db *db)
{
    return container_of(db, struct sqlite_db, base)->handle;
}
