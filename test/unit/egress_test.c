/* Which addresses may be called: the special ranges edge by edge, and --allow-egress. */
#include "courier/client.h"
#include "courier/egress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

union any {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static union any address_of(const char *text)
{
    union any address;
    memset(&address, 0, sizeof(address));
    if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1)
        address.v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1)
        address.v6.sin6_family = AF_INET6;
    else
        fail_msg("the test's own address is wrong: %s", text);
    return address;
}

static bool allows(struct egress *egress, const char *text)
{
    union any address = address_of(text);
    return egress_allows(egress, &address.any);
}

static void expect(struct egress *egress, const char *const *addresses, bool allowed)
{
    for (; *addresses != NULL; addresses++)
        if (allows(egress, *addresses) != allowed)
            fail_msg("%s: expected %s, got %s", *addresses, allowed ? "allowed" : "refused",
                     allowed ? "refused" : "allowed");
}

static struct egress *egress_with(const char *const *cidrs, size_t count)
{
    struct error error = { 0 };
    struct egress *egress = egress_new(cidrs, count, &error);
    if (egress == NULL)
        fail_msg("refused: %s", error.message);
    return egress;
}

static void test_special_ranges_are_refused_to_their_edges(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "0.0.0.0",      "0.255.255.255",
        "10.0.0.0",     "10.255.255.255",
        "100.64.0.0",   "100.127.255.255",
        "127.0.0.1",    "127.255.255.255",
        "169.254.0.0",  "169.254.169.254",
        "172.16.0.0",   "172.31.255.255",
        "192.0.0.0",    "192.0.0.255",
        "192.0.2.1",    "192.88.99.1",
        "192.168.0.0",  "192.168.255.255",
        "198.18.0.0",   "198.19.255.255",
        "198.51.100.7", "203.0.113.7",
        "224.0.0.1",    "239.255.255.255",
        "240.0.0.1",    "255.255.255.255",
        "::",           "::1",
        "::2",          "::7f00:1",
        "100::1",       "64:ff9b:1::1",
        "2001::1",      "2001:1ff::1",
        "2001:db8::1",  "3fff:fff::1",
        "5f00::1",      "fc00::1",
        "fdff:ffff::1", "fe80::1",
        "febf::1",      "fec0::1",
        "ff02::1",      "4000::1",
        "1fff::1",      NULL,
    };
    static const char *const public[] = {
        "1.0.0.0",         "9.255.255.255",   "11.0.0.0",     "100.63.255.255",
        "100.128.0.0",     "126.255.255.255", "128.0.0.0",    "169.253.255.255",
        "169.255.0.0",     "172.15.255.255",  "172.32.0.0",   "192.0.1.0",
        "192.0.3.0",       "192.88.98.255",   "192.88.100.0", "192.167.255.255",
        "192.169.0.0",     "198.17.255.255",  "198.20.0.0",   "223.255.255.255",
        "93.184.216.34",   "2001:200::1",     "2001:db7::1",  "2001:db9::1",
        "2606:4700::1111", "2a00:1450::1",    "3ffe:ffff::1", NULL,
    };
    struct egress *egress = egress_with(NULL, 0);
    expect(egress, refused, false);
    expect(egress, public, true);
    egress_free(egress);
}

/* R2: the addresses by which clouds talk to their own machines, in every spelling. */
static void test_platform_addresses_of_clouds_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "168.63.129.16", /* Azure */
        "::ffff:168.63.129.16",
        "::168.63.129.16",
        "::ffff:0:168.63.129.16",
        "64:ff9b::168.63.129.16",
        "64:ff9b::a83f:8110",
        "64:ff9b:1::168.63.129.16",
        "64:ff9b:1:a83f:81:1000::",
        "2002:a83f:8110::",
        "2002:a83f:8110:1:2:3:4:5",
        "2001:0:a83f:8110::1",           /* Teredo, its server */
        "2001::57c0:7eef",               /* Teredo, its client (each bit the other way) */
        "2a00:1450::5efe:168.63.129.16", /* ISATAP, with and without the universal bit */
        "2a00:1450::200:5efe:168.63.129.16",
        "2a00:1450::5efe:10.0.0.1",
        "100.100.100.200", /* Alibaba */
        "::ffff:100.100.100.200",
        "192.0.0.192",     /* Oracle */
        "169.254.169.254", /* Amazon, Google, Azure and most others */
        "169.254.170.2",
        "169.254.0.23",
        "fd00:ec2::254", /* Amazon */
        "fd20:ce::254",  /* Google */
        "fd00:42::42",   /* Scaleway */
        "199.36.153.4",  /* Google's API, from inside */
        "199.36.153.11",
        "::ffff:199.36.153.8",
        "2600:2d00:2:1000::1",
        "2600:2d00:2:2000::",
        NULL,
    };
    static const char *const neighbours[] = {
        "168.63.129.15",
        "168.63.129.17",
        "64:ff9b::168.63.129.17",
        "199.36.153.3",
        "199.36.153.12",
        "2600:2d00:2:3000::1",
        "2a00:1450::5efe:93.184.216.34",
        "2a00:1450::100:5efe:a83f:8110", /* no interface of ISATAP's */
        NULL,
    };
    struct egress *egress = egress_with(NULL, 0);
    expect(egress, refused, false);
    expect(egress, neighbours, true);
    egress_free(egress);
    const char *private = "10.0.0.0/8"; /* opens no link by the back door */
    egress = egress_with(&private, 1);
    expect(egress, (const char *const[]){ "fe80::5efe:10.0.0.1", "::10.0.0.1", NULL }, false);
    egress_free(egress);
    const char *azure = "168.63.129.16";
    egress = egress_with(&azure, 1); /* who wants it, says so */
    expect(egress, (const char *const[]){ azure, "::ffff:168.63.129.16", NULL }, true);
    egress_free(egress);
    union any address = address_of(azure);
    assert_string_equal(egress_kind(&address.any), "an address of a cloud's own platform");
}

static void test_ipv4_inside_ipv6_is_judged_by_itself(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "64:ff9b::169.254.169.254",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        NULL,
    };
    static const char *const public[] = {
        "::ffff:93.184.216.34",
        "64:ff9b::93.184.216.34",
        "2002:5db8:d822::1",
        NULL,
    };
    struct egress *egress = egress_with(NULL, 0);
    expect(egress, refused, false);
    expect(egress, public, true);
    egress_free(egress);
}

static void test_allowed_ranges_open_just_themselves(void **state)
{
    (void)state;
    static const char *const cidrs[] = { "10.1.0.0/16", "127.0.0.1", "fd00:1::/32" };
    static const char *const allowed[] = {
        "10.1.0.0",          "10.1.255.255", "::ffff:10.1.2.3", "127.0.0.1", "fd00:1:ffff::1",
        "64:ff9b::10.1.2.3", NULL,
    };
    static const char *const refused[] = {
        "10.0.255.255", "10.2.0.0", "127.0.0.2", "fd00:2::1", "::1", "2002:a02::1", NULL,
    };
    struct egress *egress = egress_with(cidrs, 3);
    expect(egress, allowed, true);
    expect(egress, refused, false);
    egress_free(egress);
}

static void test_all_of_a_family_can_be_allowed(void **state)
{
    (void)state;
    static const char *const four[] = { "0.0.0.0/0" };
    static const char *const six[] = { "::/0" };
    struct egress *egress = egress_with(four, 1);
    assert_true(allows(egress, "127.0.0.1"));
    assert_true(allows(egress, "::ffff:127.0.0.1"));
    assert_false(allows(egress, "::1"));
    egress_free(egress);
    egress = egress_with(six, 1);
    assert_true(allows(egress, "::1"));
    assert_false(allows(egress, "127.0.0.1"));
    assert_false(allows(egress, "::ffff:127.0.0.1"));
    egress_free(egress);
}

static void test_a_bad_range_is_named(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          "10.0.0.0/33", "fd00::/129",  "10.0.0/8",     "localhost",
        "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/8/8", "999.0.0.1/8",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *const cidrs[] = { "10.0.0.0/8", bad[i] };
        struct error error = { 0 };
        struct egress *egress = egress_new(cidrs, 2, &error);
        if (egress != NULL)
            fail_msg("“%s” was taken for an address range", bad[i]);
        assert_int_equal(error.kind, ERROR_INVALID);
        if (strstr(error.message, bad[i]) == NULL)
            fail_msg("expected “%s” in: %s", bad[i], error.message);
    }
}

static void test_more_ranges_than_the_cap_are_refused(void **state)
{
    (void)state;
    const char *cidrs[CLIENT_EGRESS_MAX + 1];
    struct error error = { 0 };
    for (size_t i = 0; i < CLIENT_EGRESS_MAX + 1; i++)
        cidrs[i] = "10.0.0.0/8";
    assert_null(egress_new(cidrs, CLIENT_EGRESS_MAX + 1, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    egress_free(egress_with(cidrs, CLIENT_EGRESS_MAX));
}

static void test_what_is_not_an_internet_address_is_refused(void **state)
{
    (void)state;
    static const char *const all[] = { "0.0.0.0/0", "::/0" };
    struct sockaddr local = { .sa_family = AF_UNIX };
    struct egress *egress = egress_with(all, 2);
    assert_false(egress_allows(egress, &local));
    egress_free(egress);
}

static void test_the_kind_says_what_an_address_is(void **state)
{
    (void)state;
    union any loopback = address_of("127.0.0.1"), metadata = address_of("169.254.169.254"),
              mapped = address_of("::ffff:10.0.0.1"), public = address_of("93.184.216.34");
    assert_string_equal(egress_kind(&loopback.any), "a loopback address");
    assert_string_equal(egress_kind(&metadata.any), "a link-local address");
    assert_string_equal(egress_kind(&mapped.any), "a private address");
    assert_null(egress_kind(&public.any));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_special_ranges_are_refused_to_their_edges),
        cmocka_unit_test(test_platform_addresses_of_clouds_are_refused),
        cmocka_unit_test(test_ipv4_inside_ipv6_is_judged_by_itself),
        cmocka_unit_test(test_allowed_ranges_open_just_themselves),
        cmocka_unit_test(test_all_of_a_family_can_be_allowed),
        cmocka_unit_test(test_a_bad_range_is_named),
        cmocka_unit_test(test_more_ranges_than_the_cap_are_refused),
        cmocka_unit_test(test_what_is_not_an_internet_address_is_refused),
        cmocka_unit_test(test_the_kind_says_what_an_address_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
