/* account_test.c — SIDs, tokens and their names. */
#include "model/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

static void test_a_sid_tells_its_kind(void **state)
{
    static const struct {
        enum account_kind kind;
        const char *letters;
    } wanted[] = { { ACCOUNT_PARTNER, "PA" }, { ACCOUNT_BRAND, "BR" }, { ACCOUNT_OPERATOR, "OP" } };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char sid[SID_TEXT];
        account_sid_random(sid, wanted[i].kind);
        assert_memory_equal(sid, wanted[i].letters, 2);
        assert_int_equal(strlen(sid), 24);
        assert_int_equal(strspn(sid, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "abcdefghijklmnopqrstuvwxyz"),
                         24);
    }
}

static void test_sids_and_tokens_differ_each_time(void **state)
{
    char sid[2][SID_TEXT], token[2][TOKEN_TEXT];
    (void)state;
    for (int i = 0; i < 2; i++) {
        account_sid_random(sid[i], ACCOUNT_BRAND);
        token_random(token[i]);
    }
    assert_string_not_equal(sid[0], sid[1]);
    assert_string_not_equal(token[0], token[1]);
}

static void test_a_token_is_32_bytes_of_base64url(void **state)
{
    char token[TOKEN_TEXT];
    unsigned char bytes[64];
    size_t len = 0;
    (void)state;
    token_random(token);
    assert_memory_equal(token, "pbt_", 4);
    assert_int_equal(sodium_base642bin(bytes, sizeof(bytes), token + 4, strlen(token + 4), NULL,
                                       &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    assert_int_equal(len, 32);
}

static void test_a_hash_belongs_to_one_token(void **state)
{
    unsigned char first[TOKEN_HASH_BYTES], again[TOKEN_HASH_BYTES], other[TOKEN_HASH_BYTES];
    (void)state;
    token_hash(first, "pbt_one");
    token_hash(again, "pbt_one");
    token_hash(other, "pbt_onf");
    assert_memory_equal(first, again, TOKEN_HASH_BYTES);
    assert_memory_not_equal(first, other, TOKEN_HASH_BYTES);
}

static void test_names_are_read_as_written(void **state)
{
    enum account_kind kind;
    enum scope scope;
    (void)state;
    assert_string_equal(account_kind_name(ACCOUNT_PARTNER), "PARTNER");
    assert_true(account_kind_named("brand", &kind));
    assert_int_equal(kind, ACCOUNT_BRAND);
    assert_true(account_kind_named("OPERATOR", &kind));
    assert_int_equal(kind, ACCOUNT_OPERATOR);
    assert_false(account_kind_named("ADMIN", &kind));
    assert_string_equal(scope_name(SCOPE_EVENTS), "EVENTS");
    assert_true(scope_named("READ", &scope));
    assert_int_equal(scope, SCOPE_READ);
    assert_false(scope_named("", &scope));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sid_tells_its_kind),
        cmocka_unit_test(test_sids_and_tokens_differ_each_time),
        cmocka_unit_test(test_a_token_is_32_bytes_of_base64url),
        cmocka_unit_test(test_a_hash_belongs_to_one_token),
        cmocka_unit_test(test_names_are_read_as_written),
    };
    if (sodium_init() == -1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
