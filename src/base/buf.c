/* buf.c — a growable byte buffer.
 *
 * `cap` is what is allocated and always leaves room for a NUL behind `len`.  Growth doubles, never
 * past `limit`; the first call that would pass it sets `failed` and leaves the bytes as they were.
 */
#include "base/buf.h"

#include "base/digits.h"
#include "base/fail.h"

#include <stdio.h>
#include <stdlib.h>

char *buf_room(struct buf *buf, size_t len)
{
    size_t limit = buf_limit(buf);
    if (buf->failed || len > limit || buf->len > limit - len) {
        buf->failed = true;
        return NULL;
    }
    size_t need = buf->len + len + 1;
    if (need > buf->cap) {
        size_t cap = buf->cap < 64 ? 64 : buf->cap * 2;
        if (cap < need)
            cap = need;
        buf->data = must_resize(buf->data, cap);
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void buf_grew(struct buf *buf, size_t len)
{
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){ .limit = buf->limit };
}

void buf_wipe(struct buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->cap);
    buf_free(buf);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void buf_add_slowly(struct buf *buf, const void *bytes, size_t len)
{
    char *room = buf_room(buf, len);
    if (room == NULL)
        return;
    if (len > 0)
        memcpy(room, bytes, len);
    buf_grew(buf, len);
}

void buf_str(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_int(struct buf *buf, int64_t value)
{
    char text[DIGITS_OF_INT];
    buf_add(buf, text, digits_of_int(text, value));
}

void buf_vfmt(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        bug("bad format: %s", format);
    char *room = buf_room(buf, (size_t)len);
    if (room == NULL)
        return;
    vsnprintf(room, (size_t)len + 1, format, args);
    buf_grew(buf, (size_t)len);
}

void buf_fmt(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vfmt(buf, format, args);
    va_end(args);
}

const char *buf_text(const struct buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
    char *data = buf->data != NULL ? buf->data : must_copy("");
    *buf = (struct buf){ .limit = buf->limit };
    return data;
}
