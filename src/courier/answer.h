/* answer.h — reads one answer of HTTP/1.x from bytes, however they are split.  No I/O.
 *
 * 1xx answers before it are skipped (at most ANSWER_INTERIM_MAX); 204 and 304 have no body; the
 * body is counted up to ANSWER_READ_MAX and kept up to ANSWER_BODY_MAX.  Chunks go before a
 * Content-Length, and the connection is not used again then (RFC 9112 §6.3).  A fault is what
 * leaves in doubt where the answer ends: two different lengths, chunks without a size; another
 * protocol, 101, a head over ANSWER_HEAD_READ_MAX.
 */
#ifndef POSTBACKD_ANSWER_H
#define POSTBACKD_ANSWER_H

#include "courier/answer_head.h"

enum { ANSWER_INTERIM_MAX = 16 };

enum answer_state {
    ANSWER_MORE,  /* not whole yet */
    ANSWER_WHOLE, /* all of it, or as much as is ever read */
    ANSWER_SHORT, /* it ended too early: answer_end() only */
    ANSWER_BAD,   /* not an answer; answer_fault() says why */
};

enum answer_part {
    PART_HEAD,
    PART_COUNTED, /* `left` bytes by Content-Length */
    PART_TO_END,  /* until the receiver closes */
    PART_SIZE,    /* of a chunk */
    PART_EXTENSION,
    PART_CHUNK, /* `left` bytes */
    PART_CHUNK_END,
    PART_TRAILERS,
};

struct answer {
    struct answer_head head;
    enum answer_state state;
    enum answer_part part;
    int status; /* 0 until the header block is whole */
    int interim;
    bool begun; /* any byte has come */
    bool head_whole;
    bool reusable;             /* when whole: the connection may carry another exchange */
    bool size_seen, line_used; /* a digit of the chunk's size; a byte of the trailer's line */
    const char *fault;
    size_t keep; /* bytes of the body; 0: ANSWER_BODY_MAX */
    uint64_t left, body_bytes, raw_bytes;
    struct buf body; /* its first bytes */
};

void answer_start(struct answer *answer); /* from all zeroes, or again: buffers are emptied */
/* Reads on.  Bytes past the end of a whole answer make it not reusable. */
enum answer_state answer_feed(struct answer *answer, const char *bytes, size_t len);
enum answer_state answer_end(struct answer *answer); /* the receiver sends no more */
const char *answer_fault(const struct answer *answer);
void answer_free(struct answer *answer);

#endif
