/* signature_test.c — Standard Webhooks signatures against the specification's own example. */
#include "model/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

static const char example_secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

static void test_the_published_example(void **state)
{
    static const char body[] = "{\"test\": 2432232314}";
    struct signing_secret secret;
    struct buf out = { 0 };
    (void)state;
    assert_true(secret_read(&secret, example_secret));
    assert_int_equal(secret.len, 24);
    signature_add(&out, &secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body));
    assert_string_equal(buf_text(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    buf_free(&out);
}

static void test_an_empty_body_is_signed_too(void **state)
{
    static const char text[] = "msg_1.5.";
    struct signing_secret secret;
    struct buf out = { 0 };
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state hmac;
    char wanted[64];
    (void)state;
    assert_true(secret_read(&secret, example_secret));
    crypto_auth_hmacsha256_init(&hmac, secret.bytes, secret.len);
    crypto_auth_hmacsha256_update(&hmac, (const unsigned char *)text, strlen(text));
    crypto_auth_hmacsha256_final(&hmac, mac);
    sodium_bin2base64(wanted, sizeof(wanted), mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
    signature_add(&out, &secret, "msg_1", 5, NULL, 0);
    assert_string_equal(buf_text(&out) + 3, wanted);
    buf_free(&out);
}

static void test_a_secret_is_read_as_written(void **state)
{
    (void)state;
    for (size_t len = 24; len <= 64; len++) {
        struct signing_secret secret = { .len = len }, read = { .len = 0 };
        struct buf text = { 0 };
        randombytes_buf(secret.bytes, len);
        secret_write(&text, &secret);
        assert_true(secret_read(&read, buf_text(&text)));
        assert_int_equal(read.len, len);
        assert_memory_equal(read.bytes, secret.bytes, len);
        buf_free(&text);
    }
}

static void test_wrong_secrets_are_refused_and_change_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",         /* no prefix */
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",   /* not that one */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaQ=",   /* 23 bytes */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-",   /* not base64 */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw==", /* padded too much */
        /* 72 bytes */
        ("whsec_"
         "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU"
         "PD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct signing_secret secret = { .bytes = "as before", .len = 9 };
        if (secret_read(&secret, wrong[i]))
            fail_msg("expected \"%s\" to be refused", wrong[i]);
        assert_int_equal(secret.len, 9);
        assert_string_equal((const char *)secret.bytes, "as before");
    }
}

static void test_a_made_secret_has_32_random_bytes(void **state)
{
    struct signing_secret one, two;
    (void)state;
    secret_random(&one);
    secret_random(&two);
    assert_int_equal(one.len, 32);
    assert_memory_not_equal(one.bytes, two.bytes, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_published_example),
        cmocka_unit_test(test_an_empty_body_is_signed_too),
        cmocka_unit_test(test_a_secret_is_read_as_written),
        cmocka_unit_test(test_wrong_secrets_are_refused_and_change_nothing),
        cmocka_unit_test(test_a_made_secret_has_32_random_bytes),
    };
    if (sodium_init() == -1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
