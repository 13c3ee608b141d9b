/* answer_head.h — the head of one answer of HTTP/1.x: its status line and headers.  No I/O.
 *
 * It is generous where the verdict is clear: lines may end with LF alone, the reason may be
 * missing, a line without a colon is borne with.  Headers are kept up to ANSWER_HEADERS_MAX, and
 * those that say how the answer goes on are understood up to ANSWER_HEAD_READ_MAX.
 */
#ifndef POSTBACKD_ANSWER_HEAD_H
#define POSTBACKD_ANSWER_HEAD_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_HEAD_READ_MAX = 64 * 1024 }; /* bytes of one head that are read, kept or not */

enum answer_head_state { HEAD_MORE, HEAD_WHOLE, HEAD_BAD };

struct answer_head {
    struct buf line;     /* the one that is being read, up to ANSWER_HEADERS_MAX */
    bool line_over;      /* it has ended, unless the next one goes on with it (obs-fold) */
    bool status_read;    /* the status line was */
    int status, minor;   /* HTTP/1.minor */
    size_t bytes;        /* read so far */
    bool chunked, coded; /* by Transfer-Encoding; coded: by something else than chunks */
    bool has_length, close, keep;
    uint64_t length;
    const char *length_fault; /* NULL: the length is good, or there is none */
    char retry_after[64];     /* "": none */
    struct buf headers;       /* "Name: value\n"… */
    const char *fault;        /* with HEAD_BAD */
};

void answer_head_start(struct answer_head *head); /* from all zeroes, or again */
void answer_head_free(struct answer_head *head);
/* *used: of len, the rest is what follows the head. */
enum answer_head_state answer_head_feed(struct answer_head *head, const char *bytes, size_t len,
                                        size_t *used);

#endif
