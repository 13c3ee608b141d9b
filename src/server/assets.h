/* assets.h — the files of the pages, which the build puts into the binary (script/embed_assets).
 *
 * They are answered from where they lie, gzipped for who takes that, and asked for again by ETag:
 * a browser keeps them but uses none without asking, so a new version of the server is a new page.
 */
#ifndef POSTBACKD_ASSETS_H
#define POSTBACKD_ASSETS_H

#include "server/call.h"

#include <stddef.h>

struct asset {
    const char *path; /* "/assets/pages/inquiries.js" */
    const char *type; /* of its contents: "text/javascript; charset=utf-8" */
    const char *tag;  /* of its contents, for ETags: hexadecimal */
    const unsigned char *plain;
    size_t plain_len;
    const unsigned char *packed; /* gzip */
    size_t packed_len;
};

/* web/meson.build lists them; sorted by path. */
extern const struct asset assets[];
extern const size_t asset_count;

const struct asset *asset_find(const char *path); /* NULL: there is none */
/* 200 with the bytes, or 304 when the client has them.  With the headers that a page needs: what it
 * may load, that it is in nobody's frame, and that its address is told to nobody. */
void asset_answer(struct call *call, const struct asset *asset);

/* The same for a page that those origins, with blanks between, may have in a frame. */
void asset_answer_framed(struct call *call, const struct asset *asset, const char *ancestors);

/* For an address where nothing is: who asks for a page (a GET whose Accept names text/html) gets
 * the document, which says so, with 404.  False: not answered. */
bool asset_answer_missing(struct call *call);

/* Whether an Accept-Encoding (NULL: none) takes gzip.  RFC 9110 §12.5.3. */
bool asset_takes_gzip(const char *accept);
/* Whether an If-None-Match (NULL: none) names this ETag, quotes and all.  RFC 9110 §13.1.2. */
bool asset_has_tag(const char *header, const char *etag);

#endif
