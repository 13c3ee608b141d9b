/* check.c — the order of a check: log, header, schema, pages, rows, key.
 *
 * The connection is SQLite's plain one, read-only, and leaves the log alone when it closes.  Behind
 * a damage that makes further looks pointless the check ends; behind any other it goes on.
 */
#include "store/check.h"

#include "base/buf.h"
#include "base/embedded.h"
#include "base/fail.h"
#include "db/log_scan.h"
#include "db/schema.h"
#include "store/check_state.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum {
    LOG_GROWTH_MOST = 1024 * 1024 * 1024, /* bytes that one look may keep from being given back */
    LOOK_EVERY = 100000,                  /* steps of SQLite's machine between looks at that */
    SCANS = 5,
    SCAN_PAUSE_MS = 100,
};

void check_tell(struct checker *checker, enum check_news news, const char *format, ...)
{
    char words[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    checker->check->told[news]++;
    checker->check->tell(checker->check->context, news, words);
}

/* ---- statements ---- */

static int64_t log_bytes(const struct checker *checker)
{
    struct buf path = { 0 };
    struct stat about;
    buf_fmt(&path, "%s-wal", checker->path);
    int64_t bytes = stat(buf_text(&path), &about) == 0 ? about.st_size : 0;
    buf_free(&path);
    return bytes;
}

static int grown(void *context)
{
    struct checker *checker = context;
    checker->given_up = log_bytes(checker) > checker->log_at_most;
    return checker->given_up;
}

static void tell_error(struct checker *checker, const char *what)
{
    int code = sqlite3_errcode(checker->handle);
    if (checker->given_up)
        check_tell(checker, CHECK_FAILURE,
                   "%s: given up, as the server wrote more than a gigabyte meanwhile: check when "
                   "it is quieter, or a copy",
                   what);
    else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_IOERR)
        check_tell(checker, CHECK_DAMAGE, "%s: %s", what, sqlite3_errmsg(checker->handle));
    else
        check_tell(checker, CHECK_FAILURE, "%s: %s", what, sqlite3_errmsg(checker->handle));
}

sqlite3_stmt *check_begin(struct checker *checker, const char *what, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    checker->given_up = false;
    checker->log_at_most = log_bytes(checker) + LOG_GROWTH_MOST;
    if (sqlite3_prepare_v2(checker->handle, sql, -1, &stmt, NULL) != SQLITE_OK)
        tell_error(checker, what);
    return stmt;
}

bool check_row(struct checker *checker, sqlite3_stmt *stmt)
{
    (void)checker;
    return stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW;
}

bool check_end(struct checker *checker, const char *what, sqlite3_stmt *stmt)
{
    if (stmt == NULL)
        return false;
    int code = sqlite3_reset(stmt);
    if (code != SQLITE_OK)
        tell_error(checker, what);
    sqlite3_finalize(stmt);
    return code == SQLITE_OK;
}

int64_t check_number(struct checker *checker, const char *what, const char *sql, int64_t none)
{
    sqlite3_stmt *stmt = check_begin(checker, what, sql);
    int64_t number = check_row(checker, stmt) ? sqlite3_column_int64(stmt, 0) : none;
    return check_end(checker, what, stmt) ? number : none;
}

/* ---- the log ---- */

/* A server that runs writes while it is read: what is found then must be found again. */
static void check_log(struct checker *checker)
{
    struct buf path = { 0 }, words = { 0 };
    struct log_scan scan, before = { 0 };
    struct error error = { 0 };
    bool good = true;
    check_tell(checker, CHECK_STEP, "the write-ahead log");
    buf_fmt(&path, "%s-wal", checker->path);
    for (int i = 0; i < SCANS; i++) {
        good = log_scan(buf_text(&path), &scan, &error);
        bool again = log_scan_lost(&scan) &&
                     (i == 0 || scan.damaged != before.damaged || scan.frames != before.frames);
        if (!good || !checker->live || !again)
            break;
        before = scan;
        poll(NULL, 0, SCAN_PAUSE_MS);
    }
    if (log_scan_lost(&scan))
        log_scan_words(&scan, &words);
    if (!good)
        check_tell(checker, CHECK_FAILURE, "%s", error.message);
    else if (words.len > 0)
        check_tell(checker, CHECK_DAMAGE, "%s: %s", buf_text(&path), buf_text(&words));
    else
        check_tell(checker, CHECK_FINE, "the write-ahead log: %" PRId64 " frames%s", scan.frames,
                   scan.unfinished > 0 && !checker->live
                       ? ", and what was being written when the server was killed"
                       : "");
    buf_free(&path);
    buf_free(&words);
}

/* ---- header and schema ---- */

/* /proc/locks names who holds DIR/lock, without a lock of our own that a start could run into. */
static bool is_live(const char *directory)
{
    struct buf path = { 0 };
    struct stat about;
    char line[256], wanted[64];
    bool live = false;
    buf_fmt(&path, "%s/lock", directory);
    FILE *locks = stat(buf_text(&path), &about) == 0 ? fopen("/proc/locks", "r") : NULL;
    buf_free(&path);
    if (locks == NULL)
        return false;
    snprintf(wanted, sizeof(wanted), "%02x:%02x:%llu ", major(about.st_dev), minor(about.st_dev),
             (unsigned long long)about.st_ino);
    while (!live && fgets(line, sizeof(line), locks) != NULL)
        live = strstr(line, "FLOCK") != NULL && strstr(line, wanted) != NULL;
    fclose(locks);
    return live;
}

static bool open_file(struct checker *checker)
{
    struct stat about;
    if (stat(checker->path, &about) == -1) {
        check_tell(checker, CHECK_FAILURE, "%s: %s", checker->path, strerror(errno));
        return false;
    }
    int code = sqlite3_open_v2(checker->path, &checker->handle,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        check_tell(checker, CHECK_FAILURE, "%s: %s", checker->path,
                   sqlite3_errmsg(checker->handle));
        return false;
    }
    sqlite3_busy_timeout(checker->handle, 5000);
    sqlite3_db_config(checker->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_progress_handler(checker->handle, LOOK_EVERY, grown, checker);
    sqlite3_exec(checker->handle,
                 "PRAGMA cache_size = -4096; PRAGMA query_only = ON; PRAGMA cell_size_check = ON",
                 NULL, NULL, NULL);
    return true;
}

static bool check_header(struct checker *checker)
{
    struct error error = { 0 };
    if (!schema_identify(checker->handle, checker->path, &error)) {
        int code = sqlite3_errcode(checker->handle);
        bool damaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
        check_tell(checker, damaged ? CHECK_DAMAGE : CHECK_FAILURE, "%s", error.message);
        return false;
    }
    return true;
}

static void tell_lack(void *context, const char *words)
{
    check_tell(context, CHECK_DAMAGE, "schema: %s", words);
}

/* False: the tables are not those that the further looks are made for. */
static bool check_schema(struct checker *checker)
{
    int64_t version = check_number(checker, "schema", "PRAGMA user_version", -1);
    int before = checker->check->told[CHECK_DAMAGE];
    if (version >= 0 && version < (int64_t)schema_count) {
        check_tell(checker, CHECK_NOTE,
                   version == 0 ? "the database is empty: no server has run on it yet"
                                : "the schema is of version %" PRId64
                                  ": the next start brings it up to date",
                   version);
        return false;
    }
    check_tell(checker, CHECK_STEP, "the schema");
    if (!schema_parts_compare(checker->parts, checker->handle, tell_lack, checker))
        tell_error(checker, "schema");
    if (checker->check->told[CHECK_DAMAGE] > before)
        return false;
    check_tell(checker, CHECK_FINE, "the schema: version %" PRId64 ", all tables and indexes",
               version);
    return true;
}

void check_store(struct check *check, const char *directory)
{
    struct buf path = { 0 };
    buf_fmt(&path, "%s/postbackd.db", directory);
    struct checker checker = { .check = check,
                               .directory = directory,
                               .path = buf_take(&path),
                               .live = is_live(directory),
                               .parts = schema_parts_new() };
    memset(check->told, 0, sizeof(check->told));
    if (checker.parts == NULL)
        die("out of memory for the schema");
    struct stat about;
    if (stat(checker.path, &about) == 0)
        check_log(&checker);
    if (open_file(&checker) && check_header(&checker)) {
        bool known = check_schema(&checker);
        check_file(&checker);
        if (known) {
            check_rows(&checker);
            check_key(&checker);
        }
    }
    sqlite3_close(checker.handle);
    schema_parts_free(checker.parts);
    free(checker.path);
}
