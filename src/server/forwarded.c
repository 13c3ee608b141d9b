/* forwarded.c — the hops that a request took, as its headers say.
 *
 * A line is read from the left, since a quoted text may hold commas; the hops are asked from the
 * right.  Only the last ones are kept.
 *
 * The rule: nothing is guessed.  A hop that cannot be read is an unknown one, and an unknown one
 * ends the way back, so that what a client writes into the header never passes for an address that
 * a trusted proxy saw.
 */
#include "server/forwarded.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { NODE_MAX = 128 /* bytes of one node: an address, a port or made-up names */ };

static void hop_add(struct forwarded *forwarded, bool known, const struct address *address)
{
    if (forwarded->count == FORWARDED_HOPS_MOST) {
        forwarded->count--;
        memmove(forwarded->hops, forwarded->hops + 1, forwarded->count * sizeof(struct hop));
    }
    struct hop *hop = &forwarded->hops[forwarded->count++];
    *hop = (struct hop){ .known = known };
    if (known)
        hop->address = *address;
}

static void broken(struct forwarded *forwarded)
{
    forwarded->count = 0;
    hop_add(forwarded, false, NULL);
}

/* ---- a node: RFC 7239 §6 ---- */

/* "4711", or, where it may be hidden, "_name". */
static bool is_port(const char *text, bool or_hidden)
{
    static const char hidden[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789._-";
    int64_t port;
    if (or_hidden && text[0] == '_')
        return text[1] != '\0' && text[1 + strspn(text + 1, hidden)] == '\0';
    return text_int(text, 0, 65535, &port);
}

/* Cuts a port off.  False: what stands there is none. */
static bool cut_port(char *node, bool or_hidden)
{
    char *close = node[0] == '[' ? strchr(node, ']') : NULL;
    char *colon = strchr(close != NULL ? close : node, ':');
    if (close == NULL && colon != NULL && strchr(colon + 1, ':') != NULL)
        return true; /* an IPv6 address without brackets, and so without a port */
    if (close != NULL && close[1] != '\0' && colon != close + 1)
        return false;
    if (colon == NULL)
        return true;
    *colon = '\0';
    return is_port(colon + 1, or_hidden);
}

/* Brackets are for IPv6 alone, and where they must be nothing else is. */
static bool node_read(const char *text, size_t len, bool bracketed, struct address *out)
{
    char node[NODE_MAX];
    if (len == 0 || len >= sizeof(node))
        return false;
    memcpy(node, text, len);
    node[len] = '\0';
    if (!cut_port(node, bracketed))
        return false;
    size_t rest = strlen(node);
    bool v6 = strchr(node, ':') != NULL;
    if (node[0] != '[')
        return (!v6 || !bracketed) && address_parse(node, out);
    if (node[rest - 1] != ']' || !v6)
        return false;
    node[rest - 1] = '\0';
    return address_parse(node + 1, out);
}

/* ---- Forwarded ---- */

struct reading {
    const char *at;
    char value[NODE_MAX]; /* of the pair, its quotes taken off; longer ones are cut, and no node */
    size_t len;
};

static void skip_blanks(struct reading *reading)
{
    reading->at += strspn(reading->at, " \t");
}

static size_t token_length(const char *text) /* RFC 9110 §5.6.2 */
{
    return strspn(text, "!#$%&'*+-.^_`|~0123456789"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

static void value_add(struct reading *reading, char c)
{
    if (reading->len < sizeof(reading->value))
        reading->value[reading->len++] = c;
}

static bool value_read(struct reading *reading)
{
    reading->len = 0;
    if (*reading->at != '"') {
        size_t len = token_length(reading->at);
        for (size_t i = 0; i < len; i++)
            value_add(reading, reading->at[i]);
        reading->at += len;
        return len > 0;
    }
    for (reading->at++; *reading->at != '"'; reading->at++) {
        if (*reading->at == '\\')
            reading->at++;
        if (*reading->at == '\0')
            return false;
        value_add(reading, *reading->at);
    }
    reading->at++;
    return true;
}

/* name=value; *is_for: its name is "for". */
static bool pair_read(struct reading *reading, bool *is_for)
{
    size_t len = token_length(reading->at);
    *is_for = len == 3 && strncasecmp(reading->at, "for", 3) == 0;
    reading->at += len;
    if (len == 0 || *reading->at != '=')
        return false;
    reading->at++;
    return value_read(reading);
}

/* One element of the list; an empty one is no hop.  False: it is not by the grammar. */
static bool element_read(struct reading *reading, struct forwarded *forwarded)
{
    bool known = false, named = false, empty = true;
    struct address address;
    for (;;) {
        bool is_for;
        skip_blanks(reading);
        if (*reading->at != ';' && *reading->at != ',' && *reading->at != '\0') {
            empty = false;
            if (!pair_read(reading, &is_for) || (is_for && named))
                return false;
            if (is_for) {
                named = true;
                known = node_read(reading->value, reading->len, true, &address);
            }
            skip_blanks(reading);
        }
        if (*reading->at != ';')
            break;
        reading->at++;
    }
    if (!empty)
        hop_add(forwarded, known, &address);
    return *reading->at == ',' || *reading->at == '\0';
}

void forwarded_read(struct forwarded *forwarded, const char *line)
{
    struct reading reading = { .at = line };
    for (;;) {
        if (!element_read(&reading, forwarded)) {
            broken(forwarded);
            return;
        }
        if (*reading.at == '\0')
            return;
        reading.at++;
    }
}

void forwarded_read_x(struct forwarded *forwarded, const char *line)
{
    for (;;) {
        struct address address;
        line += strspn(line, " \t");
        size_t whole = strcspn(line, ","), len = whole;
        while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
            len--;
        if (len > 0) {
            bool known = node_read(line, len, false, &address);
            hop_add(forwarded, known, &address);
        }
        if (line[whole] == '\0')
            return;
        line += whole + 1;
    }
}

/* ---- who it is ---- */

bool proxies_hold(const struct proxies *proxies, const struct address *address)
{
    for (size_t i = 0; i < proxies->count; i++) {
        if (cidr_holds(&proxies->ranges[i], address))
            return true;
    }
    return false;
}

struct address forwarded_client(const struct forwarded *forwarded, const struct proxies *trusted,
                                const struct address *peer)
{
    struct address client = *peer;
    for (size_t i = forwarded->count; i > 0 && proxies_hold(trusted, &client); i--) {
        if (!forwarded->hops[i - 1].known)
            break;
        client = forwarded->hops[i - 1].address;
    }
    return client;
}
