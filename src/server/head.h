/* head.h — the head of a request as it comes in: its target and its headers.
 *
 * A parser of HTTP/1.x hands over the pieces in order; where the pieces are cut makes no
 * difference.  The texts stand one behind the other in a block of fixed size, so a head costs no
 * allocation and cannot outgrow its cap.
 */
#ifndef POSTBACKD_HEAD_H
#define POSTBACKD_HEAD_H

#include <stdbool.h>
#include <stddef.h>

enum { HEAD_MOST = 8 * 1024 }; /* bytes: the target, and four more than its texts a header */

struct head {
    size_t bytes;             /* that count against HEAD_MOST */
    size_t len;               /* of text[] in use */
    size_t name_at, value_at; /* of the header coming in; 0: none, not yet its value */
    size_t headers_at;        /* where the first header's name begins; 0: there is none */

    /* What the server itself goes by; NULL: not given. The last one, where there are several. */
    const char *content_type, *content_length, *authorization, *cookie;
    unsigned lengths, encodings, authorizations, cookies, hosts;
    bool chunked, expects, expects_continue;
    bool bad_name; /* a header's name is no token (RFC 9110 §5.6.2) */

    char text[HEAD_MOST + 16]; /* "target\0name\0value\0name\0value\0"; not cleared */
};

void head_begin(struct head *head);
/* Further bytes of the target, of a header's name or of its value.  False: over the cap. */
bool head_target(struct head *head, const char *bytes, size_t len);
bool head_name(struct head *head, const char *bytes, size_t len);
bool head_value(struct head *head, const char *bytes, size_t len);
/* All of it has come: from now on it can be read. */
void head_end(struct head *head);

/* NULL: no such header.  Names are compared without regard to case. */
const char *head_find(const struct head *head, const char *name);

#endif
