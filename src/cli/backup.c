/* backup.c — `postbackd backup` and `postbackd restore`: the store of a data directory in one file,
 * and a data directory out of it.
 *
 * The key that opens what is sealed goes into a file of its own, so that both can be kept apart.
 */
#include "db/backup.h"

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "store/check.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct command {
    const char *name;
    const char *help;
    const struct option *flags;
    bool needs_key;
    int (*run)(const struct command *command);
    const char *data, *file, *key;
};

/* ---- what is said ---- */

static int refuse(const struct command *command, const char *why)
{
    fprintf(stderr, "postbackd %s: %s\n", command->name, why);
    return 2;
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

static int restore_run(const struct command *command)
{
    struct command own = *command;
    struct buf to = { 0 }, key = { 0 };
    buf_fmt(&to, "%s/postbackd.db", command->data);
    buf_fmt(&key, "%s/secret.key", command->data);
    bool keyed = make_directory(command) && copy_key(command, command->key, buf_text(&key));
    bool copied = keyed && copy(command, command->file, buf_text(&to));
    bool good = copied && is_whole(&own);
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

static const struct option backup_flags[] = { { "data", required_argument, NULL, 'd' },
                                              { "to", required_argument, NULL, 'f' },
                                              { "key-to", required_argument, NULL, 'k' },
                                              { "help", no_argument, NULL, 'h' },
                                              { 0 } };
static const struct option restore_flags[] = { { "data", required_argument, NULL, 'd' },
                                               { "from", required_argument, NULL, 'f' },
                                               { "key", required_argument, NULL, 'k' },
                                               { "help", no_argument, NULL, 'h' },
                                               { 0 } };

static int wrong(const struct command *command, const char *word, const char *why)
{
    fprintf(stderr, "postbackd %s: %s%s\n", command->name, word, why);
    return 2;
}

static int run(struct command *command, int argc, char **argv)
{
    optind = 0;
    opterr = 0;
    command->data = getenv("POSTBACKD_DATA");
    for (int flag; (flag = getopt_long(argc, argv, "+:h", command->flags, NULL)) != -1;) {
        if (flag == 'h')
            return printf("%s", command->help) < 0;
        if (flag == ':' || flag == '?')
            return wrong(command, argv[optind - 1],
                         flag == ':' ? " needs a value" : " is not known; --help lists what is");
        *(flag == 'd' ? &command->data : flag == 'f' ? &command->file : &command->key) = optarg;
    }
    if (optind < argc)
        return wrong(command, argv[optind], ": not expected here; --help says what is");
    if (command->data == NULL || *command->data == '\0' || command->file == NULL ||
        (command->needs_key && command->key == NULL))
        return wrong(command, "", "a flag is missing; --help says which are needed");
    return command->run(command);
}

int backup_command(int argc, char **argv)
{
    struct command command = {
        .name = "backup",
        .help = "usage: postbackd backup --data DIR --to FILE [--key-to FILE]\n\n"
                "Copies the store in DIR, as it is at one moment, into one file, and checks each "
                "page of it.\n"
                "A server may run meanwhile. FILE must not be there yet.\n\n"
                "  --data DIR     the data directory (or the variable POSTBACKD_DATA)\n"
                "  --to FILE      the copy; it holds no key\n"
                "  --key-to FILE  the key that opens what is sealed in it: keep both apart\n\n"
                "A store on PostgreSQL is backed up by PostgreSQL's own tools.\n",
        .flags = backup_flags,
        .run = backup_run,
    };
    return run(&command, argc, argv);
}

int restore_command(int argc, char **argv)
{
    struct command command = {
        .name = "restore",
        .help = "usage: postbackd restore --from FILE --key FILE --data DIR\n\n"
                "Makes a data directory out of a backup and its key, and checks it. DIR must hold "
                "no store.\n\n"
                "  --from FILE  what `postbackd backup` wrote\n"
                "  --key FILE   the key of the server that it was made of\n"
                "  --data DIR   the data directory; made when it is not there\n",
        .flags = restore_flags,
        .needs_key = true,
        .run = restore_run,
    };
    return run(&command, argc, argv);
}
