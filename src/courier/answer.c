/* answer.c — one answer of HTTP/1.x, on http_parser.
 *
 * http_parser calls back with pieces of names and values; a header's line is built in `headers`
 * from line_at on and looked at when it is whole.  After the last byte of the final answer the
 * parser is paused, so that what follows is seen as too much rather than as another answer.
 *
 * The rule: whatever comes, no more is kept than ANSWER_HEADERS_MAX and ANSWER_BODY_MAX, and no
 * more is read than a small multiple of ANSWER_READ_MAX.
 */
#include "courier/answer.h"

#include "courier/client.h"
#include "model/attempt.h"

#include <string.h>
#include <strings.h>

/* Chunks of one byte cost six: so much framing is borne with, no more. */
enum { RAW_BYTES_MAX = 8 * ANSWER_READ_MAX, HEADERS_FIRST = 384 };

static struct answer *answer_of(http_parser *parser)
{
    return parser->data;
}

static int fault(struct answer *answer, const char *words)
{
    if (answer->fault == NULL)
        answer->fault = words;
    return -1;
}

/* Counts bytes of a header block and of its status line. */
static bool head_has_room(struct answer *answer, size_t len)
{
    answer->head_bytes += len;
    return answer->head_bytes <= ANSWER_HEADERS_MAX;
}

static int head_too_long(struct answer *answer)
{
    return fault(answer, "the answer's headers are over 8 KiB");
}

static void line_end(struct answer *answer)
{
    static const char name[] = "retry-after";
    if (!answer->value_last)
        return;
    answer->value_last = false;
    const char *line = answer->headers.data + answer->line_at;
    const char *value = answer->headers.data + answer->value_at;
    size_t len = answer->headers.len - answer->value_at;
    if (answer->value_at - answer->line_at == sizeof(name) + 1 &&
        strncasecmp(line, name, sizeof(name) - 1) == 0 && len < sizeof(answer->retry_after))
        memcpy(answer->retry_after, value, len + 1);
    buf_char(&answer->headers, '\n');
    answer->line_at = answer->headers.len;
}

static int on_begin(http_parser *parser)
{
    struct answer *answer = answer_of(parser);
    answer->head_whole = answer->value_last = false;
    answer->head_bytes = answer->line_at = 0;
    answer->retry_after[0] = '\0';
    buf_reset(&answer->headers);
    return 0;
}

static int on_status(http_parser *parser, const char *at, size_t len)
{
    (void)at;
    struct answer *answer = answer_of(parser);
    return head_has_room(answer, len) ? 0 : head_too_long(answer);
}

static int on_field(http_parser *parser, const char *at, size_t len)
{
    struct answer *answer = answer_of(parser);
    if (answer->head_whole)
        return 0; /* trailers are not kept */
    line_end(answer);
    if (!head_has_room(answer, len))
        return head_too_long(answer);
    if (answer->headers.cap == 0)
        buf_room(&answer->headers, HEADERS_FIRST);
    buf_add(&answer->headers, at, len);
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
    struct answer *answer = answer_of(parser);
    if (answer->head_whole)
        return 0;
    if (!answer->value_last) {
        if (!head_has_room(answer, 3))
            return head_too_long(answer);
        buf_add(&answer->headers, ": ", 2);
        answer->value_at = answer->headers.len;
        answer->value_last = true;
    }
    if (!head_has_room(answer, len))
        return head_too_long(answer);
    buf_add(&answer->headers, at, len);
    return 0;
}

static int on_headers(http_parser *parser)
{
    struct answer *answer = answer_of(parser);
    line_end(answer);
    answer->head_whole = true;
    if (parser->http_major != 1)
        return fault(answer, "the answer is not HTTP/1.x");
    if (parser->status_code < 100)
        return fault(answer, "the answer's status is under 100");
    if (parser->status_code == 101)
        return fault(answer, "the answer switches to another protocol");
    if (parser->uses_transfer_encoding && (parser->flags & F_CONTENTLENGTH) != 0)
        return fault(answer, "the answer has both Content-Length and Transfer-Encoding");
    if (parser->status_code < 200)
        return 1; /* no body */
    answer->status = (int)parser->status_code;
    return parser->status_code == 204 || parser->status_code == 304 ? 1 : 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
    struct answer *answer = answer_of(parser);
    answer->body_bytes += len;
    size_t keep = answer->keep != 0 ? answer->keep : ANSWER_BODY_MAX;
    if (answer->body.len < keep) {
        size_t room = keep - answer->body.len;
        buf_add(&answer->body, at, len < room ? len : room);
    }
    if (answer->body_bytes > ANSWER_READ_MAX) {
        answer->state = ANSWER_WHOLE;
        return -1;
    }
    return 0;
}

static int on_complete(http_parser *parser)
{
    struct answer *answer = answer_of(parser);
    if (parser->status_code < 200) {
        if (++answer->interim > ANSWER_INTERIM_MAX)
            return fault(answer, "more than 16 interim (1xx) answers");
        return 0;
    }
    answer->state = ANSWER_WHOLE;
    answer->reusable = http_should_keep_alive(parser) != 0;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_status = on_status,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

void answer_start(struct answer *answer)
{
    struct buf headers = answer->headers, body = answer->body;
    buf_reset(&headers);
    buf_reset(&body);
    *answer = (struct answer){ .headers = headers, .body = body, .keep = answer->keep };
    http_parser_init(&answer->parser, HTTP_RESPONSE);
    answer->parser.data = answer;
}

static enum answer_state bad(struct answer *answer)
{
    fault(answer, http_errno_description(HTTP_PARSER_ERRNO(&answer->parser)));
    return answer->state = ANSWER_BAD;
}

enum answer_state answer_feed(struct answer *answer, const char *bytes, size_t len)
{
    if (len == 0)
        return answer->state;
    if (answer->state != ANSWER_MORE) {
        answer->reusable = false;
        return answer->state;
    }
    answer->begun = true;
    answer->parser.data = answer;
    size_t used = http_parser_execute(&answer->parser, &settings, bytes, len);
    if (answer->state == ANSWER_WHOLE) {
        if (used < len)
            answer->reusable = false;
        return ANSWER_WHOLE;
    }
    if (HTTP_PARSER_ERRNO(&answer->parser) != HPE_OK || answer->parser.upgrade)
        return bad(answer);
    answer->raw_bytes += len;
    if (answer->status != 0 && answer->raw_bytes > RAW_BYTES_MAX)
        answer->state = ANSWER_WHOLE;
    return answer->state;
}

enum answer_state answer_end(struct answer *answer)
{
    if (answer->state != ANSWER_MORE)
        return answer->state;
    answer->parser.data = answer;
    http_parser_execute(&answer->parser, &settings, NULL, 0);
    answer->reusable = false;
    if (answer->state == ANSWER_MORE)
        answer->state = ANSWER_SHORT;
    return answer->state;
}

const char *answer_fault(const struct answer *answer)
{
    return answer->fault != NULL ? answer->fault : "";
}

void answer_free(struct answer *answer)
{
    buf_free(&answer->headers);
    buf_free(&answer->body);
}
