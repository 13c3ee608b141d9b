/* Names that people read, and mail addresses: what is taken and what is refused when it is given.
 */
#include "model/name.h"

#include "model/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_names_of_all_scripts_are_right(void **state)
{
    static const char *const names[] = {
        "",
        "Ünder & Co",
        "O'Brien <x> \"y\" |z| $(a)",
        "株式会社 テスト",
        "مقهى القاهرة",
        "می\xe2\x80\x8cخواهم",  /* a joiner that Persian is written with */
        "👩\xe2\x80\x8d🔧 Tools", /* and one that emoji are made of */
        "❤\xef\xb8\x8f Shoes",
        "a\xc2\xa0"
        "b",
        "Ω\xcc\x81",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct problems problems = { 0 };
        if (!name_check(names[i], "Name", &problems))
            fail_msg("\"%s\": expected it to be taken, got: %s", names[i],
                     problems.items[0].message);
    }
}

static void test_what_is_not_seen_is_refused_by_its_number(void **state)
{
    /* A18: U+202E and its kind in names. */
    static const struct {
        const char *name, *word;
    } cases[] = {
        { "evil\xe2\x80\xae"
          "gpj.exe",
          "U+202E" },
        { "\xe2\x80\xaa"
          "a",
          "U+202A" },
        { "a\xe2\x81\xa6"
          "b",
          "U+2066" },
        { "a\xe2\x81\xa9", "U+2069" },
        { "a\xe2\x80\x8b"
          "b",
          "U+200B" },
        { "a\xe2\x80\x8f", "U+200F" },
        { "a\xe2\x80\xa8"
          "b",
          "U+2028" },
        { "a\xe2\x80\xa9"
          "b",
          "U+2029" },
        { "\xef\xbb\xbf"
          "a",
          "U+FEFF" },
        { "a\xef\xbf\xbf", "U+FFFF" },
        { "a\xef\xb7\x90", "U+FDD0" },
        { "a\xf0\x9f\xbf\xbe", "U+1FFFE" },
        { "a\xc2\x85", "U+0085" },
        { "a\nb", "U+000A" },
        { "a\x7f", "U+007F" },
        { "a\xe3\x85\xa4", "U+3164" },
        { "a\xf3\xa0\x80\x81", "U+E0001" },
        { "\xc2\xa0\xe3\x80\x80", "something that can be seen" },
        { "\xe2\x80\x8d", "something that can be seen" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct problems problems = { 0 };
        if (name_check(cases[i].name, "Name", &problems) ||
            strstr(problems.items[0].message, cases[i].word) == NULL)
            fail_msg("\"%s\": expected a refusal with %s, got: %s", cases[i].name, cases[i].word,
                     problems.count > 0 ? problems.items[0].message : "taken");
        problems_free(&problems);
    }
}

static void test_mail_addresses(void **state)
{
    /* A18: nothing that a mailer could take for an option, a file or a command. */
    static const char *const good[] = {
        "a@b.example",
        "first.last+tag@mail.example",
        "o'brien@example.com",
        "1x_y-z=@x-1.example",
        "root@localhost",
        "a@xn--bcher-kva.example",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789ab@b.example",
    };
    static const char *const bad[] = {
        "-oQ/tmp@x.example",
        "|/bin/sh@x.example",
        "/etc/passwd@x.example",
        ":include:/x@y.example",
        "a|b@x.example",
        "a;b@x.example",
        "a`b@x.example",
        "$a@x.example",
        "a&b@x.example",
        "a b@x.example",
        "a\tb@x.example",
        "a\nb@x.example",
        "\"a\"@x.example",
        "a\\b@x.example",
        ".a@x.example",
        "a.@x.example",
        "a..b@x.example",
        "+a@x.example",
        "_a@x.example",
        "a!b@x.example",
        "a%b@x.example",
        "a,b@x.example",
        "<a@x.example>",
        "(a)b@x.example",
        "a@-x.example",
        "a@x-.example",
        "a@x..example",
        "a@.example",
        "a@x.example.",
        "a@x_y.example",
        "a@192.0.2.1",
        "a@[192.0.2.1]",
        "a@x.example -oQ",
        "a@x y.example",
        "a@b@c.example",
        "@x.example",
        "a@",
        "a",
        "",
        "m\xc3\xbcller@b.example",
        "a@m\xc3\xbcller.example",
        "a\xe2\x80\xae@b.example",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789abc@b.example",
        "a@abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789abcd.example",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const char *fault = mail_address_fault(good[i]);
        if (fault != NULL)
            fail_msg("%s: expected it to be taken, got: %s", good[i], fault);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (mail_address_fault(bad[i]) == NULL)
            fail_msg("%s: expected a refusal", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_all_scripts_are_right),
        cmocka_unit_test(test_what_is_not_seen_is_refused_by_its_number),
        cmocka_unit_test(test_mail_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
