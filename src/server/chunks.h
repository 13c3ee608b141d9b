/* chunks.h — a chunked body: where its data is.  RFC 9112 §7.1.  For this floor only.
 *
 * Extensions and trailers are dropped.  All zeroes is the beginning of a body.
 */
#ifndef POSTBACKD_CHUNKS_H
#define POSTBACKD_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

enum chunks_state {
    CHUNKS_SIZE, /* its first digit; the states between here and ... */
    CHUNKS_DIGITS,
    CHUNKS_BLANKS,
    CHUNKS_EXTENSION,
    CHUNKS_SIZE_LF,
    CHUNKS_DATA,
    CHUNKS_DATA_CR,
    CHUNKS_DATA_LF,
    CHUNKS_LINE, /* of the trailers */
    CHUNKS_TRAILER,
    CHUNKS_TRAILER_LF,
    CHUNKS_LAST_LF, /* ... here are chunks.c's own */
    CHUNKS_WHOLE,
    CHUNKS_BAD,  /* not well formed */
    CHUNKS_LONG, /* a size with its extension, or the trailers, are over HEAD_MOST */
};

struct chunks {
    enum chunks_state state;
    uint64_t left;   /* of the chunk's data */
    size_t overhead; /* bytes of the line that tells its size, or of the trailers */
};

/* Takes from the bytes up to the end of a piece of data, or of the body; gives how many.  *data has
 * the piece, of which *data_len may be 0. */
size_t chunks_read(struct chunks *chunks, const char *bytes, size_t len, const char **data,
                   size_t *data_len);

#endif
