/* The Cookie header: hostile, malformed, and full of other programs' cookies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/cookie.h"

static void expect(const char *header, const char *wanted)
{
    char out[16];
    bool found = cookie_read(header, "id", out, sizeof(out));
    if (found != (wanted != NULL) || strcmp(out, wanted != NULL ? wanted : "") != 0)
        fail_msg("\"%s\": expected %s, got %s \"%s\"", header, wanted != NULL ? wanted : "none",
                 found ? "one" : "none", out);
}

static void test_it_is_found_among_others(void **state)
{
    (void)state;
    expect("id=abc", "abc");
    expect("a=1; id=abc; b=2", "abc");
    expect("a=1;id=abc;b=2", "abc");
    expect("a=1;\t id=abc \t;b", "abc");
    expect("id=a=b=", "a=b=");
    expect(";;; ;id=abc;;", "abc");
}

static void test_what_only_looks_like_it_is_not_it(void **state)
{
    (void)state;
    static const char *const none[] = { "",       "id",      "id;",      "=abc",     "ID=abc",
                                        "xid=ab", "id =abc", "idx=abc",  "a=id=abc", "id=",
                                        "id= ",   "id =",    "a=\"id=b", "i d=abc",  "i" };
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        expect(none[i], NULL);
}

static void test_a_value_has_only_bytes_that_it_may(void **state)
{
    (void)state;
    static const char *const none[] = { "id=\"abc\"", "id=a b",   "id=a,b",      "id=a\\b",
                                        "id=\x01",    "id=a\x7f", "id=\xc3\xa9", "id=a\tb",
                                        "id= abc",    "id=a\nb" };
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        expect(none[i], NULL);
    expect("other=\xff\x01\"; id=abc", "abc"); /* not ours to judge */
}

static void test_it_fits_or_is_none(void **state)
{
    (void)state;
    expect("id=123456789012345", "123456789012345");
    expect("id=1234567890123456", NULL);
}

static void test_two_that_differ_are_none(void **state)
{
    (void)state;
    expect("id=abc; id=abd", NULL);
    expect("id=abc; id=", NULL);
    expect("id=abc; a=1; id=abcd", NULL);
    expect("id=abc; id=abc", "abc");
}

static void test_many_cookies_are_read_through(void **state)
{
    (void)state;
    char header[8192];
    size_t len = 0;
    for (int i = 0; len < sizeof(header) - 100; i++)
        len += (size_t)snprintf(header + len, sizeof(header) - len, "c%d=%d; ", i, i);
    snprintf(header + len, sizeof(header) - len, "id=last");
    expect(header, "last");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_found_among_others),
        cmocka_unit_test(test_what_only_looks_like_it_is_not_it),
        cmocka_unit_test(test_a_value_has_only_bytes_that_it_may),
        cmocka_unit_test(test_it_fits_or_is_none),
        cmocka_unit_test(test_two_that_differ_are_none),
        cmocka_unit_test(test_many_cookies_are_read_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
