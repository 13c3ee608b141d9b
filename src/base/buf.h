/* buf.h — a byte buffer that grows up to a written cap.
 *
 * Errors stick: past the cap every further call does nothing and `failed` stays set, so that a
 * writer checks once, at its end.  The data is always NUL-terminated when not NULL.  Out of
 * memory below the cap dies (the caps are small).
 */
#ifndef POSTBACKD_BUF_H
#define POSTBACKD_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    char *data; /* NULL until the first byte */
    size_t len, cap;
    size_t limit; /* most bytes it may ever hold; 0: BUF_LIMIT_DEFAULT */
    bool failed;
};

enum { BUF_LIMIT_DEFAULT = 16 * 1024 * 1024 };

static inline size_t buf_limit(const struct buf *buf)
{
    return buf->limit != 0 ? buf->limit : BUF_LIMIT_DEFAULT;
}

/* An empty buffer is all zeroes: `struct buf out = { 0 };` or `{ .limit = n }`. */
void buf_free(struct buf *buf);  /* back to empty, limit kept */
void buf_wipe(struct buf *buf);  /* the same, of what was secret */
void buf_reset(struct buf *buf); /* length 0, memory kept, failure forgotten */

void buf_add_slowly(struct buf *buf, const void *bytes, size_t len); /* when there is no room */

/* Inline for the many short pieces that requests and rows are put together from. */
static inline void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    /* what is allocated may pass the limit by a doubling; a buffer that failed has no room */
    if (buf->failed || len >= buf->cap - buf->len || buf->len + len > buf_limit(buf)) {
        buf_add_slowly(buf, bytes, len);
        return;
    }
    if (len > 0)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_str(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_int(struct buf *buf, int64_t value);
void buf_fmt(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Room for `len` more bytes at the end, or NULL (then failed is set); buf_grew() says how many
 * were written there. */
char *buf_room(struct buf *buf, size_t len);
void buf_grew(struct buf *buf, size_t len);

const char *buf_text(const struct buf *buf); /* never NULL: "" when empty */
char *buf_take(struct buf *buf);             /* the caller frees; never NULL; buf is then empty */

#endif
