/* assets.c — a file of the pages as an answer.
 *
 * The table is constant memory of the binary, sorted, looked up by bisection; a path is matched as
 * a whole and never opened, so no path leads anywhere else.  The plain and the gzipped form are two
 * representations with an ETag each, or a cache could give one for the other.
 */
#include "server/assets.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The pages load their own files and call their own server, and nothing else: no script, style or
 * handler written into markup runs, so neither does one that came in with somebody's text. */
#define RULES                                                                                      \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; "               \
    "base-uri 'none'; frame-ancestors "

static const char NOBODY[] = "'none'"; /* has it in a frame */

static const struct {
    const char *name, *value;
} always[] = {
    { "Cache-Control", "no-cache" },
    { "Vary", "Accept-Encoding" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Opener-Policy", "same-origin" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
};

static int by_path(const void *path, const void *asset)
{
    return strcmp(path, ((const struct asset *)asset)->path);
}

const struct asset *asset_find(const char *path)
{
    return bsearch(path, assets, asset_count, sizeof(assets[0]), by_path);
}

/* The weight of one coding's parameters: only whether it is zero ("q=0", "q=0.000") matters. */
static bool weighs_nothing(const char *parameters, size_t len)
{
    const char *end = parameters + len;
    const char *q = memchr(parameters, '=', len);
    if (q == NULL)
        return false;
    for (q++; q < end; q++) {
        if (*q >= '1' && *q <= '9')
            return false;
    }
    return true;
}

bool asset_takes_gzip(const char *accept)
{
    bool takes = false;
    for (const char *at = accept; at != NULL && *at != '\0';) {
        at += strspn(at, ", \t");
        size_t whole = strcspn(at, ","), name = strcspn(at, ",; \t");
        bool gzip = name == 4 && strncasecmp(at, "gzip", 4) == 0;
        if (gzip || (name == 1 && *at == '*'))
            takes = !weighs_nothing(at + name, whole - name);
        if (gzip)
            return takes; /* by name goes before "*" */
        at += whole;
    }
    return takes;
}

bool asset_has_tag(const char *header, const char *etag)
{
    size_t len = strlen(etag);
    for (const char *at = header; at != NULL && *at != '\0';) {
        at += strspn(at, ", \t");
        size_t whole = strcspn(at, ", \t"); /* ours have neither inside */
        if (whole == 1 && *at == '*')
            return true;
        const char *tag = at;
        if (whole > 2 &&
            strncmp(at, "W/", 2) == 0) /* compared weakly: a proxy may have made it so */
            tag += 2;
        if ((size_t)(at + whole - tag) == len && memcmp(tag, etag, len) == 0)
            return true;
        at += whole;
    }
    return false;
}

static bool add_headers(struct call *call, const char *ancestors)
{
    bool packed = asset_takes_gzip(call_header(call, "Accept-Encoding"));
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        call_add_header(call, always[i].name, always[i].value);
    struct buf policy = { 0 };
    buf_str(&policy, RULES);
    buf_str(&policy, ancestors);
    call_add_header(call, "Content-Security-Policy", buf_text(&policy));
    buf_free(&policy);
    if (packed)
        call_add_header(call, "Content-Encoding", "gzip");
    return packed;
}

void asset_answer_framed(struct call *call, const struct asset *asset, const char *ancestors)
{
    bool packed = add_headers(call, ancestors);
    char etag[40];
    snprintf(etag, sizeof(etag), "\"%s%s\"", asset->tag, packed ? "-gzip" : "");
    call_add_header(call, "ETag", etag);
    /* No content goes out with 304, but its length, which is to be that of 200's. */
    bool known = asset_has_tag(call_header(call, "If-None-Match"), etag);
    call_static_answer(call, known ? 304 : 200, asset->type, packed ? asset->packed : asset->plain,
                       packed ? asset->packed_len : asset->plain_len);
}

void asset_answer(struct call *call, const struct asset *asset)
{
    asset_answer_framed(call, asset, NOBODY);
}

static bool asks_for_page(const struct call *call)
{
    static const char html[] = "text/html";
    const char *accept = call_header(call, "Accept");
    if (strncmp(call->path, "/assets/", 8) == 0)
        return false; /* a file of a page, not a page */
    for (const char *at = accept; at != NULL && *at != '\0';) {
        at += strspn(at, ", \t");
        if (strcspn(at, ",; \t") == sizeof(html) - 1 &&
            strncasecmp(at, html, sizeof(html) - 1) == 0)
            return true;
        at += strcspn(at, ",");
    }
    return false;
}

bool asset_answer_missing(struct call *call)
{
    const struct asset *document = asset_find("/assets/index.html");
    bool reads = strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
    if (document == NULL || !reads || !asks_for_page(call))
        return false;
    call_add_header(call, "Vary", "Accept");
    bool packed = add_headers(call, NOBODY);
    call_static_answer(call, 404, document->type, packed ? document->packed : document->plain,
                       packed ? document->packed_len : document->plain_len);
    return true;
}
