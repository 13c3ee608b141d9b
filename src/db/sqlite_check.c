/* sqlite_check.c — is a database file whole?  Log, header, schema, pages, references, in that
 * order.
 *
 * The connection is SQLite's plain one, read-only, and leaves the log alone when it closes.  Behind
 * a damage that makes further looks pointless the check ends; behind any other it goes on.
 */
#include "db/sqlite_check.h"

#include "base/embedded.h"
#include "base/fail.h"
#include "db/disk.h"
#include "db/sqlite_functions.h"
#include "db/sqlite_log_scan.h"
#include "db/sqlite_schema.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
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

/* ---- the log ---- */

/* A server that runs writes while it is read: what is found then must be found again. */
static void check_log(struct checker *checker)
{
    struct buf path = { 0 }, words = { 0 };
    struct log_scan scan, before = { 0 };
    struct error error = { 0 };
    bool good = true;
    check_tell(checker->check, CHECK_STEP, "the write-ahead log");
    buf_fmt(&path, "%s-wal", checker->source->name);
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
        check_tell(checker->check, CHECK_FAILURE, "%s", error.message);
    else if (words.len > 0)
        check_tell(checker->check, CHECK_DAMAGE, "%s: %s", buf_text(&path), buf_text(&words));
    else
        check_tell(checker->check, CHECK_FINE, "the write-ahead log: %" PRId64 " frames%s",
                   scan.frames,
                   scan.unfinished > 0 && !checker->live
                       ? ", and what was being written when the server was killed"
                       : "");
    buf_free(&path);
    buf_free(&words);
}

/* ---- a connection ---- */

static int64_t log_bytes(struct db *db)
{
    struct disk_figures disk;
    sqlite_disk(db, &disk);
    return disk.log;
}

/* How far the log may grow while the transaction lasts. */
void sqlite_check_begins(struct sqlite_db *db)
{
    db->log_at_most = log_bytes(&db->base) + LOG_GROWTH_MOST;
}

static int grown(void *context)
{
    struct sqlite_db *db = context;
    if (log_bytes(&db->base) <= db->log_at_most)
        return 0;
    db_fail(&db->base, DB_TROUBLE,
            "given up, as the server wrote more than a gigabyte meanwhile: check when it is "
            "quieter, or a copy");
    return 1;
}

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
    const char *path = checker->source->name;
    struct sqlite_db *db = container_of(checker->db, struct sqlite_db, base);
    struct stat about;
    if (stat(path, &about) == -1) {
        check_tell(checker->check, CHECK_FAILURE, "%s: %s", path, strerror(errno));
        return false;
    }
    int code = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK || !sqlite_add_functions(db->handle)) {
        check_tell(checker->check, CHECK_FAILURE, "%s: %s", path, sqlite3_errmsg(db->handle));
        return false;
    }
    sqlite3_busy_timeout(db->handle, 5000);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_progress_handler(db->handle, LOOK_EVERY, grown, db);
    sqlite3_exec(db->handle,
                 "PRAGMA cache_size = -4096; PRAGMA query_only = ON; PRAGMA cell_size_check = ON",
                 NULL, NULL, NULL);
    return true;
}

/* ---- header and schema ---- */

static bool check_header(struct checker *checker)
{
    sqlite3 *handle = sqlite_handle(checker->db);
    struct error error = { 0 };
    if (!schema_identify(handle, checker->source->name, &error)) {
        int code = sqlite3_errcode(handle);
        bool damaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
        check_tell(checker->check, damaged ? CHECK_DAMAGE : CHECK_FAILURE, "%s", error.message);
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
    struct check *check = checker->check;
    sqlite3 *handle = sqlite_handle(checker->db);
    int64_t version = check_number(check, checker->db, "schema", "PRAGMA user_version", -1);
    int before = check_bad(check);
    if (version >= 0 && version < (int64_t)schema_count) {
        check_tell(check, CHECK_NOTE,
                   version == 0 ? "the database is empty: no server has run on it yet"
                                : "the schema is of version %" PRId64
                                  ": the next start brings it up to date",
                   version);
        return false;
    }
    check_tell(check, CHECK_STEP, "the schema");
    if (!schema_parts_compare(checker->parts, handle, tell_lack, check))
        check_tell(check, CHECK_DAMAGE, "schema: %s", sqlite3_errmsg(handle));
    if (check_bad(check) > before)
        return false;
    check_tell(check, CHECK_FINE, "the schema: version %" PRId64 ", all tables and indexes",
               version);
    return true;
}

static void check_references(struct checker *checker)
{
    struct check *check = checker->check;
    int64_t foreign = 0;
    check_tell(check, CHECK_STEP, "references");
    struct stmt *list = check_begin(checker->db, "PRAGMA foreign_key_check");
    while (db_step(list) == DB_ROW) {
        if (++foreign <= CHECK_FINDINGS_MOST)
            check_tell(check, CHECK_DAMAGE, "row %lld of table %s belongs to no %s",
                       (long long)db_int(list, 1), db_text(list, 0), db_text(list, 2));
    }
    if (foreign > CHECK_FINDINGS_MOST)
        check_tell(check, CHECK_DAMAGE, "references: and %" PRId64 " more",
                   foreign - CHECK_FINDINGS_MOST);
    if (check_end(check, checker->db, "references", list) && foreign == 0)
        check_tell(check, CHECK_FINE, "references: each row belongs to one that is there");
}

/* ---- all of it ---- */

/* A source that nobody has hold of, and its connection, which takes it along. */
static void set_up(struct checker *checker, const char *directory)
{
    struct buf path = { 0 };
    struct sqlite_db *db = must_alloc(sizeof(*db));
    buf_fmt(&path, "%s/postbackd.db", directory);
    checker->source = sqlite_source_new(buf_take(&path), -1);
    checker->db = &db->base;
    checker->live = is_live(directory);
    checker->parts = schema_parts_new();
    db->checks = true;
    db_init(&db->base, checker->source, DB_READER);
    if (checker->parts == NULL)
        die("out of memory for the schema");
}

struct db *sqlite_check(const struct db_where *where, struct check *check)
{
    struct checker checker = { .check = check };
    struct stat about;
    bool known = false;
    set_up(&checker, where->directory);
    if (stat(checker.source->name, &about) == 0)
        check_log(&checker);
    if (open_file(&checker) && check_header(&checker)) {
        known = check_schema(&checker);
        check_file(&checker);
        if (known)
            check_references(&checker);
    }
    schema_parts_free(checker.parts);
    if (known)
        return checker.db;
    db_close(checker.db);
    return NULL;
}
