/* The reader of answers: each text cut at every place must give the same answer. */
#include "courier/answer.h"

#include "courier/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct expected {
    const char *text;
    enum answer_state fed, ended; /* after all bytes; after the receiver's close */
    int status;
    bool reusable;
    const char *headers, *body;
};

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct expected texts[] = {
    { "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok", ANSWER_WHOLE, ANSWER_WHOLE, 200,
      true, "A: b\nContent-Length: 2\n", "ok" },
    { "HTTP/1.1 200 OK\nContent-Length:2\n\nok", ANSWER_WHOLE, ANSWER_WHOLE, 200, true,
      "Content-Length: 2\n", "ok" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay", ANSWER_WHOLE, ANSWER_WHOLE, 200, false,
      "Content-Length: 2\n", "ok" },
    { "HTTP/1.1 204 No\r\nX:\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE, 204, true, "X: \n", "" },
    { "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE, 204, true,
      "Content-Length: 3\n", "" },
    { "HTTP/1.1 204 No\r\n\r\nbody", ANSWER_WHOLE, ANSWER_WHOLE, 204, false, "", "" },
    { "HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE, 304,
      true, "Transfer-Encoding: chunked\n", "" },
    { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE,
      ANSWER_WHOLE, 200, false, "Connection: close\nContent-Length: 0\n", "" },
    { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", ANSWER_WHOLE,
      ANSWER_WHOLE, 200, true, "Connection: keep-alive\nContent-Length: 1\n", "x" },
    { "HTTP/1.1 200 OK\r\nDate: now\r\n\r\nto the end", ANSWER_MORE, ANSWER_WHOLE, 200, false,
      "Date: now\n", "to the end" },
    { CHUNKED "1\r\na\r\n2;e=f\r\nbc\r\n0\r\nRetry-After: 9\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE,
      200, true, "Transfer-Encoding: chunked\n", "abc" },
    { CHUNKED "1\r\na\r\n0\r\n", ANSWER_MORE, ANSWER_SHORT, 200, false,
      "Transfer-Encoding: chunked\n", "a" },
    { "HTTP/1.1 100 Continue\r\nY: z\r\n\r\nHTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n",
      ANSWER_WHOLE, ANSWER_WHOLE, 201, true, "Content-Length: 0\n", "" },
    { "HTTP/1.1 100 Continue\r\n\r\n", ANSWER_MORE, ANSWER_SHORT, 0, false, "", "" },
    { "HTTP/1.1 200 OK\r\nA: one\r\n two\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE,
      200, true, NULL, "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", ANSWER_MORE, ANSWER_SHORT, 200, false,
      "Content-Length: 9\n", "short" },
    { "", ANSWER_MORE, ANSWER_SHORT, 0, false, "", "" },
    { "nonsense", ANSWER_BAD, ANSWER_BAD, 0, false, NULL, "" },
    { "HTTP/2.0 200 OK\r\n\r\n", ANSWER_BAD, ANSWER_BAD, 0, false, NULL, "" },
    { "HTTP/1.1 99 Odd\r\n\r\n", ANSWER_BAD, ANSWER_BAD, 0, false, NULL, "" },
    { "HTTP/1.1 101 Up\r\nUpgrade: h\r\nConnection: upgrade\r\n\r\n", ANSWER_BAD, ANSWER_BAD, 0,
      false, NULL, "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", ANSWER_BAD, ANSWER_BAD,
      0, false, NULL, "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", ANSWER_BAD, ANSWER_BAD,
      0, false, NULL, "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", ANSWER_BAD, ANSWER_BAD, 0, false, NULL, "" },
    { CHUNKED "fffffffffffffffff\r\n", ANSWER_BAD, ANSWER_BAD, 200, false, NULL, "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx", ANSWER_BAD, ANSWER_BAD, 0, false, NULL,
      "" },
    { "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nx", ANSWER_BAD, ANSWER_BAD, 0, false, NULL, "" },
    { CHUNKED "\r\n0\r\n\r\n", ANSWER_BAD, ANSWER_BAD, 200, false, NULL, "" },
    { CHUNKED "2\r\nabc\r\n0\r\n\r\n", ANSWER_BAD, ANSWER_BAD, 200, false, NULL, "ab" },

    /* R5: read as it was meant, since the status is clear and the end is. */
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", ANSWER_WHOLE,
      ANSWER_WHOLE, 200, true, "Content-Length: 2\nContent-Length: 2\n", "ok" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\ncontent-length:02\r\n\r\nok", ANSWER_WHOLE,
      ANSWER_WHOLE, 200, true, "Content-Length: 2, 2\ncontent-length: 02\n", "ok" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n"
      "1\r\nx\r\n0\r\n\r\n",
      ANSWER_WHOLE, ANSWER_WHOLE, 200, false, NULL, "x" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: x\r\n\r\n"
      "1\r\nx\r\n0\r\n\r\n",
      ANSWER_WHOLE, ANSWER_WHOLE, 200, false, NULL, "x" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      ANSWER_WHOLE, ANSWER_WHOLE, 200, true, NULL, "x" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "1\r\nx\r\n0\r\n\r\n",
      ANSWER_WHOLE, ANSWER_WHOLE, 200, true, NULL, "x" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n gzip,\r\n\tchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      ANSWER_WHOLE, ANSWER_WHOLE, 200, true, "Transfer-Encoding: gzip, chunked\n", "x" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", ANSWER_WHOLE,
      ANSWER_WHOLE, 200, true, NULL, "x" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nxyz", ANSWER_MORE,
      ANSWER_WHOLE, 200, false, NULL, "xyz" },
    { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
      "1\r\nx\r\n0\r\n\r\n",
      ANSWER_WHOLE, ANSWER_WHOLE, 200, false, NULL, "x" },
    { "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE, 200, true, NULL,
      "" },
    { "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE, 200, true, NULL,
      "" },
    { "http/1.1  201   Made\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE, 201, true,
      NULL, "" },
    { "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE, 200, false, NULL,
      "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n", ANSWER_WHOLE,
      ANSWER_WHOLE, 200, false, NULL, "" },
    { "\r\n\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE, 200, true,
      "Content-Length: 0\n", "" },
    { "HTTP/1.1 200 OK\nA: b\nTransfer-Encoding: chunked\n\n1 ;x\nx\n0\nT: u\n\n", ANSWER_WHOLE,
      ANSWER_WHOLE, 200, true, "A: b\nTransfer-Encoding: chunked\n", "x" },
    { "HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length : 1\r\n: x\r\n\r\ny", ANSWER_WHOLE,
      ANSWER_WHOLE, 200, true, "no colon here\nContent-Length: 1\n: x\n", "y" },
    { "HTTP/1.1 200 OK\r\nBad\x01Name: x\r\nContent-Length: 0\r\n\r\n", ANSWER_WHOLE, ANSWER_WHOLE,
      200, true, NULL, "" },
    { "HTTP/1.1 100 Go\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      ANSWER_WHOLE, ANSWER_WHOLE, 200, true, "Content-Length: 0\n", "" },
    { "HTTP/1.1 204 No\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", ANSWER_WHOLE,
      ANSWER_WHOLE, 204, true, NULL, "" },
    { "HTTP/1.1 2000 OK\r\n\r\n", ANSWER_BAD, ANSWER_BAD, 0, false, NULL, "" },
    { "HTTP/1.1 OK\r\n\r\n", ANSWER_BAD, ANSWER_BAD, 0, false, NULL, "" },
    { "HTTP/1.1200 OK\r\n\r\n", ANSWER_BAD, ANSWER_BAD, 0, false, NULL, "" },
    { "HTTP\r\n", ANSWER_BAD, ANSWER_BAD, 0, false, NULL, "" },
};

/* A piece on the heap, so that reading past it is seen. */
static void feed(struct answer *answer, const char *text, size_t len)
{
    char *piece = malloc(len > 0 ? len : 1);
    assert_non_null(piece);
    memcpy(piece, text, len);
    answer_feed(answer, piece, len);
    free(piece);
}

static void expect(const struct expected *expected, struct answer *answer, const char *how)
{
    if (answer->state != expected->fed || answer->status != expected->status ||
        answer->reusable != expected->reusable)
        fail_msg("%s: %s\nexpected state %d, status %d, reusable %d; got %d, %d, %d (%s)",
                 expected->text, how, expected->fed, expected->status, expected->reusable,
                 answer->state, answer->status, answer->reusable, answer_fault(answer));
    assert_string_equal(buf_text(&answer->body), expected->body);
    if (expected->headers != NULL)
        assert_string_equal(buf_text(&answer->head.headers), expected->headers);
    assert_int_equal(answer_end(answer), expected->ended);
    if (expected->ended == ANSWER_BAD)
        assert_true(answer_fault(answer)[0] != '\0');
}

static void test_an_answer_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    struct answer answer = { 0 };
    char how[60];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = texts[i].text;
        size_t len = strlen(text);
        for (size_t cut = 0; cut <= len; cut++) {
            answer_start(&answer);
            feed(&answer, text, cut);
            feed(&answer, text + cut, len - cut);
            snprintf(how, sizeof(how), "cut at %zu", cut);
            expect(&texts[i], &answer, how);
        }
        answer_start(&answer);
        for (size_t at = 0; at < len; at++)
            feed(&answer, text + at, 1);
        expect(&texts[i], &answer, "byte by byte");
    }
    answer_free(&answer);
}

static void fill(struct answer *answer, const char *piece, size_t most)
{
    for (size_t i = 0; i < most && answer->state == ANSWER_MORE; i++)
        answer_feed(answer, piece, strlen(piece));
}

/* R5: 8 KiB of a head are kept, 64 KiB are read, and what they say is heeded. */
static void test_headers_have_their_cap(void **state)
{
    (void)state;
    static const char *const pieces[] = { "X-Name: value\r\n", "a", "X-Long: ", "\r\n" };
    struct answer answer = { 0 };
    for (size_t i = 0; i < 3; i++) {
        answer_start(&answer);
        feed(&answer, "HTTP/1.1 200 OK\r\n", 17);
        fill(&answer, pieces[i], 60000 / strlen(pieces[i]));
        assert_int_equal(answer.state, ANSWER_MORE);
        if (i > 0)
            feed(&answer, "\r\n", 2);
        feed(&answer, "Retry-After: 7\r\nContent-Length: 2\r\n\r\nok", 39);
        assert_int_equal(answer.state, ANSWER_WHOLE);
        assert_int_equal(answer.head.headers.len, ANSWER_HEADERS_MAX);
        assert_string_equal(answer.head.retry_after, "7");
        assert_string_equal(answer.body.data, "ok");
        assert_true(answer.reusable);
        answer_start(&answer);
        feed(&answer, "HTTP/1.1 200 OK\r\n", 17);
        fill(&answer, pieces[i], 200000);
        assert_int_equal(answer.state, ANSWER_BAD);
        assert_string_equal(answer_fault(&answer), "the answer's headers are over 64 KiB");
        assert_true(answer.head.headers.len <= ANSWER_HEADERS_MAX);
        assert_true(answer.head.line.len <= ANSWER_HEADERS_MAX);
    }
    answer_start(&answer);
    feed(&answer, "HTTP/1.1 200 ", 13);
    fill(&answer, "because", 60000 / 7); /* a long reason */
    feed(&answer, "\r\nContent-Length: 0\r\n\r\n", 23);
    assert_int_equal(answer.state, ANSWER_WHOLE);
    assert_int_equal(answer.status, 200);
    answer_start(&answer);
    feed(&answer, "HTTP/1.1 200 ", 13);
    fill(&answer, "because", 200000);
    assert_int_equal(answer.state, ANSWER_BAD);
    answer_start(&answer);
    fill(&answer, pieces[3], 200000); /* blank lines before an answer */
    assert_int_equal(answer.state, ANSWER_BAD);
    answer_start(&answer);
    feed(&answer, "HTTP/1.1 200 OK\r\nA: b\0c\r\n", 25);
    assert_int_equal(answer.state, ANSWER_BAD);
    answer_free(&answer);
}

/* R8: what is no HTTP/1.x is told by what it is, however its bytes come. */
static void test_other_protocols_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *words;
    } cases[] = {
        { "\0\0\x12\4\0\0\0\0\0\0\3\0\0\0", 14, "HTTP/2 only" },
        { "\0\0\0\4\0\0\0\0\0", 9, "HTTP/2 only" },
        { "\0\0\10\7\0\0\0\0\0\0\0\0\0\0\0\0\1", 17, "HTTP/2 only" },
        { "HTTP/2.0 200 OK\r\n\r\n", 19, "HTTP/2, not HTTP/1.x" },
        { "HTTP/2 200\r\n\r\n", 14, "HTTP/2, not HTTP/1.x" },
        { "\x15\3\1\0\2\2\x46", 7, "speaks TLS" },
        { "\x15\3\3\0\2\2\x0a", 7, "speaks TLS" },
        { "SSH-2.0-OpenSSH_9.2\r\n", 21, "speaks SSH" },
        { "220 mail.example ESMTP\r\n", 24, "speaks SMTP" },
        { "* OK IMAP4rev1\r\n", 16, "speaks IMAP" },
        { "+OK POP3\r\n", 10, "speaks POP3" },
        { "<html>", 6, "no status line" },
        { "RFB 003.008\n", 12, "not HTTP/1.x" },
        { "\0\0\x12\4\0\0\0\0\1", 9, "not HTTP/1.x" }, /* a frame, but no first one */
        { "22\r\n", 4, "not HTTP/1.x" },
    };
    struct answer answer = { 0 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t step = 1; step <= cases[i].len; step += cases[i].len - 1) {
            answer_start(&answer);
            for (size_t at = 0; at + step <= cases[i].len; at += step)
                feed(&answer, cases[i].bytes + at, step);
            if (answer.state != ANSWER_BAD || strstr(answer_fault(&answer), cases[i].words) == NULL)
                fail_msg("case %zu by %zu: expected “%s”, got “%s”", i, step, cases[i].words,
                         answer_fault(&answer));
        }
    answer_free(&answer);
}

static void test_bodies_have_their_caps(void **state)
{
    (void)state;
    static const struct {
        const char *head, *piece;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\n\r\n", "0123456789abcdef" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "0123456789abcdef" },
        { CHUNKED, "10\r\n0123456789abcdef\r\n" },
        { CHUNKED, "1;extension=that-is-longer-than-what-it-extends\r\n0\r\n" },
    };
    struct answer answer = { 0 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        answer_start(&answer);
        feed(&answer, cases[i].head, strlen(cases[i].head));
        fill(&answer, cases[i].piece, 1000000);
        assert_int_equal(answer.state, ANSWER_WHOLE);
        assert_int_equal(answer.status, 200);
        assert_false(answer.reusable);
        assert_int_equal(answer.body.len, ANSWER_BODY_MAX);
        assert_true(answer.body_bytes <= ANSWER_READ_MAX + 16);
    }
    answer_free(&answer);
}

static void test_interim_answers_have_their_cap(void **state)
{
    (void)state;
    struct answer answer = { 0 };
    answer_start(&answer);
    for (int i = 0; i < ANSWER_INTERIM_MAX; i++)
        fill(&answer, "HTTP/1.1 103 Early\r\nA: b\r\n\r\n", 1);
    assert_int_equal(answer.state, ANSWER_MORE);
    fill(&answer, "HTTP/1.1 103 Early\r\nA: b\r\n\r\n", 1);
    assert_int_equal(answer.state, ANSWER_BAD);
    answer_free(&answer);
}

static void test_retry_after_is_taken_from_the_final_header_block(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
    } cases[] = {
        { "HTTP/1.1 429 S\r\nretry-after:  120 \r\nContent-Length: 0\r\n\r\n", "120" },
        { "HTTP/1.1 103 E\r\nRetry-After: 5\r\n\r\n"
          "HTTP/1.1 429 S\r\nContent-Length: 0\r\n\r\n",
          "" },
        { "HTTP/1.1 429 S\r\nX-Retry-After: 5\r\nContent-Length: 0\r\n\r\n", "" },
        { "HTTP/1.1 503 S\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n"
          "Content-Length: 0\r\n\r\n",
          "Wed, 21 Oct 2026 07:28:00 GMT" },
    };
    struct answer answer = { 0 };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        answer_start(&answer);
        feed(&answer, cases[i].text, strlen(cases[i].text));
        assert_int_equal(answer.state, ANSWER_WHOLE);
        assert_int_equal(strncmp(answer.head.retry_after, cases[i].value, strlen(cases[i].value)),
                         0);
        if (cases[i].value[0] == '\0')
            assert_string_equal(answer.head.retry_after, "");
    }
    answer_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_is_the_same_however_it_is_cut),
        cmocka_unit_test(test_headers_have_their_cap),
        cmocka_unit_test(test_other_protocols_are_named),
        cmocka_unit_test(test_bodies_have_their_caps),
        cmocka_unit_test(test_interim_answers_have_their_cap),
        cmocka_unit_test(test_retry_after_is_taken_from_the_final_header_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
