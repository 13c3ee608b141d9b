/* directory.c — the lock is an flock() on DATA/lock, which the system drops with the process. */
#include "db/directory.h"

#include "base/buf.h"
#include "base/fail.h"
#include "base/id.h"
#include "db/modes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_directory(const char *directory, struct error *error)
{
    struct stat about;

    if (mkdir(directory, 0700) == 0)
        return true;
    if (errno != EEXIST) {
        error_set(error, ERROR_BROKEN, "%s cannot be made: %s", directory, strerror(errno));
        return false;
    }
    if (stat(directory, &about) == -1 || !S_ISDIR(about.st_mode)) {
        error_set(error, ERROR_BROKEN, "%s is not a directory", directory);
        return false;
    }
    return true;
}

/* Who holds the lock, by what it wrote there; 0: cannot be read. */
static int64_t lock_holder(int file)
{
    char text[32] = "";
    int64_t pid = 0;
    ssize_t len = pread(file, text, sizeof(text) - 1, 0);
    if (len > 0)
        text[strcspn(text, "\n")] = '\0';
    return len > 0 && id_parse(text, &pid) ? pid : 0;
}

static int take_lock(const char *directory, struct error *error)
{
    struct buf path = { 0 }, pid = { 0 };

    buf_fmt(&path, "%s/lock", directory);
    int file = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file == -1) {
        error_set(error, ERROR_BROKEN, "%s cannot be opened: %s", buf_text(&path), strerror(errno));
    } else if (flock(file, LOCK_EX | LOCK_NB) == -1) {
        if (errno == EWOULDBLOCK)
            error_set(error, ERROR_BROKEN, "another postbackd (pid %" PRId64 ") uses %s",
                      lock_holder(file), directory);
        else
            error_set(error, ERROR_BROKEN, "%s cannot be locked: %s", buf_text(&path),
                      strerror(errno));
        close(file);
        file = -1;
    } else {
        /* Only a help for people: a full disk may leave it empty. */
        buf_fmt(&pid, "%ld\n", (long)getpid());
        if (ftruncate(file, 0) == -1 || pwrite(file, pid.data, pid.len, 0) == -1)
            errno = 0;
    }
    buf_free(&path);
    buf_free(&pid);
    return file;
}

int directory_take(const char *directory, struct error *error)
{
    if (!make_directory(directory, error) || !modes_mend(directory, error))
        return -1;
    return take_lock(directory, error);
}

/* ---- its name among others ---- */

static void make_instance(char out[INSTANCE_TEXT])
{
    unsigned char bytes[(INSTANCE_TEXT - 1) / 2];
    static const char digits[] = "0123456789abcdef";
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        die("no random numbers: %s", strerror(errno));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[INSTANCE_TEXT - 1] = '\0';
}

/* One that a crash left half-written is made anew: nobody has been told of it. */
static bool read_instance(int file, char out[INSTANCE_TEXT])
{
    const size_t len = INSTANCE_TEXT - 1;
    out[len] = '\0';
    return pread(file, out, len, 0) == (ssize_t)len && strspn(out, "0123456789abcdef") == len;
}

static bool write_instance(int file, const char *text)
{
    const size_t len = INSTANCE_TEXT - 1;
    return ftruncate(file, 0) == 0 && pwrite(file, text, len, 0) == (ssize_t)len &&
           fsync(file) == 0;
}

bool directory_instance(const char *directory, char out[INSTANCE_TEXT], struct error *error)
{
    struct buf path = { 0 };
    if (directory == NULL) { /* nothing is kept: another one each time */
        make_instance(out);
        return true;
    }
    buf_fmt(&path, "%s/instance", directory);
    int file = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = file != -1;
    if (good && !read_instance(file, out)) {
        make_instance(out);
        good = write_instance(file, out);
    }
    if (!good)
        error_set(error, ERROR_BROKEN, "%s: %s", buf_text(&path), strerror(errno));
    if (file != -1)
        close(file);
    buf_free(&path);
    return good;
}
