/* head.h — the head of a request as it comes in: its method, target and headers.
 *
 * It is read by http_parser from pieces; where they are cut makes no difference.  The texts stand
 * one behind the other in a block of fixed size, so a head costs no allocation and cannot outgrow
 * its cap.
 */
#ifndef POSTBACKD_HEAD_H
#define POSTBACKD_HEAD_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEAD_MOST = 8 * 1024 }; /* bytes: the target, and four more than its texts a header */

enum head_state {
    HEAD_COMES, /* all bytes were taken, it goes on */
    HEAD_WHOLE, /* from now on it can be read */
    HEAD_BAD,   /* it is no head of HTTP/1.x, or too long: `status` and `why` */
};

struct head {
    http_parser parser;
    const char *method; /* "" as long as it is not known */
    int version;        /* 11: HTTP/1.1 */
    bool keep;          /* the client wants the connection kept */
    int status;         /* to refuse it with */
    const char *why;

    char before;       /* the last byte that was read */
    bool in_headers;   /* the request line is over */
    const char *tells; /* why its lines are not clear; NULL: they are */

    size_t bytes;             /* that count against HEAD_MOST */
    size_t len;               /* of text[] in use */
    size_t name_at, value_at; /* of the header coming in; 0: none, not yet its value */
    size_t headers_at;        /* where the first header's name begins; 0: there is none */

    /* What the server itself goes by; NULL: not given. The last one, where there are several. */
    const char *content_type, *content_length, *authorization, *cookie;
    unsigned lengths, encodings, authorizations, cookies, hosts;
    bool chunked, expects, expects_continue;
    bool encoded;  /* Content-Encoding is not the identity */
    bool bad_name; /* a header's name is no token (RFC 9110 §5.6.2) */
    bool bad_host; /* Host is no host (RFC 3986 §3.2.2) */
    uint64_t seen; /* a bit for each name's length and first letter */

    char text[HEAD_MOST + 16]; /* "target\0name\0value\0name\0value\0"; not cleared */
};

void head_begin(struct head *head);
/* Takes from the bytes that come: *taken of them.  What stands behind a whole head is not taken. */
enum head_state head_read(struct head *head, const char *bytes, size_t len, size_t *taken);

/* The next header of the name behind *at, which is 0 at first.  NULL: there is no further one. */
const char *head_each(const struct head *head, const char *name, size_t *at);
/* The first one.  NULL: no such header.  Names are compared without regard to case. */
const char *head_find(const struct head *head, const char *name);

#endif
