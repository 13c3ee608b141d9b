/* next_key.c — `postbackd next-key`: puts a new key behind the one that seals, in its file.
 *
 * Servers that share a database need the same next key before the key can be changed; one alone
 * makes it by itself.
 */
#include "base/buf.h"
#include "base/error.h"
#include "cli/cli.h"
#include "cli/flags.h"
#include "store/keyring.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: postbackd next-key --key-file FILE | --data DIR\n\n"
    "Makes the key to which all that is sealed can be changed, and puts it into the file behind "
    "the\n"
    "one that seals now. Servers that share a database all need the same: copy the file to each,\n"
    "with the same owner and mode 0600, and then run `postbackd admin key rotate`. They may run\n"
    "meanwhile and take the file within seconds.\n\n"
    "  --key-file FILE  the key (or the variable POSTBACKD_KEY_FILE)\n"
    "  --data DIR       where it is secret.key, when no FILE is given\n";

static int add(const char *path)
{
    struct error error = { 0 };
    struct keyring_prints has;
    bool good = keyring_open(path, false, &error) && keyring_add(&error);
    if (!good) {
        flags_refuse("next-key", "", error.message);
        keyring_close();
        return 1;
    }
    keyring_prints(&has);
    keyring_close();
    printf("%s: key %s seals, key %s is next. Copy the file to every server that shares the "
           "database, then run `postbackd admin key rotate`.\n",
           path, has.seals, has.other);
    return 0;
}

int next_key_command(int argc, char **argv)
{
    const char *file = getenv("POSTBACKD_KEY_FILE"), *data = getenv("POSTBACKD_DATA");
    const struct flag flags[] = { { "key-file", .value = &file },
                                  { "data", .value = &data },
                                  { 0 } };
    int code;
    if (!flags_read("next-key", help, flags, argc, argv, &code))
        return code;
    if (file == NULL && data == NULL)
        return flags_refuse("next-key", "", "needs --key-file FILE or --data DIR");
    struct buf path = { 0 };
    if (file != NULL)
        buf_str(&path, file);
    else
        buf_fmt(&path, "%s/secret.key", data);
    code = add(buf_text(&path));
    buf_free(&path);
    return code;
}
