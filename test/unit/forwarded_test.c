/* Forwarded and X-Forwarded-For: who is behind the proxies, whatever a client wrote before them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/forwarded.h"

static struct cidr ranges[3];
static const struct proxies trusted = { ranges, 3 };

static int setup(void **state)
{
    (void)state;
    return cidr_parse("10.0.0.0/8", &ranges[0]) && cidr_parse("fd00::/8", &ranges[1]) &&
                   cidr_parse("192.0.2.1", &ranges[2])
               ? 0
               : -1;
}

static void expect(const struct forwarded *forwarded, const char *line, const char *wanted)
{
    struct address peer, client;
    char text[ADDRESS_TEXT];
    assert_true(address_parse("10.0.0.1", &peer));
    client = forwarded_client(forwarded, &trusted, &peer);
    address_format(text, &client);
    if (strcmp(text, wanted) != 0)
        fail_msg("%s: expected %s, got %s", line, wanted, text);
}

static void standard(const char *line, const char *wanted)
{
    struct forwarded forwarded = { 0 };
    forwarded_read(&forwarded, line);
    expect(&forwarded, line, wanted);
}

static void usual(const char *line, const char *wanted)
{
    struct forwarded forwarded = { 0 };
    forwarded_read_x(&forwarded, line);
    expect(&forwarded, line, wanted);
}

static void test_the_right_most_that_is_no_proxy(void **state)
{
    /* A5: what stands further left was written by anybody. */
    (void)state;
    standard("for=203.0.113.7", "203.0.113.7");
    standard("for=198.51.100.1, for=203.0.113.7, for=10.2.3.4", "203.0.113.7");
    standard("for=198.51.100.1,for=203.0.113.7;proto=https;by=10.0.0.1", "203.0.113.7");
    standard("for=10.1.1.1, for=10.2.2.2", "10.1.1.1");
    usual("203.0.113.7", "203.0.113.7");
    usual("198.51.100.1, 203.0.113.7, 10.2.3.4, 192.0.2.1", "203.0.113.7");
    usual("10.1.1.1,10.2.2.2", "10.1.1.1");
    usual("198.51.100.1, fd00::1, 10.0.0.9", "198.51.100.1");
    usual("", "10.0.0.1");
    usual(" , ,", "10.0.0.1");
    standard("", "10.0.0.1");
}

static void test_the_forms_of_a_node(void **state)
{
    /* A5: RFC 7239 §6, and what proxies write into X-Forwarded-For. */
    (void)state;
    standard("For=\"203.0.113.7:4711\"", "203.0.113.7");
    standard("FOR=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17");
    standard("for=\"[2001:DB8::0:17]\"", "2001:db8::17");
    standard("for=\"203.0.113.7:_hidden\"", "203.0.113.7");
    standard("for=\"203.0.113\\.7\"", "203.0.113.7");
    standard("for=\"[::ffff:203.0.113.7]\"", "203.0.113.7");
    standard("proto=https ; host=\"a,b;for=1.2.3.4\" ; for=203.0.113.7", "203.0.113.7");
    standard(";for=203.0.113.7;;", "203.0.113.7");
    usual("203.0.113.7:51000", "203.0.113.7");
    usual("2001:db8::17", "2001:db8::17");
    usual("[2001:db8::17]", "2001:db8::17");
    usual("[2001:db8::17]:443", "2001:db8::17");
    usual("\t203.0.113.7 \t,10.0.0.2", "203.0.113.7");
}

static void test_what_is_not_known_ends_the_way_back(void **state)
{
    /* A5: an unknown hop hides who called it: the proxy that named it stands for the client. */
    static const char *const nodes[] = {
        "unknown",
        "_hidden",
        "_",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "\"1.2.3.4:\"",
        "\"1.2.3.4:70000\"",
        "\"1.2.3.4:x\"",
        "\"2001:db8::1\"",
        "\"[1.2.3.4]\"",
        "\"[2001:db8::1\"",
        "\"[::1]x\"",
        "\"[::1]:\"",
        "\"[fe80::1%eth0]\"",
        "\"\"",
        "\"1.2.3.4 \"",
        "\" 1.2.3.4\"",
        "01.2.3.4",
        "\"1.2.3.4:-1\"",
    };
    static const char *const addresses[] = { "unknown",         "_x",          "1.2.3",
                                             "1.2.3.4:",        "1.2.3.4:x",   "[::1",
                                             "[::1]:99999",     "[1.2.3.4]",   "fe80::1%e",
                                             "1.2.3.4 5.6.7.8", "\"1.2.3.4\"", "::1]" };
    (void)state;
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        char line[200];
        snprintf(line, sizeof(line), "for=203.0.113.7, for=%s, for=10.9.9.9", nodes[i]);
        standard(line, "10.9.9.9");
    }
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        char line[200];
        snprintf(line, sizeof(line), "203.0.113.7, %s, 10.9.9.9", addresses[i]);
        usual(line, "10.9.9.9");
    }
    standard("for=203.0.113.7, proto=https", "10.0.0.1"); /* a hop that does not say */
}

static void test_a_line_that_is_not_by_the_grammar(void **state)
{
    /* A5: none of its hops is believed, and those of a line behind it are. */
    static const char *const bad[] = {
        "for=203.0.113.7, for=\"",
        "for=203.0.113.7, for",
        "for=203.0.113.7, for =1.2.3.4",
        "for=203.0.113.7, for= 1.2.3.4",
        "for=203.0.113.7 for=1.2.3.4",
        "for=203.0.113.7;for=1.2.3.4",
        "for=203.0.113.7, =1.2.3.4",
        "for=203.0.113.7, for=",
        "for=203.0.113.7, \"for\"=1.2.3.4",
        "for=203.0.113.7, for=\"\\",
        "for=203.0.113.7, for=\"1.2.3.4\"x",
        "203.0.113.7",
        "for=[2001:db8::1]",
        "for=1.2.3.4:80",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct forwarded forwarded = { 0 };
        forwarded_read(&forwarded, bad[i]);
        expect(&forwarded, bad[i], "10.0.0.1");
        forwarded_read(&forwarded, "for=198.51.100.9");
        expect(&forwarded, bad[i], "198.51.100.9");
    }
}

static void test_several_lines_are_one_list(void **state)
{
    (void)state;
    struct forwarded forwarded = { 0 };
    forwarded_read_x(&forwarded, "198.51.100.1");
    forwarded_read_x(&forwarded, "203.0.113.7, 10.4.4.4");
    forwarded_read_x(&forwarded, "10.5.5.5");
    expect(&forwarded, "three lines", "203.0.113.7");
}

static void test_only_the_last_hops_are_kept(void **state)
{
    (void)state;
    struct forwarded forwarded = { 0 };
    forwarded_read_x(&forwarded, "203.0.113.7");
    for (int i = 0; i < FORWARDED_HOPS_MOST - 1; i++)
        forwarded_read_x(&forwarded, "10.4.4.4");
    expect(&forwarded, "as many as are kept", "203.0.113.7");
    forwarded_read_x(&forwarded, "10.5.5.5");
    expect(&forwarded, "one more", "10.4.4.4");
    assert_int_equal(forwarded.count, FORWARDED_HOPS_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_right_most_that_is_no_proxy),
        cmocka_unit_test(test_the_forms_of_a_node),
        cmocka_unit_test(test_what_is_not_known_ends_the_way_back),
        cmocka_unit_test(test_a_line_that_is_not_by_the_grammar),
        cmocka_unit_test(test_several_lines_are_one_list),
        cmocka_unit_test(test_only_the_last_hops_are_kept),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
