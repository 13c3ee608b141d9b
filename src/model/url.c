/* url.c — takes a notification's URL apart.
 *
 * Two walks: the bytes up to the first '/', '?' or '#' behind "://" are the authority and must be
 * a plain host and port; the rest is path and query, walked token by token so that what stands in
 * braces is left to the template.  Hosts are taken in one spelling only: a name whose last label
 * is a number must be four decimal numbers, since resolvers read "127.1" and "0x7f000001" as
 * addresses too.
 *
 * The rule that must never break: what url_check() accepts can be written into a request line and
 * a Host header as it is.
 */
#include "model/url.h"

#include "base/fail.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 253, LABEL_MAX = 63, PORT_MOST = 65535 };

struct checking {
    const char *url, *field;
    struct problems *problems;
};

static bool wrong(const struct checking *checking, const char *at, const char *what)
{
    problems_add(checking->problems, checking->field, "at character %zu: %s",
                 (size_t)(at - checking->url) + 1, what);
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Moves over a token or a doubled brace, 0 when none starts here. */
static size_t token_length(const char *at)
{
    if (at[0] != '{')
        return 0;
    if (at[1] == '{')
        return 2;
    const char *end = strchr(at, '}');
    return end == NULL ? strlen(at) : (size_t)(end - at) + 1;
}

static bool check_scheme(const struct checking *checking, bool *https, const char **authority)
{
    const char *url = checking->url;
    const char *mark = strstr(url, "://");
    size_t len = mark == NULL ? 0 : (size_t)(mark - url);

    if (mark != NULL && memchr(url, '{', len) != NULL && memchr(url, '/', len) == NULL)
        return wrong(checking, memchr(url, '{', len),
                     "tokens may stand in the path and query only, not in scheme, host or port");
    if (len == 5 && strncasecmp(url, "https", 5) == 0)
        *https = true;
    else if (len == 4 && strncasecmp(url, "http", 4) == 0)
        *https = false;
    else
        return wrong(checking, url, "a URL starts with https:// or http://");
    *authority = mark + 3;
    return true;
}

static bool all_digits(const char *text)
{
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* A label that resolvers take for part of an address: decimal, or hexadecimal behind 0x. */
static bool is_number(const char *label)
{
    if (label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
        return label[2 + strspn(label + 2, "0123456789abcdefABCDEF")] == '\0';
    return all_digits(label);
}

/* Labels of letters, digits, '-' and '_' (which DNS allows and some hosts have). */
static const char *name_fault(const char *host)
{
    size_t label = 0, len = strlen(host);
    if (len == 0)
        return "a host is missing, such as example.com";
    if (len > HOST_MAX)
        return "a host has at most 253 characters";
    for (size_t i = 0; i <= len; i++) {
        char c = host[i];
        if (c == '.' || c == '\0') {
            if (label == 0)
                return "the host has an empty part between its dots";
            if (label > LABEL_MAX)
                return "a part of the host has at most 63 characters";
            if (host[i - 1] == '-' || host[i - label] == '-')
                return "a part of the host neither starts nor ends with '-'";
            label = 0;
        } else if (is_letter(c) || is_digit(c) || c == '-' || c == '_') {
            label++;
        } else {
            return (unsigned char)c >= 0x80
                       ? "the host is not ASCII: write it in its xn-- form"
                       : "a host is made of letters, digits, '-' and '.', or is an IP address "
                         "(IPv6 in [brackets])";
        }
    }
    return NULL;
}

static const char *host_fault(const char *host)
{
    unsigned char address[16];
    const char *fault = name_fault(host);
    if (fault != NULL)
        return fault;
    const char *dot = strrchr(host, '.');
    if (is_number(dot == NULL ? host : dot + 1) && inet_pton(AF_INET, host, address) != 1)
        return "an IPv4 address is four numbers from 0 to 255, such as 192.0.2.1";
    return NULL;
}

static bool check_port(const struct checking *checking, const char *at, const char *end, int *port)
{
    char digits[8] = "";
    size_t len = (size_t)(end - at);
    int64_t number = 0;
    if (len < sizeof(digits))
        memcpy(digits, at, len);
    if (!all_digits(digits) || !text_int(digits, 1, PORT_MOST, &number))
        return wrong(checking, at, "a port is a number from 1 to 65535");
    *port = (int)number;
    return true;
}

/* [IPv6]; gives where the port's colon may stand. */
static const char *check_literal(const struct checking *checking, const char *at, const char *end,
                                 char host[HOST_MAX + 2])
{
    unsigned char address[16];
    const char *close = memchr(at, ']', (size_t)(end - at));
    size_t len = close == NULL ? 0 : (size_t)(close - at) - 1;
    if (len == 0 || len > HOST_MAX) {
        wrong(checking, at, "an IPv6 address stands in [brackets], such as [2001:db8::1]");
        return NULL;
    }
    memcpy(host, at + 1, len);
    host[len] = '\0';
    if (inet_pton(AF_INET6, host, address) != 1) {
        wrong(checking, at + 1, "this is not an IPv6 address (a zone is not allowed)");
        return NULL;
    }
    return close + 1;
}

static const char *check_name(const struct checking *checking, const char *at, const char *end,
                              char host[HOST_MAX + 2])
{
    const char *colon = memchr(at, ':', (size_t)(end - at));
    size_t len = (size_t)((colon == NULL ? end : colon) - at);
    if (len > HOST_MAX + 1) {
        wrong(checking, at, "a host has at most 253 characters");
        return NULL;
    }
    memcpy(host, at, len);
    host[len] = '\0';
    if (len > 1 && host[len - 1] == '.') /* "example.com." is the same name, spelt in full */
        host[len - 1] = '\0';
    const char *fault = host_fault(host);
    if (fault != NULL) {
        wrong(checking, at, fault);
        return NULL;
    }
    return at + len;
}

static bool check_authority(const struct checking *checking, const char *at, const char *end,
                            struct url_parts *to)
{
    char host[HOST_MAX + 2];
    size_t len = (size_t)(end - at);
    const char *found = memchr(at, '{', len);
    if (found != NULL)
        return wrong(checking, found,
                     "tokens may stand in the path and query only, not in scheme, host or port");
    if (memchr(at, '@', len) != NULL)
        return wrong(checking, at,
                     "a URL has no user:password@; ask the operator for a custom header");
    const char *rest =
        *at == '[' ? check_literal(checking, at, end, host) : check_name(checking, at, end, host);
    if (rest == NULL)
        return false;
    to->port = to->https ? 443 : 80;
    if (rest < end && *rest != ':')
        return wrong(checking, rest, "only a port may follow the address");
    if (rest < end && !check_port(checking, rest + 1, end, &to->port))
        return false;
    for (char *c = host; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    to->host = must_copy(host);
    return true;
}

static bool check_target(const struct checking *checking, const char *at)
{
    while (*at != '\0') {
        size_t token = token_length(at);
        unsigned char c = (unsigned char)*at;
        if (token > 0) {
            at += token;
            continue;
        }
        if (c == '#')
            return wrong(checking, at, "a fragment is never sent: leave out '#', or write %23");
        if (c == ' ')
            return wrong(checking, at, "a space is written %20");
        if (c < ' ' || c == 0x7f)
            return wrong(checking, at, "control characters are not allowed");
        if (c >= 0x80)
            return wrong(checking, at, "characters outside ASCII are written percent-encoded");
        if (c == '%' && !(is_hex(at[1]) && is_hex(at[2])))
            return wrong(checking, at,
                         "'%' is followed by two hex digits; itself it is written %25");
        at++;
    }
    return true;
}

/* ---- dot segments ---- */

enum { DECODINGS_MAX = 3 };

static int hex_value(char c)
{
    return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* In place, once; gives the new length. */
static size_t percent_undo(char *text, size_t len)
{
    size_t to = 0;
    for (size_t at = 0; at < len; at++) {
        char c = text[at];
        if (c == '%' && len - at > 2 && is_hex(text[at + 1]) && is_hex(text[at + 2])) {
            c = (char)(hex_value(text[at + 1]) << 4 | hex_value(text[at + 2]));
            at += 2;
        }
        text[to++] = c;
    }
    return to;
}

static bool is_dots(const char *at, const char *end)
{
    const char *params = memchr(at, ';', (size_t)(end - at));
    if (params != NULL)
        end = params;
    while (at < end && (unsigned char)*at <= ' ')
        at++;
    while (at < end && (unsigned char)end[-1] <= ' ')
        end--;
    return (end - at == 1 || end - at == 2) && at[0] == '.' && end[-1] == '.';
}

static bool has_dots(const char *at, const char *end)
{
    for (const char *segment = at;; at++) {
        bool ends = at == end || *at == '?' || *at == '#' || *at == '\0';
        if (!ends && *at != '/' && *at != '\\')
            continue;
        if (is_dots(segment, at))
            return true;
        if (ends)
            return false;
        segment = at + 1;
    }
}

bool url_has_dot_segment(const char *target, size_t len)
{
    const char *query = memchr(target, '?', len);
    size_t path = query != NULL ? (size_t)(query - target) : len;
    bool encoded = memchr(target, '%', path) != NULL;
    if (memchr(target, '.', path) != NULL && has_dots(target, target + path))
        return true;
    if (!encoded) /* the usual one is looked at where it stands */
        return false;
    char *copy = must_copy_bytes(target, path);
    bool found = false;
    for (int i = 0; i < DECODINGS_MAX && !found; i++) {
        size_t before = path;
        path = percent_undo(copy, path);
        found = has_dots(copy, copy + path);
        if (path == before)
            break;
    }
    free(copy);
    return found;
}

/* The path as it is when each token's value is a letter, so that only what its author wrote counts:
 * a token's value is looked at when there is one. */
static bool check_segments(const struct checking *checking, const char *target)
{
    struct buf path = { 0 };
    const char *at = target;
    while (*at != '\0' && *at != '?') {
        size_t token = token_length(at);
        buf_char(&path, token > 0 ? 'x' : *at);
        at += token > 0 ? token : 1;
    }
    bool dots = path.len > 0 && url_has_dot_segment(path.data, path.len);
    buf_free(&path);
    return !dots || wrong(checking, target,
                          "the path has a segment \".\" or \"..\", which leads elsewhere; write "
                          "the path that is meant");
}

bool url_check(const char *url, struct url_parts *to, size_t *target_at, const char *field,
               struct problems *problems)
{
    struct checking checking = { .url = url, .field = field, .problems = problems };
    const char *authority;

    if (!check_scheme(&checking, &to->https, &authority))
        return false;
    const char *target = authority + strcspn(authority, "/?#");
    if (!check_authority(&checking, authority, target, to))
        return false;
    if (!check_target(&checking, target) || !check_segments(&checking, target)) {
        free(to->host);
        to->host = NULL;
        return false;
    }
    *target_at = (size_t)(target - url);
    return true;
}

bool url_has_query(const char *target)
{
    while (*target != '\0') {
        size_t token = token_length(target);
        if (token == 0 && *target == '?')
            return true;
        target += token > 0 ? token : 1;
    }
    return false;
}

void url_host(struct buf *out, const struct url_parts *to)
{
    bool literal = strchr(to->host, ':') != NULL;
    if (literal)
        buf_char(out, '[');
    buf_str(out, to->host);
    if (literal)
        buf_char(out, ']');
    if (to->port != (to->https ? 443 : 80)) {
        buf_char(out, ':');
        buf_int(out, to->port);
    }
}

void url_authority(struct buf *out, const struct url_parts *to)
{
    unsigned char address[16];
    char shortest[INET6_ADDRSTRLEN];
    buf_str(out, to->https ? "https://" : "http://");
    if (inet_pton(AF_INET6, to->host, address) == 1 &&
        inet_ntop(AF_INET6, address, shortest, sizeof(shortest)) != NULL)
        buf_fmt(out, "[%s]:%d", shortest, to->port);
    else
        buf_fmt(out, "%s:%d", to->host, to->port);
}

void url_origin(struct buf *out, const struct url_parts *to)
{
    buf_str(out, to->https ? "https://" : "http://");
    url_host(out, to);
}
