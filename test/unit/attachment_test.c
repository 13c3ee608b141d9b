/* Attachments: a file is what its bytes say, and its name is nobody's path. */
#include "model/attachment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 1 × 1, of the size that stands at 16 and 20. */
static const unsigned char png[] = "\x89PNG\r\n\x1a\n"
                                   "\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0CRC."
                                   "\0\0\0\1IDATxCRC."
                                   "\0\0\0\0IENDCRC.";
static const unsigned char jpeg[] = "\xff\xd8\xff\xe0\0\4ab"
                                    "\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11\0"
                                    "\xff\xda\0\4abpicture\xff\xd9";
static const char pdf[] = "%PDF-1.7\n1 0 obj\nendobj\nstartxref\n9\n%%EOF\n";

static const char *flaw(const void *bytes, size_t len, enum attachment_kind *kind)
{
    return attachment_flaw(bytes, len, kind);
}

static void test_each_kind_is_known_by_its_bytes(void **state)
{
    enum attachment_kind kind;
    (void)state;
    assert_null(flaw(png, sizeof(png) - 1, &kind));
    assert_int_equal(kind, ATTACHMENT_PNG);
    assert_null(flaw(jpeg, sizeof(jpeg) - 1, &kind));
    assert_int_equal(kind, ATTACHMENT_JPEG);
    assert_null(flaw(pdf, sizeof(pdf) - 1, &kind));
    assert_int_equal(kind, ATTACHMENT_PDF);
    assert_string_equal(attachment_type(kind), "application/pdf");
}

static void test_what_is_cut_or_goes_on_is_refused(void **state)
{
    enum attachment_kind kind;
    unsigned char longer[sizeof(png) + 8] = { 0 };
    (void)state;
    for (size_t len = 0; len < sizeof(png) - 1; len++)
        assert_non_null(flaw(png, len, &kind));
    for (size_t len = 0; len < sizeof(jpeg) - 1; len++)
        assert_non_null(flaw(jpeg, len, &kind));
    for (size_t len = 0; len < 40; len++)
        assert_non_null(flaw(pdf, len, &kind));
    memcpy(longer, png, sizeof(png) - 1);
    memcpy(longer + sizeof(png) - 1, "<script>", 8);
    assert_non_null(flaw(longer, sizeof(png) - 1 + 8, &kind));
    assert_non_null(flaw("<html><body>hello</body></html>", 31, &kind));
    assert_non_null(flaw("\x89PNG\r\n\x1a\n<html>hello, hello</html>", 36, &kind));
    assert_non_null(flaw("", 0, &kind));
}

static void test_a_bomb_is_refused_by_the_size_that_it_declares(void **state)
{
    enum attachment_kind kind;
    unsigned char bomb[sizeof(png)], other[sizeof(jpeg)];
    (void)state;
    memcpy(bomb, png, sizeof(png));
    memcpy(bomb + 16, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    assert_non_null(strstr(flaw(bomb, sizeof(png) - 1, &kind), "pixels"));
    memcpy(bomb + 16, "\0\0\x3a\x98\0\0\x3a\x98", 8); /* 15,000 a side: within a side, not in all */
    assert_non_null(strstr(flaw(bomb, sizeof(png) - 1, &kind), "pixels"));
    memcpy(bomb + 16, "\0\0\0\0\0\0\0\1", 8);
    assert_non_null(flaw(bomb, sizeof(png) - 1, &kind));
    memcpy(bomb, png, sizeof(png));
    memcpy(bomb + 33, "\xff\xff\xff\xff", 4); /* a chunk longer than the file */
    assert_non_null(flaw(bomb, sizeof(png) - 1, &kind));
    memcpy(other, jpeg, sizeof(jpeg));
    memcpy(other + 13, "\xff\xff\xff\xff", 4);
    assert_non_null(strstr(flaw(other, sizeof(jpeg) - 1, &kind), "pixels"));
}

static void names(const char *given, enum attachment_kind kind, const char *wanted)
{
    struct buf name = { 0 };
    attachment_name(&name, given, kind);
    assert_string_equal(buf_text(&name), wanted);
    buf_free(&name);
}

static void test_a_name_is_nobodys_path(void **state)
{
    char longest[400] = "";
    struct buf name = { 0 };
    (void)state;
    names("receipt.png", ATTACHMENT_PNG, "receipt.png");
    names("Photo.JPEG", ATTACHMENT_JPEG, "Photo.JPEG");
    names("../../etc/passwd", ATTACHMENT_PDF, "passwd.pdf");
    names("C:\\users\\ann\\bill.pdf", ATTACHMENT_PDF, "bill.pdf");
    names("..", ATTACHMENT_PNG, "file.png");
    names("", ATTACHMENT_PNG, "file.png");
    names("/", ATTACHMENT_PNG, "file.png");
    names(".htaccess", ATTACHMENT_PNG, "htaccess.png");
    names("\"\x01. .htaccess", ATTACHMENT_PNG, "htaccess.png");
    names("page.html", ATTACHMENT_PNG, "page.html.png");
    names("a\r\nSet-Cookie: x\"b.png", ATTACHMENT_PNG, "aSet-Cookie xb.png");
    names("gnp.\xe2\x80\xae"
          "exe.png",
          ATTACHMENT_PNG, "gnp.exe.png");
    names("Größe 12.png", ATTACHMENT_PNG, "Größe 12.png");
    memset(longest, 'x', sizeof(longest) - 1);
    attachment_name(&name, longest, ATTACHMENT_PDF);
    assert_true(name.len <= ATTACHMENT_NAME_MAX);
    buf_free(&name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_is_known_by_its_bytes),
        cmocka_unit_test(test_what_is_cut_or_goes_on_is_refused),
        cmocka_unit_test(test_a_bomb_is_refused_by_the_size_that_it_declares),
        cmocka_unit_test(test_a_name_is_nobodys_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
