/* proxy.c — CONNECT (RFC 9110 §9.3.6): one request, one answer's header block, then the bytes are
 * the receiver's.
 *
 * The answer is kept until its empty line, at most PROXY_ANSWER_MAX bytes; of it only the status
 * counts.  A proxy says nothing behind it before the receiver is spoken to, so what stands there
 * would be taken for the receiver's word: it is refused.
 *
 * The rule: credentials stand in the request alone; no message and no log line has them.
 */
#include "courier/proxy.h"

#include "base/fail.h"
#include "base/text.h"
#include "model/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char scheme[] = "http://";

/* ---- the setting ---- */

static bool set_credentials(struct proxy *proxy, const char *text, size_t len)
{
    struct buf plain = { .limit = 1024 };
    bool good = memchr(text, ':', len) != NULL && text_percent_decode(&plain, text, len, false) &&
                !plain.failed;
    if (good) {
        buf_str(&proxy->authorization, "Proxy-Authorization: Basic ");
        text_base64(&proxy->authorization, plain.data, plain.len, false);
        buf_str(&proxy->authorization, "\r\n");
    }
    buf_wipe(&plain);
    return good;
}

/* "host:port", and nothing behind it but a slash. */
static bool set_address(struct proxy *proxy, const char *text)
{
    struct problems problems = { 0 };
    struct url_parts to = { 0 };
    struct buf url = { 0 };
    size_t target_at = 0;

    buf_str(&url, scheme);
    buf_str(&url, text);
    bool good = url_check(buf_text(&url), &to, &target_at, "", &problems);
    if (good) {
        const char *target = buf_text(&url) + target_at;
        good = *target == '\0' || strcmp(target, "/") == 0;
        proxy->host = to.host;
        proxy->port = to.port;
    }
    problems_free(&problems);
    buf_free(&url);
    return good;
}

struct proxy *proxy_new(const char *url, struct error *error)
{
    struct proxy *proxy = must_alloc(sizeof(*proxy));
    bool good = strncmp(url, scheme, sizeof(scheme) - 1) == 0;
    if (good) {
        const char *from = url + sizeof(scheme) - 1, *at = strrchr(from, '@');
        if (at != NULL)
            good = set_credentials(proxy, from, (size_t)(at - from));
        good = good && set_address(proxy, at != NULL ? at + 1 : from);
    }
    if (good)
        return proxy;
    error_set(error, ERROR_INVALID,
              "--egress-proxy is not http://HOST:PORT or http://USER:PASSWORD@HOST:PORT");
    proxy_free(proxy);
    return NULL;
}

void proxy_free(struct proxy *proxy)
{
    if (proxy == NULL)
        return;
    buf_wipe(&proxy->authorization);
    free(proxy->host);
    free(proxy);
}

/* ---- one CONNECT ---- */

struct tunnel *tunnel_new(const struct proxy *proxy, const char *host, int port)
{
    struct tunnel *tunnel = must_alloc(sizeof(*tunnel));
    bool brackets = strchr(host, ':') != NULL;
    const char *open = brackets ? "[" : "", *close = brackets ? "]" : "";

    tunnel->out.limit = 4096;
    buf_fmt(&tunnel->out, "CONNECT %s%s%s:%d HTTP/1.1\r\nHost: %s%s%s:%d\r\n%s\r\n", open, host,
            close, port, open, host, close, port, buf_text(&proxy->authorization));
    if (tunnel->out.failed)
        bug("a CONNECT does not fit");
    return tunnel;
}

void tunnel_free(struct tunnel *tunnel)
{
    if (tunnel == NULL)
        return;
    buf_wipe(&tunnel->out);
    free(tunnel);
}

static enum tunnel_state bad(struct tunnel *tunnel, const char *words)
{
    snprintf(tunnel->fault, sizeof(tunnel->fault), "the egress proxy %s", words);
    return TUNNEL_BAD;
}

/* "HTTP/1.1 407 Proxy Authentication Required": its status, or 0. */
static int status_of(const char *line, size_t len)
{
    if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ' ||
        (len > 12 && line[12] != ' '))
        return 0;
    int status = 0;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9')
            return 0;
        status = status * 10 + (line[i] - '0');
    }
    return status;
}

/* The reason is the proxy's text: only what is printable, and not much. */
static enum tunnel_state refused(struct tunnel *tunnel, const char *line, size_t len, int status)
{
    char reason[60] = "", words[100];
    size_t used = 0;
    for (size_t i = 12; i < len && used < sizeof(reason) - 1; i++)
        if (line[i] >= ' ' && line[i] <= '~')
            reason[used++] = line[i];
    snprintf(words, sizeof(words), "refused: %d%s", status, reason);
    return bad(tunnel, words);
}

static enum tunnel_state judge(struct tunnel *tunnel, size_t head)
{
    const char *end = memchr(tunnel->in, '\r', head);
    size_t len = end != NULL ? (size_t)(end - tunnel->in) : head;
    int status = status_of(tunnel->in, len);

    if (status < 100)
        return bad(tunnel, "did not answer with HTTP");
    if (status < 200 || status > 299)
        return refused(tunnel, tunnel->in, len, status);
    if (tunnel->got > head)
        return bad(tunnel, "said more than its answer before it was asked");
    return TUNNEL_OPEN;
}

enum tunnel_state tunnel_feed(struct tunnel *tunnel, const char *bytes, size_t len)
{
    static const char start[] = "HTTP/1.";
    size_t room = sizeof(tunnel->in) - tunnel->got, taken = len < room ? len : room;

    memcpy(tunnel->in + tunnel->got, bytes, taken);
    tunnel->got += taken;
    size_t known = tunnel->got < sizeof(start) - 1 ? tunnel->got : sizeof(start) - 1;
    if (memcmp(tunnel->in, start, known) != 0)
        return bad(tunnel, "did not answer with HTTP");
    const char *end = memmem(tunnel->in, tunnel->got, "\r\n\r\n", 4);
    if (end != NULL)
        return judge(tunnel, (size_t)(end - tunnel->in) + 4);
    if (len == 0)
        return bad(tunnel, "closed the connection without an answer");
    if (taken < len || tunnel->got == sizeof(tunnel->in))
        return bad(tunnel, "answered with more than 8 KiB of headers");
    return TUNNEL_MORE;
}
