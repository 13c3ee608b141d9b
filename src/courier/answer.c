/* answer.c — one answer of HTTP/1.x: heads until the final one, then its body by its framing.
 *
 * Each part of the answer is read by a function of its own, which takes what is its own of the
 * bytes and says what comes next.
 *
 * The rule: whatever comes, no more is kept than ANSWER_HEADERS_MAX and ANSWER_BODY_MAX, and no
 * more is read than a small multiple of ANSWER_READ_MAX.
 */
#include "courier/answer.h"

#include "courier/client.h"
#include "model/attempt.h"

#include <string.h>

/* Chunks of one byte cost six: so much framing is borne with, no more. */
enum { RAW_BYTES_MAX = 8 * ANSWER_READ_MAX };
#define CHUNK_MAX (UINT64_MAX >> 8)

void answer_start(struct answer *answer)
{
    struct buf body = answer->body;
    struct answer_head head = answer->head;
    buf_reset(&body);
    *answer = (struct answer){ .head = head, .body = body, .keep = answer->keep };
    answer_head_start(&answer->head);
}

static enum answer_state bad(struct answer *answer, const char *words)
{
    answer->fault = words;
    return answer->state = ANSWER_BAD;
}

static void whole(struct answer *answer, bool reusable)
{
    answer->state = ANSWER_WHOLE;
    answer->reusable = reusable;
}

static bool kept_alive(const struct answer_head *head)
{
    if (head->chunked && (head->has_length || head->length_fault != NULL || head->minor == 0))
        return false; /* two readers of it may differ on where it ends */
    return !head->close && (head->minor > 0 || head->keep);
}

/* ---- the head ---- */

static void body_begins(struct answer *answer)
{
    const struct answer_head *head = &answer->head;
    if (answer->status == 204 || answer->status == 304) {
        whole(answer, kept_alive(head));
    } else if (head->chunked) {
        answer->part = PART_SIZE;
    } else if (head->coded) {
        answer->part = PART_TO_END;
    } else if (head->length_fault != NULL) {
        answer->status = 0; /* without an end it is none */
        bad(answer, head->length_fault);
    } else if (!head->has_length) {
        answer->part = PART_TO_END;
    } else {
        answer->part = PART_COUNTED;
        answer->left = head->length;
        if (head->length == 0)
            whole(answer, kept_alive(head));
    }
}

static void head_came(struct answer *answer)
{
    struct answer_head *head = &answer->head;
    if (head->status == 101) {
        bad(answer, "the answer switches to another protocol");
        return;
    }
    if (head->status < 200) {
        if (++answer->interim > ANSWER_INTERIM_MAX)
            bad(answer, "more than 16 interim (1xx) answers");
        else
            answer_head_start(head);
        return;
    }
    answer->status = head->status;
    answer->head_whole = true;
    body_begins(answer);
}

static size_t take_head(struct answer *answer, const char *at, size_t len)
{
    size_t used;
    switch (answer_head_feed(&answer->head, at, len, &used)) {
    case HEAD_WHOLE:
        head_came(answer);
        break;
    case HEAD_BAD:
        bad(answer, answer->head.fault);
        break;
    case HEAD_MORE:
        break;
    }
    return used;
}

/* ---- the body ---- */

static void keep(struct answer *answer, const char *at, size_t len)
{
    size_t most = answer->keep != 0 ? answer->keep : ANSWER_BODY_MAX;
    if (answer->body.len < most) {
        size_t room = most - answer->body.len;
        buf_add(&answer->body, at, len < room ? len : room);
    }
    answer->body_bytes += len;
    if (answer->body_bytes > ANSWER_READ_MAX)
        whole(answer, false);
}

static size_t take_counted(struct answer *answer, const char *at, size_t len)
{
    size_t mine = answer->left < len ? (size_t)answer->left : len;
    keep(answer, at, mine);
    answer->left -= mine;
    if (answer->left > 0 || answer->state != ANSWER_MORE)
        return mine;
    if (answer->part == PART_CHUNK)
        answer->part = PART_CHUNK_END;
    else
        whole(answer, kept_alive(&answer->head));
    return mine;
}

static size_t take_to_end(struct answer *answer, const char *at, size_t len)
{
    keep(answer, at, len);
    return len;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Its digits; what follows them on the line is an extension. */
static size_t take_size(struct answer *answer, const char *at, size_t len)
{
    size_t i = 0;
    int digit;
    while (i < len && (digit = hex_digit(at[i])) != -1) {
        if (answer->left > CHUNK_MAX) {
            bad(answer, "a chunk's size is past all numbers");
            return len;
        }
        answer->left = answer->left * 16 + (uint64_t)digit;
        answer->size_seen = true;
        i++;
    }
    if (i == len)
        return len;
    if (!answer->size_seen || strchr(" \t;\r\n", at[i]) == NULL || at[i] == '\0')
        bad(answer, "a chunk of the answer has no size");
    answer->part = PART_EXTENSION;
    return i;
}

static size_t take_extension(struct answer *answer, const char *at, size_t len)
{
    const char *lf = memchr(at, '\n', len);
    if (lf == NULL)
        return len;
    answer->size_seen = answer->line_used = false;
    answer->part = answer->left > 0 ? PART_CHUNK : PART_TRAILERS;
    return (size_t)(lf - at) + 1;
}

static size_t take_chunk_end(struct answer *answer, const char *at, size_t len)
{
    size_t i = 0;
    if (at[0] == '\r' && !answer->line_used) {
        answer->line_used = true;
        if (++i == len)
            return i;
    }
    answer->line_used = false;
    if (at[i] != '\n')
        bad(answer, "a chunk of the answer is longer than its size");
    answer->part = PART_SIZE;
    return i + 1;
}

/* Not kept; they end with an empty line. */
static size_t take_trailers(struct answer *answer, const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] == '\n' && !answer->line_used) {
            whole(answer, kept_alive(&answer->head));
            return i + 1;
        }
        if (at[i] != '\r')
            answer->line_used = at[i] != '\n';
    }
    return len;
}

static size_t (*const takes[])(struct answer *answer, const char *at, size_t len) = {
    [PART_HEAD] = take_head,           [PART_COUNTED] = take_counted,
    [PART_TO_END] = take_to_end,       [PART_SIZE] = take_size,
    [PART_EXTENSION] = take_extension, [PART_CHUNK] = take_counted,
    [PART_CHUNK_END] = take_chunk_end, [PART_TRAILERS] = take_trailers,
};

enum answer_state answer_feed(struct answer *answer, const char *bytes, size_t len)
{
    if (len == 0)
        return answer->state;
    answer->begun = true;
    size_t used = 0;
    while (used < len && answer->state == ANSWER_MORE)
        used += takes[answer->part](answer, bytes + used, len - used);
    if (used < len)
        answer->reusable = false;
    answer->raw_bytes += len;
    if (answer->state == ANSWER_MORE && answer->status != 0 && answer->raw_bytes > RAW_BYTES_MAX)
        whole(answer, false);
    return answer->state;
}

enum answer_state answer_end(struct answer *answer)
{
    if (answer->state != ANSWER_MORE)
        return answer->state;
    answer->reusable = false;
    return answer->state = answer->part == PART_TO_END ? ANSWER_WHOLE : ANSWER_SHORT;
}

const char *answer_fault(const struct answer *answer)
{
    return answer->fault != NULL ? answer->fault : "";
}

void answer_free(struct answer *answer)
{
    answer_head_free(&answer->head);
    buf_free(&answer->body);
}
