/* head.c — texts in a block, and the headers that the server itself goes by.
 *
 * A header ends when the next one begins, or the head does; then its texts are whole, the blanks
 * behind its value are gone, and it is looked at once.
 */
#include "server/head.h"

#include <string.h>
#include <strings.h>

enum { HEADER_OVERHEAD = 4 }; /* ": " and the line's end */

void head_begin(struct head *head)
{
    memset(head, 0, offsetof(struct head, text));
    head->text[0] = '\0';
}

/* RFC 9110 §5.6.2.  "Content-Length : 5" is none, and a proxy in front may take it for one. */
static bool is_token(const char *name)
{
    static const bool allowed[256] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true,  ['0' ... '9'] = true, ['-'] = true,
        ['!'] = true,         ['#' ... '\''] = true, ['*'] = true,         ['+'] = true,
        ['.'] = true,         ['^' ... '`'] = true,  ['|'] = true,         ['~'] = true,
    };
    const char *at = name;
    while (allowed[(unsigned char)*at])
        at++;
    return at != name && *at == '\0';
}

static bool add(struct head *head, const char *bytes, size_t len)
{
    if (len > HEAD_MOST - head->bytes)
        return false;
    memcpy(head->text + head->len, bytes, len);
    head->bytes += len;
    head->len += len;
    return true;
}

static bool is(const char *name, size_t len, const char *known, size_t known_len)
{
    return len == known_len && strncasecmp(name, known, known_len) == 0;
}

#define IS(known) is(name, name_len, known, sizeof(known) - 1)

static void note(struct head *head, const char *name, size_t name_len, const char *value)
{
    head->bad_name = head->bad_name || !is_token(name);
    if (IS("Host")) {
        head->hosts++;
    } else if (IS("Authorization")) {
        head->authorizations++;
        head->authorization = value;
    } else if (IS("Cookie")) {
        head->cookies++;
        head->cookie = value;
    } else if (IS("Content-Type")) {
        head->content_type = value;
    } else if (IS("Content-Length")) {
        head->lengths++;
        head->content_length = value;
    } else if (IS("Transfer-Encoding")) {
        head->encodings++;
        head->chunked = strcasecmp(value, "chunked") == 0;
    } else if (IS("Expect")) {
        head->expects = true;
        head->expects_continue = strcasecmp(value, "100-continue") == 0;
    }
}

#undef IS

bool head_value(struct head *head, const char *bytes, size_t len)
{
    if (head->value_at == 0) {
        head->text[head->len++] = '\0';
        head->value_at = head->len;
    }
    return add(head, bytes, len);
}

static void header_end(struct head *head)
{
    if (head->name_at == 0)
        return;
    if (head->value_at == 0)
        head_value(head, "", 0);
    const char *name = head->text + head->name_at, *value = head->text + head->value_at;
    while (head->len > head->value_at &&
           (head->text[head->len - 1] == ' ' || head->text[head->len - 1] == '\t'))
        head->len--;
    head->text[head->len++] = '\0';
    note(head, name, (size_t)(value - name) - 1, value);
    head->name_at = head->value_at = 0;
}

bool head_target(struct head *head, const char *bytes, size_t len)
{
    return add(head, bytes, len);
}

bool head_name(struct head *head, const char *bytes, size_t len)
{
    if (head->name_at == 0 || head->value_at != 0) { /* a new one */
        if (head->headers_at == 0)
            head->text[head->len++] = '\0'; /* the target is whole */
        header_end(head);
        if (HEAD_MOST - head->bytes < HEADER_OVERHEAD)
            return false;
        head->bytes += HEADER_OVERHEAD;
        head->name_at = head->len;
        if (head->headers_at == 0)
            head->headers_at = head->len;
    }
    return add(head, bytes, len);
}

void head_end(struct head *head)
{
    if (head->headers_at == 0)
        head->text[head->len++] = '\0';
    header_end(head);
}

const char *head_find(const struct head *head, const char *name)
{
    size_t wanted = strlen(name), at = head->headers_at;
    while (at != 0 && at < head->len) {
        size_t name_len = strlen(head->text + at);
        size_t value_at = at + name_len + 1;
        if (is(head->text + at, name_len, name, wanted))
            return head->text + value_at;
        at = value_at + strlen(head->text + value_at) + 1;
    }
    return NULL;
}
