/* The egress proxy: its setting, what is asked of it, and what it may answer. */
#include "courier/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct proxy *proxy_of(const char *url)
{
    struct error error = { 0 };
    struct proxy *proxy = proxy_new(url, &error);
    if (proxy == NULL)
        fail_msg("%s: %s", url, error.message);
    return proxy;
}

static void test_settings_that_name_a_proxy(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *authorization;
        int port;
    } rows[] = {
        { "http://proxy.example:3128", "proxy.example", "", 3128 },
        { "http://10.0.0.1:8080/", "10.0.0.1", "", 8080 },
        { "http://[fd00::1]:3128", "fd00::1", "", 3128 },
        { "http://ann:s3cret@proxy.example:1", "proxy.example",
          "Proxy-Authorization: Basic YW5uOnMzY3JldA==\r\n", 1 },
        { "http://ann%40shop:a%3Ab%2F@proxy.example:1", "proxy.example",
          "Proxy-Authorization: Basic YW5uQHNob3A6YTpiLw==\r\n", 1 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct proxy *proxy = proxy_of(rows[i].url);
        assert_string_equal(proxy->host, rows[i].host);
        assert_int_equal(proxy->port, rows[i].port);
        assert_string_equal(buf_text(&proxy->authorization), rows[i].authorization);
        proxy_free(proxy);
    }
}

static void test_settings_that_do_not_are_refused_and_not_repeated(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "proxy.example:3128",
        "https://proxy.example:3128",
        "socks5://proxy.example:1080",
        "http://",
        "http://:3128",
        "http://proxy.example:0",
        "http://proxy.example:99999",
        "http://proxy.example:3128/path",
        "http://proxy.example:3128?q",
        "http://s3cret@proxy.example:3128",
        "http://ann:s3cret@",
        "http://ann:s3cret%zz@proxy.example:3128",
        "http://ann:s3cret@proxy example:3128",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error error = { 0 };
        struct proxy *proxy = proxy_new(rows[i], &error);
        if (proxy != NULL)
            fail_msg("“%s” was taken", rows[i]);
        assert_non_null(strstr(error.message, "http://HOST:PORT"));
        assert_null(strstr(error.message, "s3cret"));
    }
}

static void expect_request(const char *url, const char *host, int port, const char *expected)
{
    struct proxy *proxy = proxy_of(url);
    struct tunnel *tunnel = tunnel_new(proxy, host, port);
    assert_string_equal(buf_text(&tunnel->out), expected);
    tunnel_free(tunnel);
    proxy_free(proxy);
}

static void test_what_is_asked(void **state)
{
    (void)state;
    expect_request("http://p:1", "shop.example", 443,
                   "CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n");
    expect_request("http://p:1", "2001:db8::1", 80,
                   "CONNECT [2001:db8::1]:80 HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n");
    expect_request("http://a:b@p:1", "shop.example", 443,
                   "CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n"
                   "Proxy-Authorization: Basic YTpi\r\n\r\n");
}

/* The state after the whole answer, in pieces of `step`; then the close, unless it is known. */
static enum tunnel_state answered(struct tunnel *tunnel, const char *text, size_t len, size_t step)
{
    enum tunnel_state state = TUNNEL_MORE;
    for (size_t at = 0; state == TUNNEL_MORE && at < len; at += step)
        state = tunnel_feed(tunnel, text + at, len - at < step ? len - at : step);
    return state == TUNNEL_MORE ? tunnel_feed(tunnel, "", 0) : state;
}

static void expect_answer(const char *text, size_t len, const char *fault)
{
    static const size_t steps[] = { 1, 7, 100, 65536 };
    struct proxy *proxy = proxy_of("http://ann:s3cret@p:1");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct tunnel *tunnel = tunnel_new(proxy, "shop.example", 443);
        enum tunnel_state state = answered(tunnel, text, len, steps[i]);
        if (state != (fault == NULL ? TUNNEL_OPEN : TUNNEL_BAD))
            fail_msg("“%.40s” in pieces of %zu: state %d, %s", text, steps[i], (int)state,
                     tunnel->fault);
        if (fault != NULL && strstr(tunnel->fault, fault) == NULL)
            fail_msg("expected “%s”, got “%s”", fault, tunnel->fault);
        tunnel_free(tunnel);
    }
    proxy_free(proxy);
}

static void test_what_it_may_answer(void **state)
{
    (void)state;
    static const struct {
        const char *text, *fault; /* NULL: open */
    } rows[] = {
        { "HTTP/1.1 200 OK\r\n\r\n", NULL },
        { "HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", NULL },
        { "HTTP/1.1 204\r\n\r\n", NULL },
        { "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
          "the egress proxy refused: 403 Forbidden" },
        { "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
          "refused: 407 Proxy Authentication Required" },
        { "HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n", "refused: 302 Found" },
        { "HTTP/1.1 503 \x1b[31mred\x01\r\n\r\n", "refused: 503 [31mred" },
        { "HTTP/1.1 100 Continue\r\n\r\n", "refused: 100" },
        { "", "closed the connection without an answer" },
        { "HTTP/1.1 200 OK\r\n", "closed the connection without an answer" },
        { "HTTP/1.1 2OO OK\r\n\r\n", "did not answer with HTTP" },
        { "HTTP/1.1 2000 OK\r\n\r\n", "did not answer with HTTP" },
        { "HTTP/1.1\r\n\r\n", "did not answer with HTTP" },
        { "HTTP/2 200\r\n\r\n", "did not answer with HTTP" },
        { "SSH-2.0-OpenSSH\r\n", "did not answer with HTTP" },
        { "\x16\x03\x01", "did not answer with HTTP" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_answer(rows[i].text, strlen(rows[i].text), rows[i].fault);
}

static void test_it_may_not_say_more_before_the_receiver_is_asked(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    struct proxy *proxy = proxy_of("http://p:1");
    struct tunnel *tunnel = tunnel_new(proxy, "shop.example", 80);
    assert_int_equal(tunnel_feed(tunnel, text, sizeof(text) - 1), TUNNEL_BAD);
    assert_non_null(strstr(tunnel->fault, "said more"));
    tunnel_free(tunnel);
    proxy_free(proxy);
}

static void test_endless_headers_are_not_read_for_ever(void **state)
{
    (void)state;
    static char text[4 * PROXY_ANSWER_MAX];
    memset(text, 'x', sizeof(text));
    memcpy(text, "HTTP/1.1 200 OK\r\nX: ", 20);
    expect_answer(text, sizeof(text), "more than 8 KiB");
    expect_answer(text, PROXY_ANSWER_MAX, "more than 8 KiB");
    memcpy(text + PROXY_ANSWER_MAX - 4, "\r\n\r\n", 4);
    expect_answer(text, PROXY_ANSWER_MAX, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_that_name_a_proxy),
        cmocka_unit_test(test_settings_that_do_not_are_refused_and_not_repeated),
        cmocka_unit_test(test_what_is_asked),
        cmocka_unit_test(test_what_it_may_answer),
        cmocka_unit_test(test_it_may_not_say_more_before_the_receiver_is_asked),
        cmocka_unit_test(test_endless_headers_are_not_read_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
