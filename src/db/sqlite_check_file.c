/* sqlite_check_file.c — SQLite's own check of pages, and of each index against its table.
 *
 * A stopped store is checked as a whole, with its list of free pages.  One that a server writes to
 * is checked a table at a time: the server's log can be given back only up to the snapshot that is
 * looked at, so each look has to be short.
 */
#include "db/sqlite_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* "Tree 12 page 45: …": which one that is. */
static void name_tree(struct checker *checker, const char *line, char *out, size_t size)
{
    static const char tree[] = "Tree ";
    sqlite3_stmt *find = NULL;
    out[0] = '\0';
    if (strncmp(line, tree, strlen(tree)) != 0 ||
        sqlite3_prepare_v2(sqlite_handle(checker->db),
                           "SELECT type || ' ' || name FROM sqlite_schema WHERE rootpage = ?", -1,
                           &find, NULL) != SQLITE_OK)
        return;
    sqlite3_bind_int64(find, 1, strtoll(line + strlen(tree), NULL, 10));
    if (sqlite3_step(find) == SQLITE_ROW)
        snprintf(out, size, "%s: ", (const char *)sqlite3_column_text(find, 0));
    sqlite3_finalize(find);
}

/* A row may be several lines. */
static void tell_lines(struct checker *checker, const char *what, const char *text)
{
    char line[512], name[128];
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)(len < 500 ? len : 500), text);
        text += len + (text[len] == '\n');
        if (line[0] == '\0' || strncmp(line, "***", 3) == 0)
            continue;
        name_tree(checker, line, name, sizeof(name));
        check_tell(checker->check, CHECK_DAMAGE, "%s: %s%s", what, name, line);
    }
}

/* False: damage, or not looked at to the end. */
static bool run_check(struct checker *checker, const char *what, const char *sql)
{
    int before = checker->check->told[CHECK_DAMAGE];
    struct stmt *stmt = check_begin(checker->db, sql);
    while (db_step(stmt) == DB_ROW) {
        const char *text = db_text(stmt, 0);
        if (strcmp(text, "ok") != 0)
            tell_lines(checker, what, text);
    }
    return check_end(checker->check, checker->db, what, stmt) &&
           checker->check->told[CHECK_DAMAGE] == before;
}

static bool check_size(struct checker *checker)
{
    struct stat about;
    int64_t pages = check_number(checker->check, checker->db, "the file", "PRAGMA page_count", 0);
    int64_t size = check_number(checker->check, checker->db, "the file", "PRAGMA page_size", 4096);
    if (checker->live || stat(checker->source->name, &about) == -1 || about.st_size >= pages * size)
        return true;
    struct buf log = { 0 };
    struct stat of_log;
    buf_fmt(&log, "%s-wal", checker->source->name);
    bool in_log = stat(buf_text(&log), &of_log) == 0 && of_log.st_size > 0;
    buf_free(&log);
    if (in_log) /* its pages may stand there */
        return true;
    check_tell(checker->check, CHECK_DAMAGE,
               "the file is cut off: it has %lld bytes, and its header says %" PRId64,
               (long long)about.st_size, pages * size);
    return false;
}

static bool each_table(struct checker *checker)
{
    bool whole = true;
    const char *table = NULL;
    int total = 0, number = 0;
    struct buf sql = { 0 }, what = { 0 };
    while ((table = schema_parts_next(checker->parts, table)) != NULL)
        total++;
    while ((table = schema_parts_next(checker->parts, table)) != NULL) {
        buf_reset(&sql);
        buf_reset(&what);
        buf_fmt(&what, "table %s", table);
        buf_fmt(&sql, "PRAGMA integrity_check('%s')", table);
        check_tell(checker->check, CHECK_STEP, "%s, %d of %d", buf_text(&what), ++number, total);
        whole = run_check(checker, buf_text(&what), buf_text(&sql)) && whole;
    }
    buf_free(&sql);
    buf_free(&what);
    return whole;
}

void check_file(struct checker *checker)
{
    struct stat about = { 0 };
    stat(checker->source->name, &about);
    check_tell(checker->check, CHECK_STEP, "the file, %.1f MiB", (double)about.st_size / 1048576);
    bool whole = check_size(checker);
    if (checker->live)
        whole = each_table(checker) && whole;
    else
        whole = run_check(checker, "the file", "PRAGMA integrity_check(100)") && whole;
    if (whole)
        check_tell(checker->check, CHECK_FINE, "the file: %.1f MiB, %s",
                   (double)about.st_size / 1048576,
                   checker->live ? "every page of every table and index"
                                 : "every page, the free ones too");
}
