/* answer_fuzz.c — arbitrary bytes as an answer, arbitrarily split.
 *
 * The first bytes say how the rest is cut.  However it is cut, the reader must come to the same
 * end with the same status, headers and body, and keep its caps.
 */
#include "courier/answer.h"

#include "model/attempt.h"

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

static void read_cut(struct answer *answer, const uint8_t *cuts, const uint8_t *bytes, size_t len)
{
    answer_start(answer);
    for (size_t i = 0, at = 0; at < len; i++) {
        size_t piece = cuts[i % CUTS] + 1u;
        if (piece > len - at)
            piece = len - at;
        char *copy = malloc(piece); /* so that reading past a piece is seen */
        if (copy == NULL)
            abort();
        memcpy(copy, bytes + at, piece);
        answer_feed(answer, copy, piece);
        free(copy);
        at += piece;
    }
}

static void check_caps(const struct answer *answer)
{
    expect(answer->body.len <= ANSWER_BODY_MAX);
    expect(answer->head.headers.len <= ANSWER_HEADERS_MAX);
    expect(answer->interim <= ANSWER_INTERIM_MAX + 1);
    expect(answer->state != ANSWER_BAD || answer_fault(answer)[0] != '\0');
    expect(answer->state != ANSWER_WHOLE || (answer->status >= 200 && answer->status <= 999));
    expect(!answer->reusable || answer->state == ANSWER_WHOLE);
}

static int same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct answer whole, cut; /* kept, as a connection keeps its own */
    if (len < CUTS)
        return 0;
    answer_start(&whole);
    answer_feed(&whole, (const char *)bytes + CUTS, len - CUTS);
    read_cut(&cut, bytes, bytes + CUTS, len - CUTS);
    check_caps(&whole);
    check_caps(&cut);
    expect(whole.state == cut.state);
    expect(whole.status == cut.status);
    expect(whole.reusable == cut.reusable);
    if (whole.state != ANSWER_BAD) {
        expect(same(&whole.body, &cut.body));
        expect(!whole.head_whole || same(&whole.head.headers, &cut.head.headers));
        expect(strcmp(whole.head.retry_after, cut.head.retry_after) == 0);
    }
    expect(answer_end(&whole) == answer_end(&cut));
    check_caps(&whole);
    return 0;
}
