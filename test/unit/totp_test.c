/* totp_test.c — one-time passwords against the vectors of RFC 4226 and RFC 6238; recovery codes. */
#include "model/totp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char secret[] = "12345678901234567890"; /* the RFCs' own */

static void test_the_vectors_of_rfc_6238(void **state)
{
    static const struct {
        int64_t at_s;
        uint32_t code;
    } vectors[] = {
        { 59, 94287082 },         { 1111111109, 7081804 },  { 1111111111, 14050471 },
        { 1234567890, 89005924 }, { 2000000000, 69279037 }, { 20000000000, 65353130 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
        assert_int_equal(totp_number(secret, 20, vectors[i].at_s / 30, 8), vectors[i].code);
}

static void test_the_vectors_of_rfc_4226(void **state)
{
    static const uint32_t codes[] = { 755224, 287082, 359152, 969429, 338314,
                                      254676, 287922, 162583, 399871, 520489 };
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(totp_number(secret, 20, i, 6), codes[i]);
}

/* "081804" is the code of step 37037036. */
static void test_a_code_holds_for_its_step_and_one_on_either_side(void **state)
{
    const int64_t step = 37037036, begins = step * 30000;
    (void)state;
    assert_int_equal(totp_step_of(secret, "081804", begins, 0), step);
    assert_int_equal(totp_step_of(secret, "081804", begins - 30000, 0), step);
    assert_int_equal(totp_step_of(secret, "081804", begins + 59999, 0), step);
    assert_int_equal(totp_step_of(secret, "081804", begins - 30001, 0), 0);
    assert_int_equal(totp_step_of(secret, "081804", begins + 60000, 0), 0);
}

static void test_no_code_is_taken_twice_nor_one_before_it(void **state)
{
    const int64_t step = 37037036, begins = step * 30000;
    char earlier[16];
    (void)state;
    assert_int_equal(totp_step_of(secret, "081804", begins, step - 1), step);
    assert_int_equal(totp_step_of(secret, "081804", begins, step), 0);
    assert_int_equal(totp_step_of(secret, "081804", begins + 30000, step), 0);
    snprintf(earlier, sizeof(earlier), "%06u", totp_number(secret, 20, step - 1, 6));
    assert_int_equal(totp_step_of(secret, earlier, begins, 0), step - 1);
    assert_int_equal(totp_step_of(secret, earlier, begins, step), 0);
}

static void test_only_six_digits_are_a_code(void **state)
{
    static const char *const none[] = { "",
                                        "81804",
                                        "0818040",
                                        "08180a",
                                        "-81804",
                                        "+081804",
                                        "0x1f",
                                        "081804\n",
                                        "081,804",
                                        "٠٨١٨٠٤",
                                        "99999999999999999999" };
    (void)state;
    assert_int_equal(totp_step_of(secret, " 081 804 ", 37037036LL * 30000, 0), 37037036);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_int_equal(totp_step_of(secret, none[i], 37037036LL * 30000, 0), 0);
}

static void test_the_secret_and_its_address(void **state)
{
    char text[TOTP_SECRET_TEXT];
    struct buf uri = { 0 };
    (void)state;
    totp_secret_text(text, secret);
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    totp_uri(&uri, "Acme & Söhne", "ann@acme.example", secret);
    assert_string_equal(buf_text(&uri),
                        "otpauth://totp/Acme%20%26%20S%C3%B6hne:ann@acme.example"
                        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                        "&issuer=Acme%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30");
    buf_free(&uri);
}

static void test_a_recovery_code_is_read_as_people_write_it(void **state)
{
    char code[RECOVERY_CODE_TEXT], odd[64];
    unsigned char one[RECOVERY_HASH_BYTES], other[RECOVERY_HASH_BYTES];
    (void)state;
    recovery_code_random(code);
    assert_int_equal(strlen(code), 19);
    assert_true(recovery_code_hash(one, code));
    snprintf(odd, sizeof(odd), " %.4s%.4s %.9s ", code, code + 5, code + 10);
    for (char *at = odd; *at != '\0'; at++)
        *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
    assert_true(recovery_code_hash(other, odd));
    assert_memory_equal(one, other, sizeof(one));
    recovery_code_random(odd);
    assert_true(recovery_code_hash(other, odd));
    assert_memory_not_equal(one, other, sizeof(one));
    code[18] = '\0';
    assert_false(recovery_code_hash(one, code));
    assert_false(recovery_code_hash(one, ""));
    assert_false(recovery_code_hash(one, "abcd-efgh-ijkm-npq0"));
    assert_false(recovery_code_hash(one, "abcd-efgh-ijkm-npqr-s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vectors_of_rfc_6238),
        cmocka_unit_test(test_the_vectors_of_rfc_4226),
        cmocka_unit_test(test_a_code_holds_for_its_step_and_one_on_either_side),
        cmocka_unit_test(test_no_code_is_taken_twice_nor_one_before_it),
        cmocka_unit_test(test_only_six_digits_are_a_code),
        cmocka_unit_test(test_the_secret_and_its_address),
        cmocka_unit_test(test_a_recovery_code_is_read_as_people_write_it),
    };
    return cmocka_run_group_tests_name("totp", tests, NULL, NULL);
}
