/* head.c — texts in a block, and the headers that the server itself goes by.
 *
 * A header ends when the next one begins, or the head does; then its texts are whole, the blanks
 * behind its value are gone, and it is looked at once.
 *
 * http_parser, as Debian builds it, is not strict.  What it lets through and a proxy in front of
 * us may read otherwise is refused here: a control character that begins a value, a CR alone that
 * ends the head, a line that ends with LF alone or goes on in the next one, two blanks where one
 * belongs.  It reads heads and nothing else, since about chunks it is laxer still.
 */
#include "server/head.h"

#include <string.h>
#include <strings.h>

enum { HEADER_OVERHEAD = 4 }; /* ": " and the line's end */

void head_begin(struct head *head)
{
    memset(head, 0, offsetof(struct head, text));
    head->text[0] = '\0';
    head->method = "";
    http_parser_init(&head->parser, HTTP_REQUEST);
    head->parser.data = head;
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

/* The characters of an address and its port; that they are in the right order is not looked at. */
static bool is_host(const char *value)
{
    static const bool allowed[256] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... ';'] = true, ['!'] = true,
        ['$' ... '.'] = true, ['='] = true,         ['['] = true,         [']'] = true,
        ['_'] = true,         ['~'] = true,
    };
    while (allowed[(unsigned char)*value])
        value++;
    return *value == '\0';
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

/* A list of codings that change nothing: RFC 9110 §8.4. */
static bool is_identity(const char *value)
{
    size_t len;
    for (value += strspn(value, ", \t"); *value != '\0'; value += strspn(value, ", \t")) {
        len = strcspn(value, ", \t");
        if (!is(value, len, "identity", 8))
            return false;
        value += len;
    }
    return true;
}

/* Most headers that are looked for are not there: those are known by this bit, without a walk. */
static uint64_t name_bit(const char *name, size_t len)
{
    return UINT64_C(1) << ((len * 7 + ((unsigned char)name[0] & 31)) & 63);
}

#define IS(known) is(name, name_len, known, sizeof(known) - 1)

static void note(struct head *head, const char *name, size_t name_len, const char *value)
{
    head->bad_name = head->bad_name || !is_token(name);
    head->seen |= name_bit(name, name_len);
    if (IS("Host")) {
        head->hosts++;
        head->bad_host = head->bad_host || !is_host(value);
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
    } else if (IS("Content-Encoding")) {
        head->encoded = head->encoded || !is_identity(value);
    } else if (IS("Expect")) {
        head->expects = true;
        head->expects_continue = strcasecmp(value, "100-continue") == 0;
    }
}

#undef IS

static void header_end(struct head *head)
{
    if (head->name_at == 0)
        return;
    const char *name = head->text + head->name_at, *value = head->text + head->value_at;
    while (head->len > head->value_at &&
           (head->text[head->len - 1] == ' ' || head->text[head->len - 1] == '\t'))
        head->len--;
    head->text[head->len++] = '\0';
    note(head, name, (size_t)(value - name) - 1, value);
    head->name_at = head->value_at = 0;
}

/* ---- what the parser finds ---- */

static int target_came(http_parser *parser, const char *bytes, size_t len)
{
    return add(parser->data, bytes, len) ? 0 : 1;
}

static int name_came(http_parser *parser, const char *bytes, size_t len)
{
    struct head *head = parser->data;
    if (head->name_at == 0 || head->value_at != 0) { /* a new one */
        if (head->headers_at == 0)
            head->text[head->len++] = '\0'; /* the target is whole */
        header_end(head);
        if (HEAD_MOST - head->bytes < HEADER_OVERHEAD)
            return 1;
        head->bytes += HEADER_OVERHEAD;
        head->name_at = head->len;
        if (head->headers_at == 0)
            head->headers_at = head->len;
    }
    return add(head, bytes, len) ? 0 : 1;
}

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 127;
}

static int value_came(http_parser *parser, const char *bytes, size_t len)
{
    struct head *head = parser->data;
    if (head->value_at == 0) {
        head->text[head->len++] = '\0';
        head->value_at = head->len;
    }
    if (len > 0 && is_control(bytes[0])) { /* of the others it takes none */
        head->status = 400;
        head->why = "A header's value has a control character.";
        return 1;
    }
    return add(head, bytes, len) ? 0 : 1;
}

static int head_came(http_parser *parser)
{
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings callbacks = {
    .on_url = target_came,
    .on_header_field = name_came,
    .on_header_value = value_came,
    .on_headers_complete = head_came,
};

/* ---- reading ---- */

static void head_end(struct head *head)
{
    if (head->headers_at == 0)
        head->text[head->len++] = '\0';
    if (head->name_at != 0 && head->value_at == 0) /* it was cut off there */
        value_came(&head->parser, "", 0);
    header_end(head);
}

static void refuse(struct head *head, enum http_errno fault)
{
    static const struct {
        enum http_errno fault;
        int status;
        const char *why;
    } rows[] = {
        { HPE_CB_url, 414, "The address is too long." },
        { HPE_CB_header_field, 431, "The headers are too long." },
        { HPE_CB_header_value, 431, "The headers are too long." },
        { HPE_HEADER_OVERFLOW, 431, "The headers are too long." },
        { HPE_INVALID_METHOD, 501, "The method is not known." },
        { HPE_INVALID_VERSION, 505, "Only HTTP/1.0 and HTTP/1.1 are spoken here." },
        { HPE_INVALID_HEADER_TOKEN, 400,
          "A header's name is not made of letters, digits and '-' with ':' right behind it." },
        { HPE_UNEXPECTED_CONTENT_LENGTH, 400,
          "The length of the body is given in more than one way." },
        { HPE_INVALID_CONTENT_LENGTH, 400, "The Content-Length is not a number of bytes." },
        { HPE_UNKNOWN, 400, "This is not a request of HTTP/1.1." },
    };
    size_t row = 0;
    while (rows[row].fault != fault && rows[row].fault != HPE_UNKNOWN)
        row++;
    if (head->status == 0) {
        head->status = rows[row].status;
        head->why = rows[row].why;
    }
    head_end(head);
}

/* ---- lines: RFC 9112 §2.2, §3, §5.2 ---- */

static void unclear(struct head *head, const char *why)
{
    if (head->tells == NULL)
        head->tells = why;
}

/* Up to the line's end, or the piece's.  Gives where the next line begins. */
static size_t line_check(struct head *head, const char *bytes, size_t len)
{
    const char *end = memchr(bytes, '\n', len);
    size_t line = end != NULL ? (size_t)(end - bytes) : len;
    char before = head->before;
    if (before == '\n' && (bytes[0] == ' ' || bytes[0] == '\t'))
        unclear(head, "A header's line begins with a blank: write its value on one line.");
    const char *blank = head->in_headers ? NULL : memchr(bytes, ' ', line);
    for (; blank != NULL; blank = memchr(blank + 1, ' ', (size_t)(bytes + line - blank) - 1)) {
        if ((blank > bytes ? blank[-1] : before) == ' ')
            unclear(head, "The request line has two blanks where one belongs.");
    }
    if (end == NULL) {
        head->before = bytes[len - 1];
        return len;
    }
    if ((line > 0 ? bytes[line - 1] : before) != '\r')
        unclear(head, "A line ends with LF alone: lines of a request end with CR LF.");
    head->before = '\n';
    head->in_headers = true;
    return line + 1;
}

static bool lines_are_clear(struct head *head, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len && head->tells == NULL;)
        at += line_check(head, bytes + at, len - at);
    if (head->tells == NULL)
        return true;
    head->status = 400;
    head->why = head->tells;
    head_end(head);
    return false;
}

enum head_state head_read(struct head *head, const char *bytes, size_t len, size_t *taken)
{
    http_parser *parser = &head->parser;
    *taken = http_parser_execute(parser, &callbacks, bytes, len);
    enum http_errno fault = HTTP_PARSER_ERRNO(parser);
    /* It pauses before the last byte, and would take any for an LF. */
    bool whole = fault == HPE_PAUSED && bytes[*taken] == '\n';
    if (fault != HPE_INVALID_METHOD && (fault != HPE_OK || head->headers_at != 0))
        head->method = http_method_str((enum http_method)parser->method);
    if (!lines_are_clear(head, bytes, *taken + whole))
        return HEAD_BAD;
    if (fault == HPE_OK)
        return HEAD_COMES;
    if (!whole) {
        refuse(head, fault);
        return HEAD_BAD;
    }
    ++*taken;
    head->version = parser->http_major * 10 + parser->http_minor;
    head->keep = http_should_keep_alive(parser) != 0 && (parser->flags & F_CONNECTION_CLOSE) == 0;
    head_end(head);
    return HEAD_WHOLE;
}

const char *head_each(const struct head *head, const char *name, size_t *at)
{
    size_t wanted = strlen(name);
    if ((head->seen & name_bit(name, wanted)) == 0)
        return NULL;
    if (*at == 0)
        *at = head->headers_at;
    while (*at != 0 && *at < head->len) {
        const char *found = head->text + *at;
        size_t name_len = strlen(found), value_at = *at + name_len + 1;
        *at = value_at + strlen(head->text + value_at) + 1;
        if (is(found, name_len, name, wanted))
            return head->text + value_at;
    }
    return NULL;
}

const char *head_find(const struct head *head, const char *name)
{
    size_t at = 0;
    return head_each(head, name, &at);
}
