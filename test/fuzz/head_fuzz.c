/* head_fuzz.c — arbitrary bytes as requests on a connection, arbitrarily split.
 *
 * The first bytes say how the rest is cut.  However it is cut, a head must come to the same end
 * with the same texts and keep its cap, and a chunked body have the same data.  What stands behind
 * a whole request is the next one.
 */
#include "server/chunks.h"
#include "server/head.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { CUTS = 8 };

static void expect(int right)
{
    if (!right)
        abort();
}

/* The bytes of one piece, in memory of their own so that reading past them is seen. */
static char *piece_of(const uint8_t *cuts, size_t i, const uint8_t *bytes, size_t len,
                      size_t *piece)
{
    *piece = cuts == NULL ? len : cuts[i % CUTS] + 1u;
    if (*piece > len)
        *piece = len;
    char *copy = malloc(*piece);
    if (copy == NULL)
        abort();
    memcpy(copy, bytes, *piece);
    return copy;
}

/* All in one piece when there are no cuts.  Gives how many bytes the head took. */
static size_t read_head(struct head *head, const uint8_t *cuts, const uint8_t *bytes, size_t len,
                        enum head_state *state)
{
    size_t at = 0;
    head_begin(head);
    *state = HEAD_COMES;
    for (size_t i = 0; at < len && *state == HEAD_COMES; i++) {
        size_t piece, taken;
        char *copy = piece_of(cuts, i, bytes + at, len - at, &piece);
        *state = head_read(head, copy, piece, &taken);
        expect(taken <= piece && (*state != HEAD_COMES || taken == piece));
        free(copy);
        at += taken;
    }
    return at;
}

static void check_text(const struct head *head, const char *text)
{
    expect(text == NULL || (text > head->text && text < head->text + head->len));
}

static void check_head(const struct head *head, enum head_state state)
{
    expect(head->bytes <= HEAD_MOST && head->len < sizeof(head->text));
    if (state == HEAD_COMES)
        return;
    expect(head->text[head->len - 1] == '\0');
    expect(state == HEAD_WHOLE || (head->status >= 400 && head->why != NULL));
    check_text(head, head->content_type);
    check_text(head, head->content_length);
    check_text(head, head->authorization);
    check_text(head, head->cookie);
    if (state == HEAD_BAD)
        return;
    expect(head->method[0] != '\0');
    /* As many texts as there are headers, each a name and a value. */
    size_t texts = 0;
    for (size_t at = head->headers_at; at != 0 && at < head->len; texts++) {
        const char *text = head->text + at;
        for (const char *c = text; *c != '\0'; c++)
            expect((unsigned char)*c >= ' ' || *c == '\t');
        at += strlen(text) + 1;
    }
    expect(texts % 2 == 0);
    expect((head->hosts > 0) == (head_find(head, "host") != NULL));
    expect((head->encodings > 0) == (head_find(head, "transfer-encoding") != NULL));
    expect((head->lengths > 0) == (head_find(head, "content-length") != NULL));
}

static void check_same_head(const struct head *a, const struct head *b)
{
    expect(a->len == b->len && memcmp(a->text, b->text, a->len) == 0);
    expect(strcmp(a->method, b->method) == 0 && a->version == b->version && a->keep == b->keep);
    expect(a->lengths == b->lengths && a->encodings == b->encodings && a->hosts == b->hosts);
    expect(a->chunked == b->chunked && a->expects == b->expects && a->bad_name == b->bad_name);
    expect(a->headers_at == b->headers_at && a->bytes == b->bytes && a->bad_host == b->bad_host);
}

struct body {
    struct chunks chunks;
    size_t len;
    uint64_t hash;
};

static size_t read_body(struct body *body, const uint8_t *cuts, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    memset(body, 0, sizeof(*body));
    for (size_t i = 0; at < len && body->chunks.state < CHUNKS_WHOLE; i++) {
        size_t piece;
        char *copy = piece_of(cuts, i, bytes + at, len - at, &piece);
        for (size_t done = 0; done < piece && body->chunks.state < CHUNKS_WHOLE;) {
            const char *data = NULL;
            size_t data_len;
            size_t taken = chunks_read(&body->chunks, copy + done, piece - done, &data, &data_len);
            expect(taken > 0 && taken <= piece - done && data_len <= taken);
            for (size_t k = 0; k < data_len; k++)
                body->hash = body->hash * 31 + (unsigned char)data[k];
            body->len += data_len;
            done += taken;
            at += taken;
        }
        free(copy);
    }
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct head whole, cut;
    static struct body whole_body, cut_body;
    if (len < CUTS)
        return 0;
    const uint8_t *cuts = bytes;
    bytes += CUTS;
    len -= CUTS;
    while (len > 0) {
        enum head_state state, cut_state;
        size_t taken = read_head(&whole, NULL, bytes, len, &state);
        size_t cut_taken = read_head(&cut, cuts, bytes, len, &cut_state);
        check_head(&whole, state);
        check_head(&cut, cut_state);
        expect(state == cut_state && whole.status == cut.status);
        if (state != HEAD_WHOLE)
            return 0;
        expect(taken == cut_taken);
        check_same_head(&whole, &cut);
        bytes += taken;
        len -= taken;
        if (!whole.chunked)
            continue;
        taken = read_body(&whole_body, NULL, bytes, len);
        expect(taken == read_body(&cut_body, cuts, bytes, len));
        expect(whole_body.chunks.state == cut_body.chunks.state);
        expect(whole_body.len == cut_body.len && whole_body.hash == cut_body.hash);
        if (whole_body.chunks.state != CHUNKS_WHOLE)
            return 0;
        bytes += taken;
        len -= taken;
    }
    return 0;
}
