/* answer.h — reads one answer of HTTP/1.x from bytes, however they are split.  No I/O.
 *
 * 1xx answers before it are skipped (at most ANSWER_INTERIM_MAX); 204 and 304 have no body; the
 * body is counted up to ANSWER_READ_MAX and kept up to ANSWER_BODY_MAX.  What a sender of requests
 * must not trust is a fault: both Content-Length and Transfer-Encoding (RFC 9112 §6.3), another
 * protocol version, 101, a header block over ANSWER_HEADERS_MAX.
 */
#ifndef POSTBACKD_ANSWER_H
#define POSTBACKD_ANSWER_H

#include "base/buf.h"

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_INTERIM_MAX = 16 };

enum answer_state {
    ANSWER_MORE,  /* not whole yet */
    ANSWER_WHOLE, /* all of it, or as much as is ever read */
    ANSWER_SHORT, /* it ended too early: answer_end() only */
    ANSWER_BAD,   /* not an answer; answer_fault() says why */
};

struct answer {
    http_parser parser;
    enum answer_state state;
    int status; /* 0 until the header block is whole */
    int interim;
    bool begun; /* any byte has come */
    bool head_whole, value_last;
    bool reusable; /* when whole: the connection may carry another exchange */
    const char *fault;
    size_t keep; /* bytes of the body; 0: ANSWER_BODY_MAX */
    size_t head_bytes, line_at, value_at;
    uint64_t body_bytes, raw_bytes;
    char retry_after[64];
    struct buf headers; /* "Name: value\n"…, of the final answer */
    struct buf body;    /* its first bytes */
};

void answer_start(struct answer *answer); /* from all zeroes, or again: buffers are emptied */
/* Reads on.  Bytes past the end of a whole answer make it not reusable. */
enum answer_state answer_feed(struct answer *answer, const char *bytes, size_t len);
enum answer_state answer_end(struct answer *answer); /* the receiver sends no more */
const char *answer_fault(const struct answer *answer);
void answer_free(struct answer *answer);

#endif
