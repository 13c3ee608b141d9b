/* sqlite_backup.c — SQLite's own copying of pages, within one read transaction.
 *
 * The transaction is begun before the copy: a copy without one begins anew with every commit of
 * another process, and so never ends beside a busy server.
 *
 * The rule: a file stands under its name only when it is whole and on disk.
 */
#include "db/backup.h"

#include "base/buf.h"
#include "base/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STEP_PAGES = 256,
    BUSY_MS = 5000,
    SMALL_FILE_MOST = 4096, /* bytes */
};

/* ---- files ---- */

static bool refuse(struct error *error, const char *path)
{
    error_set(error, ERROR_BROKEN, "%s: %s", path, strerror(errno));
    return false;
}

static bool is_free(const char *path, struct error *error)
{
    struct stat about;
    if (lstat(path, &about) == 0) {
        error_set(error, ERROR_CONFLICT, "%s is there already: name one that is not", path);
        return false;
    }
    return errno == ENOENT || refuse(error, path);
}

static bool sync_path(const char *path, int flags, struct error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | flags);
    bool good = file != -1 && fsync(file) == 0;
    if (!good)
        refuse(error, path);
    if (file != -1)
        close(file);
    return good;
}

/* A file of our own; what an earlier run that was killed left there goes. */
static int make_part(const char *part, struct error *error)
{
    unlink(part);
    int file = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file == -1)
        refuse(error, part);
    return file;
}

/* What was written becomes what it is called, for good. */
static bool put_in_place(const char *part, const char *to, struct error *error)
{
    if (!sync_path(part, 0, error))
        return false;
    if (link(part, to) == -1) /* never over another file */
        return refuse(error, to);
    unlink(part);
    char *copy = must_copy(to);
    bool good = sync_path(dirname(copy), O_DIRECTORY, error);
    free(copy);
    return good;
}

/* ---- the database ---- */

struct copy {
    const char *from, *part;
    sqlite3 *source, *target;
    const struct backup_news *news;
    struct error *error;
};

static bool fail(const struct copy *copy, sqlite3 *handle, const char *path)
{
    error_set(copy->error, ERROR_BROKEN, "%s: %s", path, sqlite3_errmsg(handle));
    return false;
}

static bool open_both(struct copy *copy)
{
    int file = make_part(copy->part, copy->error);
    if (file == -1)
        return false;
    close(file);
    if (sqlite3_open_v2(copy->from, &copy->source, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        return fail(copy, copy->source, copy->from);
    sqlite3_busy_timeout(copy->source, BUSY_MS);
    sqlite3_db_config(copy->source, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (sqlite3_open_v2(copy->part, &copy->target, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return fail(copy, copy->target, copy->part);
    if (sqlite3_exec(copy->source, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) !=
        SQLITE_OK)
        return fail(copy, copy->source, copy->from);
    return true;
}

static void tell(const struct copy *copy, sqlite3_backup *pages)
{
    int64_t all = sqlite3_backup_pagecount(pages);
    if (copy->news->tell != NULL)
        copy->news->tell(copy->news->context, all - sqlite3_backup_remaining(pages), all);
}

static bool copy_pages(const struct copy *copy)
{
    sqlite3_backup *pages = sqlite3_backup_init(copy->target, "main", copy->source, "main");
    int code = pages != NULL ? SQLITE_OK : SQLITE_ERROR;
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(pages, STEP_PAGES);
        tell(copy, pages);
    }
    sqlite3_backup_finish(pages);
    return code == SQLITE_DONE || fail(copy, copy->target, copy->part);
}

static bool says_ok(sqlite3 *handle, const char *sql, struct buf *words)
{
    sqlite3_stmt *ask;
    bool ok = false;
    if (sqlite3_prepare_v2(handle, sql, -1, &ask, NULL) == SQLITE_OK &&
        sqlite3_step(ask) == SQLITE_ROW)
        buf_str(words, (const char *)sqlite3_column_text(ask, 0));
    ok = words->len > 0 && strcmp(buf_text(words), "ok") == 0;
    if (words->len == 0)
        buf_str(words, sqlite3_errmsg(handle));
    sqlite3_finalize(ask);
    return ok;
}

/* One file from now on, and each page of it whole. */
static bool check_copy(const struct copy *copy)
{
    struct buf words = { 0 };
    if (sqlite3_exec(copy->target, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) != SQLITE_OK)
        return fail(copy, copy->target, copy->part);
    bool ok = says_ok(copy->target, "PRAGMA integrity_check(1)", &words);
    if (!ok)
        error_set(copy->error, ERROR_BROKEN, "%s is not whole: %s", copy->from, buf_text(&words));
    buf_free(&words);
    return ok;
}

bool backup_database(const char *from, const char *to, const struct backup_news *news,
                     struct error *error)
{
    struct buf part = { 0 };
    if (access(from, R_OK) == -1)
        return refuse(error, from);
    if (!is_free(to, error))
        return false;
    buf_fmt(&part, "%s.part", to);
    struct copy copy = { .from = from, .part = buf_text(&part), .news = news, .error = error };
    bool opened = open_both(&copy);
    bool good = opened && copy_pages(&copy) && check_copy(&copy);
    bool ours = copy.source != NULL; /* the part is, whatever came after it */
    sqlite3_close(copy.target);
    sqlite3_close(copy.source);
    good = good && put_in_place(copy.part, to, error);
    if (!good && ours)
        unlink(copy.part);
    buf_free(&part);
    return good;
}

/* ---- a small file ---- */

static bool copy_bytes(int from, int to)
{
    char bytes[SMALL_FILE_MOST + 1];
    ssize_t len = read(from, bytes, sizeof(bytes));
    bool good = len > 0 && len <= SMALL_FILE_MOST && write(to, bytes, (size_t)len) == len;
    if (len > SMALL_FILE_MOST)
        errno = EFBIG;
    else if (len == 0)
        errno = ENODATA;
    explicit_bzero(bytes, sizeof(bytes));
    return good;
}

bool backup_file(const char *from, const char *to, struct error *error)
{
    struct buf part = { 0 };
    if (!is_free(to, error))
        return false;
    buf_fmt(&part, "%s.part", to);
    int source = open(from, O_RDONLY | O_CLOEXEC);
    if (source == -1) {
        buf_free(&part);
        return refuse(error, from);
    }
    int target = make_part(buf_text(&part), error);
    bool good = target != -1;
    if (good && !copy_bytes(source, target))
        good = refuse(error, from);
    close(source);
    if (target != -1)
        close(target);
    good = good && put_in_place(buf_text(&part), to, error);
    if (!good && target != -1)
        unlink(buf_text(&part));
    buf_free(&part);
    return good;
}
