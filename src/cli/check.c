/* check.c — `postbackd check`: whether a store is whole, of a stopped server or one that runs.
 *
 * What is looked at now stands in one line of a terminal that is written over; what was found is a
 * line each, on standard output.
 */
#include "store/check.h"
#include "cli/cli.h"
#include "cli/flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WHOLE = 0, DAMAGED = 1, NOT_CHECKED = 2 };

struct report {
    bool quiet;    /* only what is wrong */
    bool progress; /* standard error is a terminal */
};

static void tell(void *context, enum check_news news, const char *words)
{
    static const char *const heads[CHECK_NEWS] = {
        [CHECK_FINE] = "whole   ",
        [CHECK_NOTE] = "note    ",
        [CHECK_DAMAGE] = "DAMAGE  ",
        [CHECK_FAILURE] = "FAILED  ",
    };
    const struct report *report = context;
    if (report->progress)
        fprintf(stderr, "\r\033[K");
    if (news == CHECK_STEP && report->progress)
        fprintf(stderr, "looking at %s …", words);
    if (news == CHECK_STEP || (report->quiet && news < CHECK_DAMAGE))
        return;
    printf("%s%s\n", heads[news], words);
    fflush(stdout);
}

static int close_with(const struct report *report, const struct check *check)
{
    int damages = check->told[CHECK_DAMAGE], failures = check->told[CHECK_FAILURE];
    if (report->progress)
        fprintf(stderr, "\r\033[K");
    if (damages > 0)
        printf("The store is damaged: %d finding%s.%s\n", damages, damages == 1 ? "" : "s",
               failures > 0 ? " Not all could be checked." : "");
    else if (failures > 0)
        printf("Not all could be checked.\n");
    else if (!report->quiet)
        printf("The store is whole.\n");
    return damages > 0 ? DAMAGED : failures > 0 ? NOT_CHECKED : WHOLE;
}

static const char help[] =
    "usage: postbackd check --data DIR [--store URI] [--key-file FILE] [--quiet]\n\n"
    "Reads the whole store and says whether it is whole: the write-ahead log, every page of\n"
    "the file, the schema, counts against rows, rows against what they belong to, and whether\n"
    "the key opens what it sealed. Nothing is changed; a server may run meanwhile. Of a store\n"
    "on PostgreSQL, which looks after its own files, all from the schema on.\n\n"
    "  --data DIR                  the data directory (or the variable POSTBACKD_DATA)\n"
    "  --store URI                 a store on PostgreSQL (POSTBACKD_STORE)\n"
    "  --store-password-file FILE  with its password (POSTBACKD_STORE_PASSWORD_FILE)\n"
    "  --key-file FILE             the key; secret.key in DIR if not given "
    "(POSTBACKD_KEY_FILE)\n"
    "  --quiet                     says only what is wrong, for cron\n\n"
    "Ends with 0 when the store is whole, 1 when it is damaged, 2 when it could not be "
    "checked.\n";

int check_command(int argc, char **argv)
{
    struct report report = { .progress = isatty(STDERR_FILENO) == 1 };
    struct check check = { .tell = tell, .context = &report };
    struct db_where where = { .directory = getenv("POSTBACKD_DATA"),
                              .uri = getenv("POSTBACKD_STORE"),
                              .password_file = getenv("POSTBACKD_STORE_PASSWORD_FILE") };
    const char *key_file = getenv("POSTBACKD_KEY_FILE");
    const struct flag flags[] = { { "data", .value = &where.directory },
                                  { "store", .value = &where.uri, .uri = true },
                                  { "store-password-file", .value = &where.password_file },
                                  { "key-file", .value = &key_file },
                                  { "quiet", .on = &report.quiet },
                                  { 0 } };
    int code;
    if (!flags_read("check", help, flags, argc, argv, &code))
        return code;
    if (where.directory == NULL || *where.directory == '\0')
        return flags_refuse("check", "", "--data DIR is required: which store to check");
    check_store(&check, &where, key_file);
    return close_with(&report, &check);
}
