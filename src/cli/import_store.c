/* import_store.c — `postbackd import-store`: a stopped server's data directory into an empty
 * database on PostgreSQL.
 *
 * The directory is first opened as a start would open it: its lock is taken, its schema brought up
 * to date, the key held against it, and what was on its way becomes a row that waits.  Then all
 * rows are copied in one transaction (db/transfer.h).  The directory stays as it is.
 */
#include "base/buf.h"
#include "base/fail.h"
#include "cli/cli.h"
#include "cli/flags.h"
#include "cli/progress.h"
#include "db/backup.h"
#include "db/store.h"
#include "db/transfer.h"
#include "store/nouns.h"
#include "store/postbacks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_MOST = 4096, PATIENCE_MS = 24 * 3600 * 1000 }; /* an index of a large table takes long */

struct import {
    const char *from;
    struct db_where to;
    const char *key_file;
    struct progress progress;
    bool made_key;
};

static int refuse(const char *word, const char *why)
{
    return flags_refuse("import-store", word, why);
}

static bool failed(const struct error *error)
{
    refuse("", error->message);
    return false;
}

/* ---- the directory, as a start would open it ---- */

static bool recover_run(struct job *job, struct db *db)
{
    (void)job;
    postback_recover(db);
    return true;
}

static bool prepare_directory(const struct import *import)
{
    uv_loop_t loop;
    struct error error = { 0 };
    struct job recover = { .run = recover_run };
    const struct store_config config = { .directory = import->from,
                                         .loop = &loop,
                                         .nouns = &store_nouns };
    uv_loop_init(&loop);
    struct store *store = store_open(&config, &error);
    bool good = store != NULL && store_run_now(store, &recover);
    if (store != NULL && !good)
        error = recover.error;
    if (store != NULL)
        store_close(store);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return good || failed(&error);
}

static bool is_a_store(const char *directory)
{
    struct buf path = { 0 };
    buf_fmt(&path, "%s/postbackd.db", directory);
    bool there = access(buf_text(&path), F_OK) == 0;
    buf_free(&path);
    if (!there)
        refuse(directory, ": no postbackd.db is there");
    return there;
}

/* ---- the key ---- */

static bool read_file(const char *path, struct buf *bytes)
{
    char part[KEY_MOST];
    FILE *file = fopen(path, "r");
    size_t len = file != NULL ? fread(part, 1, sizeof(part), file) : 0;
    if (file != NULL)
        fclose(file);
    buf_add(bytes, part, len);
    explicit_bzero(part, sizeof(part));
    return file != NULL;
}

static bool same_key(const char *one, const char *other)
{
    struct buf first = { 0 }, second = { 0 };
    bool same = read_file(one, &first) && read_file(other, &second) && first.len == second.len &&
                memcmp(first.data, second.data, first.len) == 0;
    buf_wipe(&first);
    buf_wipe(&second);
    return same;
}

/* The key that the nodes will have is the directory's: copied, or compared. */
static bool bring_key(struct import *import)
{
    struct buf own = { 0 };
    struct error error = { 0 };
    bool good = true;
    buf_fmt(&own, "%s/secret.key", import->from);
    if (import->key_file == NULL) {
        printf("The key is %s: all nodes need it.\n", buf_text(&own));
    } else if (access(import->key_file, F_OK) == 0) {
        good = same_key(buf_text(&own), import->key_file);
        if (!good)
            refuse(import->key_file, " is another key than the directory's");
    } else {
        good = backup_file(buf_text(&own), import->key_file, &error) || failed(&error);
        import->made_key = good;
    }
    buf_free(&own);
    return good;
}

/* ---- the rows ---- */

static void tell(void *context, int64_t done, int64_t all, const char *table, int64_t rows)
{
    struct import *import = context;
    bool bar = progress_wanted();
    if (bar && table != NULL)
        progress_clear(&import->progress);
    if (table != NULL && rows > 0) {
        printf("%-28s %12" PRId64 " rows\n", table, rows);
        fflush(stdout);
    }
    if (bar)
        progress_draw(&import->progress, done, all);
}

static bool copy_rows(struct import *import)
{
    struct error error = { 0 };
    const struct transfer_news news = { tell, import };
    const struct db_where where = { .directory = import->from };
    struct db_source *from, *to = NULL;
    bool fresh;

    from = db_source_open(&where, &fresh, &error);
    if (from != NULL)
        to = db_source_open(&import->to, &fresh, &error);
    bool good = to != NULL && transfer_store(from, to, &news, &error);
    progress_clear(&import->progress);
    if (to != NULL)
        db_source_close(to);
    if (from != NULL)
        db_source_close(from);
    return good || failed(&error);
}

static int run(struct import *import)
{
    bool good = is_a_store(import->from) && prepare_directory(import) && bring_key(import);
    bool copied = good && copy_rows(import);
    if (good && !copied && import->made_key)
        unlink(import->key_file);
    if (!copied)
        return 1;
    printf("All rows are there, counted on both sides. %s is as it was; do not start a server on "
           "its file any more, or what waits goes out twice.\n",
           import->from);
    return 0;
}

/* ---- flags ---- */

static const char help[] =
    "usage: postbackd import-store --from DATA --store URI [--key-file FILE]\n\n"
    "Copies the store in DATA, of a server that is stopped, into an empty database on\n"
    "PostgreSQL. It is there whole, or not at all: a run that breaks leaves nothing.\n\n"
    "  --from DATA                 the data directory; it stays as it is\n"
    "  --store URI                 postgresql://USER@HOST/DATABASE (or POSTBACKD_STORE)\n"
    "  --store-password-file FILE  with its password (or POSTBACKD_STORE_PASSWORD_FILE)\n"
    "  --key-file FILE             where the nodes have their key (or POSTBACKD_KEY_FILE): "
    "the\n"
    "                              directory's is copied there, or compared with what is "
    "there\n";

int import_store_command(int argc, char **argv)
{
    struct import import = { .to = { .uri = getenv("POSTBACKD_STORE"),
                                     .password_file = getenv("POSTBACKD_STORE_PASSWORD_FILE"),
                                     .patience_ms = PATIENCE_MS },
                             .key_file = getenv("POSTBACKD_KEY_FILE"),
                             .progress = { -1 } };
    const struct flag flags[] = { { "from", .value = &import.from },
                                  { "store", .value = &import.to.uri, .uri = true },
                                  { "store-password-file", .value = &import.to.password_file },
                                  { "key-file", .value = &import.key_file },
                                  { 0 } };
    int code;
    if (!flags_read("import-store", help, flags, argc, argv, &code))
        return code;
    if (import.from == NULL || import.to.uri == NULL)
        return refuse("", "--from DATA and --store URI are required");
    return run(&import);
}
