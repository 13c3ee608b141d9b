/* target.c — a request's target taken apart: path, segments, query.
 *
 * All copies go to the request's own block: no decoded form is longer than what it came from, a
 * NUL for each piece takes the place of the '/', '&' or '=' before it, and every byte is decoded
 * twice at most (a path as a whole, and by segment), the last segment's three times.  A path is
 * split before its segments are decoded, so that %2F is a letter of a segment and never a boundary.
 * Escapes that are none, NUL bytes and text that is not UTF-8 make the target bad; so does a query
 * parameter given twice, because whoever wrote it and we would read it differently.
 */
#include "server/inbound.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

/* RFC 9112 §3.2.2: the absolute form is accepted too.  NULL: it is none. */
static const char *authority_of(const char *target)
{
    static const char *const schemes[] = { "http://", "https://" };
    for (size_t i = 0; i < 2; i++) {
        if (text_starts(target, schemes[i]))
            return target + strlen(schemes[i]);
    }
    return NULL;
}

static const char *path_of(const char *target)
{
    const char *authority = authority_of(target);
    return authority != NULL ? authority + strcspn(authority, "/?") : target;
}

bool target_is_for_host(const struct inbound *in)
{
    const char *authority = authority_of(in->call.target), *host = head_find(&in->head, "Host");
    if (authority == NULL || host == NULL)
        return true;
    size_t len = strcspn(authority, "/?");
    return strlen(host) == len && strncasecmp(authority, host, len) == 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Into the block, with a NUL; NULL: not well formed.  As text_percent_decode(), without its
 * allocations: this is done for every piece of every request. */
static const char *decode(struct inbound *in, const char *text, size_t len, bool plus_is_space)
{
    char *start = in->decoded + in->decoded_len, *out = start;
    if (len >= sizeof(in->decoded) - in->decoded_len)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if ((c > '\0' && c <= ' ') || c == '#')
            return NULL; /* http_parser lets a tab and a fragment through; others end a target there
                          */
        if (c == '+' && plus_is_space) {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;
            if (high == -1 || low == -1)
                return NULL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return NULL;
        *out++ = c;
    }
    *out++ = '\0';
    in->decoded_len = (size_t)(out - in->decoded);
    return text_is_utf8(start, (size_t)(out - 1 - start)) ? start : NULL;
}

static void query_read(struct inbound *in, const char *query)
{
    in->call.query = in->query;
    while (*query != '\0' && in->bad_target == NULL) {
        size_t len = strcspn(query, "&");
        const char *piece = query;
        query += len + (query[len] == '&');
        if (len == 0)
            continue;
        if (in->call.query_count == CALL_QUERY_MAX) {
            in->bad_target = "the query has too many parameters";
            return;
        }
        const char *equals = memchr(piece, '=', len);
        size_t name_len = equals != NULL ? (size_t)(equals - piece) : len;
        struct query_pair *pair = &in->query[in->call.query_count];
        pair->name = decode(in, piece, name_len, true);
        pair->value = equals != NULL ? decode(in, equals + 1, len - name_len - 1, true) : "";
        if (pair->name == NULL || pair->value == NULL)
            in->bad_target = "the query is not percent-encoded UTF-8";
        else if (call_has_query(&in->call, pair->name))
            in->bad_target = "the query has a parameter twice";
        in->call.query_count++;
    }
}

/* Clients of impact.com ask for "/Campaigns.json" as well as for "/Campaigns". */
static void cut_json(struct inbound *in, struct segments *segments)
{
    static const char end[] = ".json";
    const char *last = segments->count > 0 ? segments->at[segments->count - 1] : NULL;
    size_t len = last != NULL ? strlen(last) : 0;
    if (len < sizeof(end) || strcmp(last + len - (sizeof(end) - 1), end) != 0)
        return;
    char *cut = in->decoded + in->decoded_len;
    len -= sizeof(end) - 1;
    if (len >= sizeof(in->decoded) - in->decoded_len)
        return;
    memcpy(cut, last, len);
    cut[len] = '\0';
    in->decoded_len += len + 1;
    segments->whole_last = last;
    segments->at[segments->count - 1] = cut;
}

void target_read(struct inbound *in, struct segments *segments)
{
    *segments = (struct segments){ .count = 0 };
    const char *path = path_of(in->call.target);
    size_t path_len = strcspn(path, "?");
    const char *whole = decode(in, path, path_len, false);
    if (whole == NULL || path[0] != '/') {
        in->call.path = in->call.target;
        in->bad_target = "the path is not percent-encoded UTF-8 that begins with '/'";
        return;
    }
    in->call.path = whole;
    for (size_t at = 0; at < path_len;) {
        size_t len = 0;
        while (at + 1 + len < path_len && path[at + 1 + len] != '/')
            len++;
        if (segments->count == ROUTER_DEPTH_MAX) {
            segments->count = 0; /* deeper than any route: found nowhere */
            break;
        }
        segments->at[segments->count++] = decode(in, path + at + 1, len, false);
        at += len + 1;
    }
    cut_json(in, segments);
    if (path[path_len] == '?')
        query_read(in, path + path_len + 1);
}
