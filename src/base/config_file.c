/* config_file.c — reading a settings file.
 *
 * The file is read whole, then cut into lines in place.  The rule that must never break: what is
 * not clearly one setting on one line is refused, never guessed at, since a wrong guess opens a
 * store in a place that nobody meant.
 */
#include "base/config_file.h"

#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct settings_line {
    const char *path;
    int number;
    struct error *error;
};

static bool refuse(const struct settings_line *line, const char *why)
{
    error_set(line->error, ERROR_INVALID, "%s, line %d: %s", line->path, line->number, why);
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the spaces at both ends off, in place. */
static char *trim(char *text)
{
    while (is_space(*text))
        text++;
    size_t len = strlen(text);
    while (len > 0 && is_space(text[len - 1]))
        len--;
    text[len] = '\0';
    return text;
}

static void cut_comment(char *text)
{
    for (char *at = text; *at != '\0'; at++)
        if (*at == ';' && at > text && is_space(at[-1])) {
            *at = '\0';
            return;
        }
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == '\x7f')
            return true;
    return false;
}

static bool is_quoted(const char *text)
{
    size_t len = strlen(text);
    return len >= 2 && (text[0] == '"' || text[0] == '\'') && text[len - 1] == text[0];
}

static bool read_line(const struct settings_line *line, char *text, config_file_take *take,
                      void *context)
{
    text = trim(text);
    if (*text == '\0' || *text == '#' || *text == ';')
        return true;
    if (has_control(text))
        return refuse(line, "a control character stands in it; expected `name = value`");
    if (*text == '[')
        return refuse(line, "the file has no sections; expected `name = value`");
    char *equals = strpbrk(text, "=:"); /* of the two, help and manual show the first */
    if (equals == NULL || equals == text)
        return refuse(line, "expected `name = value`");
    *equals = '\0';
    cut_comment(equals + 1);
    char *value = trim(equals + 1);
    if (is_quoted(value))
        return refuse(line, "the value stands in quotes; expected it without them");
    return take(context, trim(text), value, line->number, line->error);
}

static bool read_lines(const char *path, struct buf *text, config_file_take *take, void *context,
                       struct error *error)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct settings_line line = { path, 0, error };
    char *at = text->data, *end = text->data + text->len;
    if (text->len >= 3 && memcmp(at, mark, 3) == 0)
        at += 3;
    bool good = true;
    while (good && at < end) {
        char *next = memchr(at, '\n', (size_t)(end - at));
        char *stop = next != NULL ? next : end;
        line.number++;
        if (memchr(at, '\0', (size_t)(stop - at)) != NULL)
            return refuse(&line, "is not text; save the file as UTF-8");
        if (stop > at && stop[-1] == '\r')
            stop[-1] = '\0';
        *stop = '\0'; /* behind the last byte there is room for one */
        good = read_line(&line, at, take, context);
        at = stop + 1;
    }
    return good;
}

bool config_file_read(const char *path, config_file_take *take, void *context, struct error *error)
{
    struct buf text = { .limit = CONFIG_FILE_MAX + 1 };
    FILE *file = fopen(path, "r");
    char part[4096];
    size_t len;
    while (file != NULL && !text.failed && (len = fread(part, 1, sizeof(part), file)) > 0)
        buf_add(&text, part, len);
    bool good = false;
    if (file == NULL || ferror(file)) /* a directory opens and cannot be read */
        error_set(error, ERROR_INVALID, "--config %s: %s", path, strerror(errno));
    else if (text.failed || text.len > CONFIG_FILE_MAX)
        error_set(error, ERROR_INVALID, "--config %s: is larger than %d bytes", path,
                  CONFIG_FILE_MAX);
    else
        good = text.len == 0 || read_lines(path, &text, take, context, error);
    if (file != NULL)
        fclose(file);
    explicit_bzero(part, sizeof(part)); /* a proxy's password */
    buf_wipe(&text);
    return good;
}
