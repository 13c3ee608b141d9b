/* answer_head.c — reads the head of an answer line by line.
 *
 * A line is gathered in `line`; a header's is looked at when the next one begins, since that may
 * go on with it (obs-fold, RFC 9112 §5.2).  A status line is looked at as it comes, so that what
 * is no HTTP is known by its first bytes, and told by what it is.
 *
 * The rule: no more is kept than ANSWER_HEADERS_MAX of the line and of all headers.
 */
#include "courier/answer_head.h"

#include "model/attempt.h"

#include <string.h>
#include <strings.h>

enum { HEADERS_FIRST = 384, LINE_USUAL = 1024, LENGTH_DIGITS = 18, FIRST_BYTES = 9 };

static const char version[] = "HTTP/1.";

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What other protocols begin with. “?” stands for any byte. */
static const struct {
    const char *bytes;
    size_t len;
    const char *words;
} others[] = {
    /* a frame of SETTINGS, or of GOAWAY, of stream 0 (RFC 9113 §4.1) */
    { "\0\0?\4?\0\0\0\0", FIRST_BYTES,
      "the receiver speaks HTTP/2 only; postbacks are sent by HTTP/1.1" },
    { "\0\0?\7?\0\0\0\0", FIRST_BYTES,
      "the receiver speaks HTTP/2 only; postbacks are sent by HTTP/1.1" },
    { "HTTP/2", 6, "the answer is HTTP/2, not HTTP/1.x" },
    { "\x15\3", 2, "the receiver speaks TLS on this port: its URL begins with https" },
    { "\x16\3", 2, "the receiver speaks TLS on this port: its URL begins with https" },
    { "SSH-", 4, "the receiver speaks SSH on this port, not HTTP" },
    { "220", 3, "the receiver speaks SMTP or FTP on this port, not HTTP" },
    { "+OK", 3, "the receiver speaks POP3 on this port, not HTTP" },
    { "* OK", 4, "the receiver speaks IMAP on this port, not HTTP" },
    { "RTSP/", 5, "the receiver speaks RTSP on this port, not HTTP" },
    { "ICY ", 4, "the receiver speaks SHOUTcast on this port, not HTTP" },
    { "<", 1, "the answer has no status line, as in HTTP/0.9" },
};

static enum answer_head_state bad(struct answer_head *head, const char *words)
{
    head->fault = words;
    return HEAD_BAD;
}

void answer_head_start(struct answer_head *head)
{
    struct buf line = head->line, headers = head->headers;
    buf_reset(&line);
    buf_reset(&headers);
    *head = (struct answer_head){ .line = line, .headers = headers };
    head->line.limit = head->headers.limit = ANSWER_HEADERS_MAX + 1;
}

void answer_head_free(struct answer_head *head)
{
    buf_free(&head->line);
    buf_free(&head->headers);
}

/* As much of it as may be kept. */
static void add(struct buf *buf, const char *bytes, size_t len)
{
    size_t room = ANSWER_HEADERS_MAX - buf->len;
    buf_add(buf, bytes, len < room ? len : room);
}

/* ---- the status line ---- */

static bool begins(const struct buf *line, size_t of, bool *all)
{
    size_t len = line->len < others[of].len ? line->len : others[of].len;
    for (size_t i = 0; i < len; i++)
        if (others[of].bytes[i] != '?' && others[of].bytes[i] != line->data[i])
            return false;
    *all = len == others[of].len;
    return true;
}

/* As far as it has come; any header has a status line before it. */
static bool starts_http(const struct answer_head *head)
{
    const struct buf *line = &head->line;
    size_t known = line->len < sizeof(version) - 1 ? line->len : sizeof(version) - 1;
    return head->status_read || strncasecmp(buf_text(line), version, known) == 0;
}

/* The line so far: HEAD_BAD once it cannot be a status line, and it is known what else it is. */
static enum answer_head_state check_start(struct answer_head *head, bool ended)
{
    const struct buf *line = &head->line;
    bool all;
    if (starts_http(head))
        return HEAD_MORE;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (begins(line, i, &all)) {
            if (all)
                return bad(head, others[i].words);
            if (!ended)
                return HEAD_MORE;
        }
    return bad(head, "the answer is not HTTP/1.x");
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK"; the reason may be missing, and its space. */
static enum answer_head_state take_status(struct answer_head *head)
{
    const char *line = buf_text(&head->line), *at = line + sizeof(version) - 1;
    if (check_start(head, true) == HEAD_BAD)
        return HEAD_BAD;
    if (head->line.len < sizeof(version) || !is_digit(*at))
        return bad(head, "the answer is not HTTP/1.x");
    head->minor = *at++ - '0';
    const char *after = at;
    while (is_blank(*at))
        at++;
    if (at == after || !is_digit(at[0]) || !is_digit(at[1]) || !is_digit(at[2]) ||
        (at[3] != '\0' && at[3] != ' ' && at[3] != '\t'))
        return bad(head, "the answer's status line has no status");
    head->status = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
    if (head->status < 100)
        return bad(head, "the answer's status is under 100");
    head->status_read = true;
    buf_reset(&head->line);
    return HEAD_MORE;
}

/* ---- headers ---- */

struct piece {
    const char *at;
    size_t len;
};

static struct piece trimmed(const char *at, size_t len)
{
    while (len > 0 && is_blank(*at))
        at++, len--;
    while (len > 0 && is_blank(at[len - 1]))
        len--;
    return (struct piece){ at, len };
}

static bool is(struct piece piece, const char *word)
{
    return piece.len == strlen(word) && strncasecmp(piece.at, word, piece.len) == 0;
}

/* The next of a list with commas between; false at its end. */
static bool next(struct piece *list, struct piece *one)
{
    if (list->at == NULL)
        return false;
    const char *comma = memchr(list->at, ',', list->len);
    size_t len = comma != NULL ? (size_t)(comma - list->at) : list->len;
    *one = trimmed(list->at, len);
    *list = comma != NULL ? (struct piece){ comma + 1, list->len - len - 1 } : (struct piece){ 0 };
    return true;
}

static const char *take_one_length(struct answer_head *head, struct piece one)
{
    uint64_t length = 0;
    if (one.len == 0 || one.len > LENGTH_DIGITS)
        return "the answer's Content-Length is not a number";
    for (size_t i = 0; i < one.len; i++) {
        if (!is_digit(one.at[i]))
            return "the answer's Content-Length is not a number";
        length = length * 10 + (uint64_t)(one.at[i] - '0');
    }
    if (head->has_length && head->length != length)
        return "the answer has two different Content-Lengths";
    head->has_length = true;
    head->length = length;
    return NULL;
}

/* The same one twice, in two lines or in one, is one (RFC 9110 §8.6). */
static void take_length(struct answer_head *head, struct piece value)
{
    struct piece one;
    while (head->length_fault == NULL && next(&value, &one))
        head->length_fault = take_one_length(head, one);
}

static void take_coding(struct answer_head *head, struct piece value)
{
    struct piece one;
    while (next(&value, &one)) {
        if (is(one, "chunked"))
            head->chunked = true;
        else if (one.len > 0 && !is(one, "identity"))
            head->coded = true;
    }
}

static void take_connection(struct answer_head *head, struct piece value)
{
    struct piece one;
    while (next(&value, &one)) {
        head->close |= is(one, "close");
        head->keep |= is(one, "keep-alive");
    }
}

/* The first one that there is. */
static void take_rest(struct answer_head *head, struct piece value)
{
    if (head->retry_after[0] == '\0' && value.len < sizeof(head->retry_after)) {
        memcpy(head->retry_after, value.at, value.len);
        head->retry_after[value.len] = '\0';
    }
}

static const struct {
    const char *name;
    void (*take)(struct answer_head *head, struct piece value);
} headers[] = {
    { "Content-Length", take_length },
    { "Transfer-Encoding", take_coding },
    { "Connection", take_connection },
    { "Retry-After", take_rest },
};

static void take_header(struct answer_head *head)
{
    const struct buf *line = &head->line;
    if (head->headers.cap == 0)
        buf_room(&head->headers, HEADERS_FIRST);
    const char *colon = memchr(buf_text(line), ':', line->len);
    if (colon != NULL) {
        size_t before = (size_t)(colon - line->data);
        struct piece name = trimmed(line->data, before);
        struct piece value = trimmed(colon + 1, line->len - before - 1);
        add(&head->headers, name.at, name.len);
        add(&head->headers, ": ", 2);
        add(&head->headers, value.at, value.len);
        for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
            if (is(name, headers[i].name))
                headers[i].take(head, value);
    } else {
        add(&head->headers, buf_text(line), line->len);
    }
    add(&head->headers, "\n", 1);
    buf_reset(&head->line);
}

/* ---- lines ---- */

static enum answer_head_state line_came(struct answer_head *head)
{
    struct buf *line = &head->line;
    if (line->len > 0 && line->data[line->len - 1] == '\r')
        line->data[--line->len] = '\0';
    if (!head->status_read)
        return take_status(head);
    if (line->len > 0) {
        head->line_over = true;
        return HEAD_MORE;
    }
    if (head->line.cap > LINE_USUAL) /* a connection keeps no long one */
        buf_free(&head->line);
    return HEAD_WHOLE;
}

/* A piece of a line, or the whole of one. */
static enum answer_head_state piece_came(struct answer_head *head, const char *at, size_t len,
                                         bool ended)
{
    head->bytes += len + ended;
    if (head->bytes > ANSWER_HEAD_READ_MAX)
        return bad(head, "the answer's headers are over 64 KiB");
    if (head->line_over && len + ended > 0) {
        head->line_over = false;
        if (len > 0 && is_blank(*at)) { /* it goes on */
            add(&head->line, " ", 1);
            at++, len--;
        } else {
            take_header(head);
        }
    }
    if (!head->status_read && head->line.len == 0)
        while (len > 0 && *at == '\r') /* blank lines before it */
            at++, len--;
    add(&head->line, at, len);
    if (!head->status_read) {
        if (ended && head->line.len == 0)
            return HEAD_MORE;
        if (check_start(head, ended) == HEAD_BAD)
            return HEAD_BAD;
    }
    if (len > 0 && starts_http(head) && memchr(at, '\0', len) != NULL)
        return bad(head, "the answer's headers hold a NUL");
    return ended ? line_came(head) : HEAD_MORE;
}

enum answer_head_state answer_head_feed(struct answer_head *head, const char *bytes, size_t len,
                                        size_t *used)
{
    enum answer_head_state state = HEAD_MORE;
    const char *at = bytes, *end = bytes + len;
    while (at < end && state == HEAD_MORE) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        const char *to = lf != NULL ? lf : end;
        state = piece_came(head, at, (size_t)(to - at), lf != NULL);
        at = lf != NULL ? lf + 1 : end;
    }
    *used = (size_t)(at - bytes);
    return state;
}
