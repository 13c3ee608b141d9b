/* backup.c — `postbackd backup` and `postbackd restore`: the store of a data directory in one file,
 * and a data directory out of it.
 *
 * The key that opens what is sealed goes into a file of its own, so that both can be kept apart.
 */
#include "db/backup.h"

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/flags.h"
#include "cli/progress.h"
#include "store/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct command {
    const char *name;
    const char *data, *file, *key;
};

/* ---- what is said ---- */

static void refuse(const struct command *command, const char *why)
{
    flags_refuse(command->name, "", why);
}

static void draw(void *context, int64_t done, int64_t pages)
{
    progress_draw(context, done, pages);
}

static bool copy(const struct command *command, const char *from, const char *to)
{
    struct error error = { 0 };
    struct progress progress = { -1 };
    struct backup_news news = { .tell = progress_wanted() ? draw : NULL, .context = &progress };
    bool good = backup_database(from, to, &news, &error);
    progress_clear(&progress);
    if (!good)
        refuse(command, error.message);
    return good;
}

static bool copy_key(const struct command *command, const char *from, const char *to)
{
    struct error error = { 0 };
    return backup_file(from, to, &error) || (refuse(command, error.message), false);
}

/* ---- backup ---- */

static int backup_run(const struct command *command)
{
    struct buf from = { 0 }, key = { 0 };
    struct stat about;
    buf_fmt(&from, "%s/postbackd.db", command->data);
    buf_fmt(&key, "%s/secret.key", command->data);
    bool good = copy(command, buf_text(&from), command->file);
    if (good && command->key != NULL && !copy_key(command, buf_text(&key), command->key)) {
        unlink(command->file);
        good = false;
    }
    if (good && stat(command->file, &about) == 0)
        printf("%s: %" PRId64 " bytes, checked.%s\n", command->file, (int64_t)about.st_size,
               command->key != NULL
                   ? ""
                   : " The key is not in it: keep secret.key as well, or give --key-to FILE.");
    buf_free(&from);
    buf_free(&key);
    return good ? 0 : 1;
}

/* ---- restore ---- */

static void tell_bad(void *context, enum check_news news, const char *words)
{
    if (news == CHECK_DAMAGE || news == CHECK_FAILURE)
        refuse(context, words);
}

/* Counts, rows, and whether the key is the one. */
static bool is_whole(struct command *command)
{
    struct check check = { .tell = tell_bad, .context = command };
    const struct db_where where = { .directory = command->data };
    check_store(&check, &where, NULL);
    return check_bad(&check) == 0;
}

static bool make_directory(const struct command *command)
{
    if (mkdir(command->data, 0700) == 0 || errno == EEXIST)
        return true;
    refuse(command, strerror(errno));
    return false;
}

static int restore_run(struct command *command)
{
    struct buf to = { 0 }, key = { 0 };
    buf_fmt(&to, "%s/postbackd.db", command->data);
    buf_fmt(&key, "%s/secret.key", command->data);
    bool keyed = make_directory(command) && copy_key(command, command->key, buf_text(&key));
    bool copied = keyed && copy(command, command->file, buf_text(&to));
    bool good = copied && is_whole(command);
    if (copied && !good)
        unlink(buf_text(&to));
    if (keyed && !good)
        unlink(buf_text(&key));
    if (good)
        printf("%s: restored and checked. Start the server on it.\n", command->data);
    buf_free(&to);
    buf_free(&key);
    return good ? 0 : 1;
}

/* ---- flags ---- */

static bool is_complete(const struct command *command, bool needs_key)
{
    bool all = command->data != NULL && *command->data != '\0' && command->file != NULL &&
               (command->key != NULL || !needs_key);
    if (!all)
        refuse(command, "a flag is missing; --help says which are needed");
    return all;
}

static const char backup_help[] =
    "usage: postbackd backup --data DIR --to FILE [--key-to FILE]\n\n"
    "Copies the store in DIR, as it is at one moment, into one file, and checks each "
    "page of it.\n"
    "A server may run meanwhile. FILE must not be there yet.\n\n"
    "  --data DIR     the data directory (or the variable POSTBACKD_DATA)\n"
    "  --to FILE      the copy; it holds no key\n"
    "  --key-to FILE  the key that opens what is sealed in it: keep both apart\n\n"
    "A store on PostgreSQL is backed up by PostgreSQL's own tools.\n";

int backup_command(int argc, char **argv)
{
    struct command command = { .name = "backup", .data = getenv("POSTBACKD_DATA") };
    const struct flag flags[] = { { "data", .value = &command.data },
                                  { "to", .value = &command.file },
                                  { "key-to", .value = &command.key },
                                  { 0 } };
    int code;
    if (!flags_read(command.name, backup_help, flags, argc, argv, &code))
        return code;
    return is_complete(&command, false) ? backup_run(&command) : 2;
}

static const char restore_help[] =
    "usage: postbackd restore --from FILE --key FILE --data DIR\n\n"
    "Makes a data directory out of a backup and its key, and checks it. DIR must hold "
    "no store.\n\n"
    "  --from FILE  what `postbackd backup` wrote\n"
    "  --key FILE   the key of the server that it was made of\n"
    "  --data DIR   the data directory; made when it is not there\n";

int restore_command(int argc, char **argv)
{
    struct command command = { .name = "restore", .data = getenv("POSTBACKD_DATA") };
    const struct flag flags[] = { { "data", .value = &command.data },
                                  { "from", .value = &command.file },
                                  { "key", .value = &command.key },
                                  { 0 } };
    int code;
    if (!flags_read(command.name, restore_help, flags, argc, argv, &code))
        return code;
    return is_complete(&command, true) ? restore_run(&command) : 2;
}
