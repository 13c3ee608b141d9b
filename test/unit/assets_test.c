/* What a browser says it takes and has, and the table of the pages' files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/assets.h"

static void test_gzip_goes_to_those_who_take_it(void **state)
{
    (void)state;
    static const char *const takes[] = { "gzip",          "GZIP",       "br, gzip", "gzip;q=0.1",
                                         "deflate,gzip ", "*",          "*;q=0.5",  "gzip ; q=1",
                                         "identity,*",    "*;q=0, gzip" };
    static const char *const not [] = { "",           "br",           "gzip;q=0",    "gzip;q=0.000",
                                        "xgzip",      "gzipx",        "*;q=0",       "*, gzip;q=0",
                                        "gzip; q=0,", "gzip;q=0, *",  "identity",    ",,;;",
                                        "zip",        "identity;q=1", "x-gzip;q=0.5" };
    assert_false(asset_takes_gzip(NULL));
    for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++)
        if (!asset_takes_gzip(takes[i]))
            fail_msg("\"%s\" takes gzip", takes[i]);
    for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
        if (asset_takes_gzip(not [i]))
            fail_msg("\"%s\" does not take gzip", not [i]);
}

static void test_an_etag_is_found_among_others(void **state)
{
    (void)state;
    static const char *const has[] = { "\"a1\"",         "W/\"a1\"", "\"b\", \"a1\"",
                                       "\"b\",W/\"a1\"", "*",        " \"a1\" " };
    static const char *const not [] = { "",       "\"a\"",    "\"a12\"", "a1",
                                        "\"A1\"", "w/\"a1\"", ",",       "W/" };
    assert_false(asset_has_tag(NULL, "\"a1\""));
    for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++)
        if (!asset_has_tag(has[i], "\"a1\""))
            fail_msg("%s has it", has[i]);
    for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
        if (asset_has_tag(not [i], "\"a1\""))
            fail_msg("%s has it not", not [i]);
}

static void test_each_file_is_found_by_its_path_and_nothing_else(void **state)
{
    (void)state;
    assert_true(asset_count > 3);
    for (size_t i = 0; i < asset_count; i++) {
        assert_ptr_equal(asset_find(assets[i].path), &assets[i]);
        assert_true(assets[i].packed_len > 2 && memcmp(assets[i].packed, "\x1f\x8b", 2) == 0);
    }
    assert_non_null(asset_find("/assets/index.html"));
    assert_null(asset_find(""));
    assert_null(asset_find("/assets/"));
    assert_null(asset_find("/assets/lib/../index.html"));
    assert_null(asset_find("assets/index.html"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gzip_goes_to_those_who_take_it),
        cmocka_unit_test(test_an_etag_is_found_among_others),
        cmocka_unit_test(test_each_file_is_found_by_its_path_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
