/* The head of a request, read from pieces as they may come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/head.h"

#include <string.h>

static struct head head;

/* In pieces of so many bytes, up to its end; gives how many were taken. */
static size_t read_pieces(const char *bytes, size_t len, size_t piece, enum head_state *state)
{
    size_t at = 0, taken = 0;
    head_begin(&head);
    *state = HEAD_COMES;
    while (at < len && *state == HEAD_COMES) {
        *state = head_read(&head, bytes + at, piece < len - at ? piece : len - at, &taken);
        at += taken;
    }
    return at;
}

static enum head_state read_text(const char *text)
{
    enum head_state state;
    read_pieces(text, strlen(text), strlen(text), &state);
    return state;
}

static void test_a_head_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    static const char text[] = "PUT /a?b=%20c HTTP/1.1\r\nHost: x\r\nContent-Type:  a; b \t\r\n"
                               "Empty:\r\nContent-Length: 3\r\nAuthorization: one\r\n"
                               "authorization: two\r\nCookie: a=b\r\nExpect: 100-Continue\r\n\r\n"
                               "abc";
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        enum head_state end;
        size_t taken = read_pieces(text, sizeof(text) - 1, piece, &end);
        assert_int_equal(end, HEAD_WHOLE);
        assert_int_equal(taken, sizeof(text) - 4);
        assert_string_equal(head.method, "PUT");
        assert_string_equal(head.text, "/a?b=%20c");
        assert_int_equal(head.version, 11);
        assert_true(head.keep);
        assert_string_equal(head.content_type, "a; b");
        assert_string_equal(head.content_length, "3");
        assert_int_equal(head.authorizations, 2);
        assert_string_equal(head.authorization, "two");
        assert_string_equal(head_find(&head, "AUTHORIZATION"), "one");
        assert_string_equal(head.cookie, "a=b");
        assert_string_equal(head_find(&head, "empty"), "");
        assert_null(head_find(&head, "Emp"));
        assert_true(head.expects && head.expects_continue && !head.chunked);
        assert_false(head.bad_name || head.bad_host);
    }
}

static void test_it_ends_where_it_ends(void **state)
{
    (void)state;
    enum head_state end;
    static const char two[] = "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n";
    assert_int_equal(read_pieces(two, sizeof(two) - 1, 100, &end), 18);
    assert_int_equal(end, HEAD_WHOLE);
    assert_int_equal(head.version, 10);
    assert_false(head.keep);
    assert_int_equal(read_text("GET / HTTP/1.1\r\nA: b\r\n"), HEAD_COMES);
    assert_int_equal(read_text("GET / HTTP/1.1\r\nA: b\r\n\r"), HEAD_COMES);
    assert_int_equal(read_text("GET / HTTP/1.1\r\nA: b\r\n\rX"), HEAD_BAD);
}

static void test_what_is_bad_says_how_it_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        const char *method;
    } rows[] = {
        { "BREW / HTTP/1.1\r\n\r\n", 501, "" },
        { "HEAD / HTTP/1.x\r\n\r\n", 505, "HEAD" },
        { "HEAD / HTTP/1.1\r\na\r\n\r\n", 400, "HEAD" },
        { "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400, "GET" },
        { "GET / HTTP/1.1\r\nA: \x01\r\n\r\n", 400, "GET" },
        { "GET / HTTP/1.1\rA: b\r\n\r\n", 400, "GET" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(read_text(rows[i].text), HEAD_BAD);
        assert_int_equal(head.status, rows[i].status);
        assert_string_equal(head.method, rows[i].method);
        assert_non_null(head.why);
    }
}

/* A17: lines that another reader may take otherwise are refused with words, however they are cut.
 */
static void test_lines_that_are_not_clear(void **state)
{
    (void)state;
    static const char folded[] = "begins with a blank", lf[] = "ends with LF alone";
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "HEAD / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", folded },
        { "HEAD / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", folded },
        { "HEAD / HTTP/1.1\r\nA:\r\n c\r\n\r\n", folded },
        { "HEAD / HTTP/1.1\r\n A: b\r\n\r\n", folded },
        { "HEAD / HTTP/1.1\r\nA: b\r\n \r\n\r\n", folded },
        { "HEAD / HTTP/1.1\nA: b\r\n\r\n", lf },
        { "HEAD / HTTP/1.1\r\nA: b\nB: c\r\n\r\n", lf },
        { "HEAD / HTTP/1.1\r\nA: b\n c\r\n\r\n", lf },
        { "HEAD / HTTP/1.1\r\nA: b\r\n\n", lf },
        { "HEAD / HTTP/1.1\r\n\n", lf },
        { "HEAD  / HTTP/1.1\r\n\r\n", "two blanks" },
        { "HEAD /  HTTP/1.1\r\n\r\n", "two blanks" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].text);
        for (size_t piece = 1; piece <= len; piece++) {
            enum head_state end;
            read_pieces(rows[i].text, len, piece, &end);
            if (end != HEAD_BAD || head.status != 400 || strstr(head.why, rows[i].why) == NULL)
                fail_msg("%s in pieces of %zu: expected 400 \"%s\", got %d \"%s\"", rows[i].text,
                         piece, rows[i].why, head.status, end == HEAD_BAD ? head.why : "");
        }
    }
}

/* Heads of every size around the cap, in a few forms: none is written past its block. */
static void test_the_cap(void **state)
{
    (void)state;
    static char text[3 * HEAD_MOST];
    static const char *const forms[] = { "a: \r\n", "a: b\r\n", "a:b\tc\r\n", NULL };
    for (size_t form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
        for (size_t size = HEAD_MOST - 40; size < HEAD_MOST + 40; size++) {
            char *at = stpcpy(text, "GET /");
            if (forms[form] == NULL) { /* the target alone */
                memset(at, 'a', size - 1);
                at = stpcpy(at + size - 1, " HTTP/1.1\r\n");
            } else {
                at = stpcpy(at, " HTTP/1.1\r\n");
                for (size_t sum = 1; sum + 5 < size; sum += strlen(forms[form]) + 2)
                    at = stpcpy(at, forms[form]);
            }
            stpcpy(at, "\r\n");
            enum head_state end;
            read_pieces(text, strlen(text), 7, &end);
            assert_true(head.bytes <= HEAD_MOST && head.len <= sizeof(head.text));
            if (end == HEAD_BAD)
                assert_int_equal(head.status, forms[form] == NULL ? 414 : 431);
            if (forms[form] == NULL)
                assert_int_equal(end, size <= HEAD_MOST ? HEAD_WHOLE : HEAD_BAD);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_head_is_the_same_however_it_is_cut),
        cmocka_unit_test(test_it_ends_where_it_ends),
        cmocka_unit_test(test_what_is_bad_says_how_it_is_refused),
        cmocka_unit_test(test_lines_that_are_not_clear),
        cmocka_unit_test(test_the_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
