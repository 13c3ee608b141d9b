/* postgres_password.c — one line of a small file, which nobody but owner and group may read. */
#include "db/postgres_password.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool refuse(struct error *error, const char *path, const char *why)
{
    error_set(error, ERROR_INVALID, "the password file %s %s", path, why);
    return false;
}

/* What is wrong; NULL: nothing. */
static const char *take_line(struct buf *password, const char *text, ssize_t len)
{
    if (len == -1)
        return strerror(errno);
    if (len > PASSWORD_FILE_MOST)
        return "is larger than 1024 bytes";
    const char *end = memchr(text, '\n', (size_t)len);
    size_t count = end != NULL ? (size_t)(end - text) : (size_t)len;
    if (count > 0 && text[count - 1] == '\r')
        count--;
    if (count == 0 || memchr(text, '\0', count) != NULL)
        return "holds no password in its first line";
    buf_add(password, text, count);
    return NULL;
}

static bool read_line(struct buf *password, int file, const char *path, struct error *error)
{
    char text[PASSWORD_FILE_MOST + 1];
    struct stat about;

    if (fstat(file, &about) == -1 || !S_ISREG(about.st_mode))
        return refuse(error, path, "is not a file");
    if ((about.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
        return refuse(error, path, "may be read or written by others: make it 0600 or 0640");
    const char *why = take_line(password, text, read(file, text, sizeof(text)));
    explicit_bzero(text, sizeof(text));
    return why == NULL || refuse(error, path, why);
}

bool postgres_password(struct buf *password, const char *path, struct error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file == -1) {
        error_set(error, ERROR_INVALID, "the password file %s cannot be read: %s", path,
                  strerror(errno));
        return false;
    }
    bool good = read_line(password, file, path, error);
    close(file);
    return good;
}
