/* chunks.c — chunked bodies, a byte at a time but for their data.
 *
 * Every line ends with CR LF and nothing else does: where a body ends has to be as clear to us as
 * to a proxy in front of us, or what follows is a request for one and data for the other.
 */
#include "server/chunks.h"

#include "server/head.h"

#include <stdbool.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum chunks_state after_digit(struct chunks *chunks, int digit)
{
    if (chunks->left > UINT64_MAX >> 4)
        return CHUNKS_BAD;
    chunks->left = chunks->left << 4 | (uint64_t)digit;
    return CHUNKS_DIGITS;
}

/* Behind the size stand blanks at most, then an extension or the end of the line. */
static enum chunks_state after_size(char c)
{
    if (c == ' ' || c == '\t')
        return CHUNKS_BLANKS;
    return c == ';' ? CHUNKS_EXTENSION : c == '\r' ? CHUNKS_SIZE_LF : CHUNKS_BAD;
}

/* Within text that is dropped. */
static enum chunks_state within(enum chunks_state state, char c, enum chunks_state at_its_end)
{
    if (c == '\r')
        return at_its_end;
    return (unsigned char)c < ' ' && c != '\t' ? CHUNKS_BAD : state;
}

static enum chunks_state after(struct chunks *chunks, char c)
{
    int digit = hex_digit(c);
    switch (chunks->state) {
    case CHUNKS_SIZE:
        chunks->left = 0;
        chunks->overhead = 0;
        return digit != -1 ? after_digit(chunks, digit) : CHUNKS_BAD;
    case CHUNKS_DIGITS:
        return digit != -1 ? after_digit(chunks, digit) : after_size(c);
    case CHUNKS_BLANKS:
        return after_size(c);
    case CHUNKS_EXTENSION:
        return within(CHUNKS_EXTENSION, c, CHUNKS_SIZE_LF);
    case CHUNKS_SIZE_LF:
        return c != '\n' ? CHUNKS_BAD : chunks->left > 0 ? CHUNKS_DATA : CHUNKS_LINE;
    case CHUNKS_DATA_CR:
        return c == '\r' ? CHUNKS_DATA_LF : CHUNKS_BAD;
    case CHUNKS_DATA_LF:
        return c == '\n' ? CHUNKS_SIZE : CHUNKS_BAD;
    case CHUNKS_LINE:
        if (c == ' ' || c == '\t') /* it would go on with the line before it */
            return CHUNKS_BAD;
        return within(CHUNKS_TRAILER, c, CHUNKS_LAST_LF);
    case CHUNKS_TRAILER:
        return within(CHUNKS_TRAILER, c, CHUNKS_TRAILER_LF);
    case CHUNKS_TRAILER_LF:
        return c == '\n' ? CHUNKS_LINE : CHUNKS_BAD;
    case CHUNKS_LAST_LF:
        return c == '\n' ? CHUNKS_WHOLE : CHUNKS_BAD;
    case CHUNKS_DATA:
    case CHUNKS_WHOLE:
    case CHUNKS_BAD:
    case CHUNKS_LONG:
        break;
    }
    return chunks->state;
}

size_t chunks_read(struct chunks *chunks, const char *bytes, size_t len, const char **data,
                   size_t *data_len)
{
    size_t taken = 0;
    *data_len = 0;
    while (taken < len && chunks->state < CHUNKS_WHOLE && chunks->state != CHUNKS_DATA) {
        chunks->state = after(chunks, bytes[taken++]);
        if (++chunks->overhead > HEAD_MOST && chunks->state < CHUNKS_WHOLE)
            chunks->state = CHUNKS_LONG;
    }
    if (chunks->state == CHUNKS_DATA) {
        *data = bytes + taken;
        *data_len = chunks->left < len - taken ? (size_t)chunks->left : len - taken;
        chunks->left -= *data_len;
        if (chunks->left == 0)
            chunks->state = CHUNKS_DATA_CR;
    }
    return taken + *data_len;
}
