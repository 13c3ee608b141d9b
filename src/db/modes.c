/* modes.c — the owners and modes of the data directory and what stands in it.
 *
 * A mode is mended, since taking a right away harms nobody, but for the key's: whoever could read
 * it has the secrets, and a quiet chmod would hide that (secrets.c refuses it).  An owner is not:
 * who owns a file can always open it again, and a server under the wrong user would leave files
 * behind that the right one cannot open.
 *
 * The rule: a symbolic link in the place of a file is never followed.
 */
#include "db/modes.h"

#include "base/buf.h"
#include "base/log.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHERS = 077 };

static const struct {
    const char *name;
    bool mended;
    const char *advice; /* what its mode may have let others do */
} files[] = {
    { "postbackd.db", true, "others could read or change it" },
    { "postbackd.db-wal", true, "others could read or change it" },
    { "postbackd.db-shm", true, "others could read or change it" },
    { "lock", true, "others could hold it, and keep the server from starting" },
    { "instance", true, "others could pass for this server" },
    { "operator.token", true,
      "others could read it: if they may have, make a new token and revoke this one" },
    { "secret.key", false, NULL },
};

static void name_user(uid_t user, char *out, size_t size)
{
    const struct passwd *entry = getpwuid(user);
    if (entry != NULL)
        snprintf(out, size, "%s", entry->pw_name);
    else
        snprintf(out, size, "user %ld", (long)user);
}

static bool is_ours(const char *path, const struct stat *about, struct error *error)
{
    char owner[64], own[64];
    if (about->st_uid == geteuid())
        return true;
    name_user(about->st_uid, owner, sizeof(owner));
    name_user(geteuid(), own, sizeof(own));
    error_set(error, ERROR_BROKEN,
              "%s belongs to %s and this server runs as %s: run it as the owner, or give the "
              "data directory and all in it to %s (chown -R)",
              path, owner, own, own);
    return false;
}

static bool mend(const char *path, const struct stat *about, const char *advice,
                 struct error *error)
{
    char was[16], now[16];
    unsigned mode = (unsigned)about->st_mode & 07777, right = mode & ~(unsigned)(OTHERS | 07000);
    if (mode == right)
        return true;
    snprintf(was, sizeof(was), "%04o", mode);
    snprintf(now, sizeof(now), "%04o", right);
    if (chmod(path, right) == -1) {
        error_set(error, ERROR_BROKEN, "%s has mode %s and cannot be made %s: %s", path, was, now,
                  strerror(errno));
        return false;
    }
    log_warn("mode_mended", LOG_T("path", path), LOG_T("was", was), LOG_T("now", now),
             LOG_T("reason", advice));
    return true;
}

static bool look(const char *path, bool mended, const char *advice, struct error *error)
{
    struct stat about;
    if (lstat(path, &about) == -1) {
        if (errno == ENOENT)
            return true;
        error_set(error, ERROR_BROKEN, "%s cannot be looked at: %s", path, strerror(errno));
        return false;
    }
    if (S_ISLNK(about.st_mode)) {
        error_set(error, ERROR_BROKEN,
                  "%s is a symbolic link, which is not followed: put the file itself there, or "
                  "have the whole data directory elsewhere",
                  path);
        return false;
    }
    if (!S_ISREG(about.st_mode)) {
        error_set(error, ERROR_BROKEN, "%s is not a file", path);
        return false;
    }
    return is_ours(path, &about, error) && (!mended || mend(path, &about, advice, error));
}

bool modes_mend(const char *directory, struct error *error)
{
    struct stat about;
    struct buf path = { 0 };
    bool good = stat(directory, &about) == 0;
    if (!good)
        error_set(error, ERROR_BROKEN, "%s cannot be looked at: %s", directory, strerror(errno));
    good = good && is_ours(directory, &about, error) &&
           mend(directory, &about, "others could see or change what is in it", error);
    for (size_t i = 0; good && i < sizeof(files) / sizeof(files[0]); i++) {
        buf_reset(&path);
        buf_fmt(&path, "%s/%s", directory, files[i].name);
        good = look(buf_text(&path), files[i].mended, files[i].advice, error);
    }
    buf_free(&path);
    return good;
}
