/* notification_test.c — settings as an account sends them: what is taken, what is refused, how. */
#include "model/notification.h"

#include "base/fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INQUIRIES "\"Category\":\"Action Inquiry Events\""
#define TO(url)   INQUIRIES ",\"Method\":\"POST\",\"Url\":\"" url "\""

static const char *problem_of(const struct problems *problems, const char *field)
{
    for (size_t i = 0; i < problems->count; i++) {
        if (strcmp(problems->items[i].field, field) == 0)
            return problems->items[i].message;
    }
    return NULL;
}

static void assert_no_problem(const struct problems *problems)
{
    if (problems->count > 0)
        fail_msg("expected no problem, got %s: %s", problems->items[0].field,
                 problems->items[0].message);
}

static void read_into(struct notification_settings *settings, const char *members,
                      struct problems *problems)
{
    struct buf text = { 0 };
    json_error_t error;
    buf_fmt(&text, "{%s}", members);
    json_t *from = json_loads(buf_text(&text), 0, &error);
    if (from == NULL)
        fail_msg("the test's own JSON is wrong: %s in {%s}", error.text, members);
    notification_settings_read(settings, from, problems);
    json_decref(from);
    buf_free(&text);
}

static struct notification *compile(const char *members, struct problems *problems)
{
    struct notification_settings settings = { 0 };
    read_into(&settings, members, problems);
    return notification_compile(&settings, problems);
}

static struct notification *compiled(const char *members)
{
    struct problems problems = { 0 };
    struct notification *notification = compile(members, &problems);
    assert_no_problem(&problems);
    assert_non_null(notification);
    return notification;
}

/* Refused, with a problem under the field that has the words in it. */
static void assert_refused(const char *members, const char *field, const char *words)
{
    struct problems problems = { 0 };
    struct notification *notification = compile(members, &problems);
    const char *message = problem_of(&problems, field);
    if (notification != NULL)
        fail_msg("expected {%s} to be refused", members);
    if (message == NULL)
        fail_msg("{%s}: expected a problem with %s, got %s: %s", members, field,
                 problems.items[0].field, problems.items[0].message);
    if (strstr(message, words) == NULL)
        fail_msg("{%s}: expected \"%s\" in \"%s\"", members, words, message);
    problems_free(&problems);
}

/* ---- settings ---- */

static void test_a_new_one_has_defaults(void **state)
{
    struct notification *notification = compiled(TO("https://r.example/p"));
    const struct notification_settings *settings = &notification->settings;
    (void)state;
    assert_string_equal(settings->name, "");
    assert_int_equal(settings->method, METHOD_POST);
    assert_int_equal(settings->format, BODY_JSON);
    assert_int_equal(settings->minimum_delay_s, 0);
    assert_int_equal(settings->maximum_requests, 0);
    assert_false(settings->accept_any_2xx);
    assert_int_equal(notification->state, NOTIFICATION_ACTIVE);
    assert_true(notification_wants(notification, catalog_type("action_inquiry.opened")));
    assert_true(notification_wants(notification, catalog_type("action_inquiry.resolved")));
    assert_true(notification_wants(notification, catalog_type("action_inquiry.closed")));
    assert_false(notification_wants(notification, catalog_type("action_inquiry.replied")));
    assert_false(notification_wants(notification, catalog_type("action.tracked")));
    notification_unref(notification);
}

static void test_a_form_and_json_say_the_same(void **state)
{
    static const char form[] = TO(
        "https://r.example/") ",\"MinimumDelay\":\"60\",\"MaximumRequests\":\"5\","
                              "\"AcceptAny2xx\":\"true\",\"Ordered\":\"0\",\"Name\":\"7\","
                              "\"EventTypes\":\" action_inquiry.closed , action_inquiry.opened,\","
                              "\"QueryPoints\":\"OrderId,EventId\"";
    static const char json[] =
        TO("https://r.example/") ",\"MinimumDelay\":60,\"MaximumRequests\":5,"
                                 "\"AcceptAny2xx\":true,\"Ordered\":false,\"Name\":7,"
                                 "\"EventTypes\":[\"action_inquiry.closed\",\"action_inquiry."
                                 "opened\"],"
                                 "\"QueryPoints\":[\"OrderId\",\"EventId\"]";
    struct notification *one = compiled(form), *two = compiled(json);
    (void)state;
    json_t *from_form = notification_settings_write(&one->settings);
    json_t *from_json = notification_settings_write(&two->settings);
    assert_true(json_equal(from_form, from_json));
    assert_string_equal(json_string_value(json_object_get(from_form, "MinimumDelay")), "60");
    assert_string_equal(json_string_value(json_object_get(from_form, "AcceptAny2xx")), "true");
    assert_int_equal(json_array_size(json_object_get(from_form, "EventTypes")), 2);
    json_decref(from_form);
    json_decref(from_json);
    notification_unref(one);
    notification_unref(two);
}

static void test_what_is_written_reads_back_the_same(void **state)
{
    struct notification *first = compiled(
        INQUIRIES ",\"Url\":\"http://[::1]:8080/p?x={OrderId}\",\"Method\":\"PUT\","
                  "\"BodyFormat\":\"XML\",\"BodyTemplate\":\"<o>{OrderId}</o>\",\"Name\":\"Größe\","
                  "\"QueryPoints\":[\"EventId\"],\"EventTypes\":[\"action_inquiry.replied\"],"
                  "\"MinimumDelay\":86400,\"MaximumRequests\":3,\"MaximumConcurrentRequests\":2,"
                  "\"SuccessResponse\":\"ok\",\"ErrorResponse\":\"no\",\"Ordered\":true");
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    (void)state;
    json_t *written = notification_settings_write(&first->settings);
    notification_settings_read(&settings, written, &problems);
    struct notification *second = notification_compile(&settings, &problems);
    assert_no_problem(&problems);
    json_t *again = notification_settings_write(&second->settings);
    assert_true(json_equal(written, again));
    json_decref(written);
    json_decref(again);
    notification_unref(first);
    notification_unref(second);
}

static void test_a_change_keeps_what_it_does_not_name(void **state)
{
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    (void)state;
    read_into(&settings,
              TO("https://r.example/a") ",\"Name\":\"n\",\"MinimumDelay\":5,\"Ordered\":true",
              &problems);
    read_into(&settings, "\"Url\":\"https://r.example/b\",\"MinimumDelay\":\"\"", &problems);
    assert_no_problem(&problems);
    assert_string_equal(settings.url, "https://r.example/b");
    assert_string_equal(settings.name, "n");
    assert_int_equal(settings.minimum_delay_s, 0); /* emptied: the default again */
    assert_true(settings.ordered);
    assert_int_equal(settings.type_count, 3);
    notification_settings_free(&settings);
}

static void test_an_answer_can_be_sent_back(void **state)
{
    struct notification *notification = compiled(TO(
        "https://r.example/") ",\"Id\":\"7\",\"Uri\":\"/x\",\"State\":\"HELD\",\"Revision\":\"2\","
                              "\"ModifiedDate\":\"\",\"HeldReason\":\"\",\"PostbacksUri\":\"/y\","
                              "\"CreationDate\":\"2026-11-23T18:40:17+00:00\","
                              "\"CustomHeaders\":[{\"Name\":\"X-Key\",\"Value\":\"(hidden)\"}],"
                              "\"SigningSecret\":\"(hidden)\"");
    (void)state;
    assert_int_equal(notification->state, NOTIFICATION_ACTIVE);
    assert_int_equal(notification->header_count, 0);
    notification_unref(notification);
}

static void test_every_wrong_member_is_named_at_once(void **state)
{
    static const char *const named[] = {
        "Method",
        "BodyFormat",
        "MinimumDelay",
        "MaximumRequests",
        "MaximumConcurrentRequests",
        "AcceptAny2xx",
        "Ordered",
        "Name",
        "SuccessResponse",
        "EventTypes",
        "QueryPoints",
        "Url",
        "Colour",
        "url",
        "CustomHeaders",
        "SigningSecret",
    };
    struct problems problems = { 0 };
    (void)state;
    struct notification *notification = compile(
        INQUIRIES ",\"Method\":\"PATCH\",\"BodyFormat\":\"YAML\",\"MinimumDelay\":86401,"
                  "\"MaximumRequests\":-1,\"MaximumConcurrentRequests\":\"many\","
                  "\"AcceptAny2xx\":\"maybe\",\"Ordered\":2,\"Name\":\"a\\nb\","
                  "\"SuccessResponse\":{},\"EventTypes\":[\"nope\"],\"QueryPoints\":[\"Nope\"],"
                  "\"Url\":\"ftp://x/\",\"Colour\":\"red\",\"url\":\"x\","
                  "\"CustomHeaders\":[{\"Name\":\"A\",\"Value\":\"b\"}],\"SigningSecret\":\"s\"",
        &problems);
    assert_null(notification);
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (problem_of(&problems, named[i]) == NULL)
            fail_msg("expected a problem with %s", named[i]);
    }
    assert_int_equal(problems.count, sizeof(named) / sizeof(named[0]));
    assert_non_null(strstr(problem_of(&problems, "CustomHeaders"), "operator"));
    assert_non_null(strstr(problem_of(&problems, "url"), "Url"));
    problems_free(&problems);
}

static void test_what_is_required_is_asked_for_once(void **state)
{
    struct problems problems = { 0 };
    (void)state;
    assert_null(compile("", &problems));
    assert_int_equal(problems.count, 3);
    assert_non_null(strstr(problem_of(&problems, "Url"), "is required"));
    assert_non_null(strstr(problem_of(&problems, "Category"), "is required"));
    assert_non_null(strstr(problem_of(&problems, "Method"), "is required"));
    problems_free(&problems);

    assert_null(compile("\"Category\":\"Nope\",\"Method\":\"GET\",\"Url\":5.5", &problems));
    assert_int_equal(problems.count, 2);
    assert_non_null(strstr(problem_of(&problems, "Category"), "Action Inquiry Events"));
    problems_free(&problems);
}

static void test_wrong_kinds_of_values(void **state)
{
    (void)state;
    assert_refused(TO("https://r.example/") ",\"MinimumDelay\":true", "MinimumDelay", "0 to 86400");
    assert_refused(TO("https://r.example/") ",\"MinimumDelay\":1.5", "MinimumDelay", "whole");
    assert_refused(TO("https://r.example/") ",\"EventTypes\":7", "EventTypes", "array");
    assert_refused(TO("https://r.example/") ",\"EventTypes\":[7]", "EventTypes", "not an event");
    assert_refused(TO("https://r.example/") ",\"QueryPoints\":{}", "QueryPoints", "commas");
    assert_refused(TO("https://r.example/") ",\"QueryPoints\":\"OrderId,orderid\"", "QueryPoints",
                   "\"orderid\"");
}

static void test_settings_that_are_no_object(void **state)
{
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    json_t *from = json_array();
    (void)state;
    notification_settings_read(&settings, from, &problems);
    assert_int_equal(problems.count, 1);
    assert_null(notification_compile(&settings, &problems));
    json_decref(from);
    problems_free(&problems);
}

static void test_event_types_belong_to_the_category(void **state)
{
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    (void)state;
    assert_refused(TO("https://r.example/") ",\"EventTypes\":\"action.tracked\"", "EventTypes",
                   "action.tracked; its event types are action_inquiry.opened");

    read_into(&settings, TO("https://r.example/"), &problems);
    read_into(&settings, "\"Category\":\"Action Lifecycle Events\"", &problems);
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problem_of(&problems, "EventTypes"), "action_inquiry.opened"));
    assert_non_null(strstr(problem_of(&problems, "EventTypes"), "action.reversed"));
    problems_free(&problems);

    read_into(&settings, "\"Category\":\"Action Lifecycle Events\",\"EventTypes\":[]", &problems);
    assert_no_problem(&problems);
    assert_true(settings.types[0] == catalog_type("action.tracked"));
    notification_settings_free(&settings);
}

static void test_a_long_wrong_name_is_cut_between_characters(void **state)
{
    struct buf members = { 0 };
    struct problems problems = { 0 };
    (void)state;
    buf_str(&members, TO("https://r.example/") ",\"EventTypes\":\"x");
    for (int i = 0; i < 200; i++)
        buf_str(&members, "é");
    buf_str(&members, "\"");
    assert_null(compile(buf_text(&members), &problems));
    json_t *shown = json_string(problem_of(&problems, "EventTypes")); /* NULL: not UTF-8 */
    assert_non_null(shown);
    json_decref(shown);
    problems_free(&problems);
    buf_free(&members);
}

static void test_a_body_template_needs_a_body(void **state)
{
    (void)state;
    assert_refused(INQUIRIES ",\"Method\":\"GET\",\"Url\":\"https://r.example/\","
                             "\"BodyTemplate\":\"x\"",
                   "BodyTemplate", "GET");
    assert_refused(TO("https://r.example/") ",\"BodyTemplate\":\"{\\\"a\\\":}\"", "BodyTemplate",
                   "");
    assert_refused(TO("https://r.example/") ",\"BodyFormat\":\"TEXT\",\"BodyTemplate\":\"{Nope}\"",
                   "BodyTemplate", "Nope");
}

/* ---- the URL ---- */

static void test_urls_are_taken_apart(void **state)
{
    static const struct {
        const char *url, *host;
        int port;
        bool https;
    } right[] = {
        { "https://example.com", "example.com", 443, true },
        { "HTTP://Example.COM/a", "example.com", 80, false },
        { "http://localhost:65535/", "localhost", 65535, false },
        { "https://example.com./a", "example.com", 443, true },
        { "https://a_b.xn--bcher-kva.example?x=1", "a_b.xn--bcher-kva.example", 443, true },
        { "http://192.0.2.1:1", "192.0.2.1", 1, false },
        { "http://[::1]/", "::1", 80, false },
        { "https://[2001:DB8::1]:8443/p", "2001:db8::1", 8443, true },
        { "https://1.example/{OrderId}?a={OrderId|default:#}&b=%20", "1.example", 443, true },
        { "https://example.com/?when={EventTime|date:%d %b}", "example.com", 443, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        struct buf members = { 0 };
        buf_fmt(&members, INQUIRIES ",\"Method\":\"GET\",\"Url\":\"%s\"", right[i].url);
        struct notification *notification = compiled(buf_text(&members));
        assert_string_equal(notification->to.host, right[i].host);
        assert_int_equal(notification->to.port, right[i].port);
        assert_int_equal(notification->to.https, right[i].https);
        notification_unref(notification);
        buf_free(&members);
    }
}

static void test_bad_urls_are_refused_with_the_place(void **state)
{
    static const struct {
        const char *url, *words;
    } wrong[] = {
        { "example.com/a", "https://" },
        { "ftp://example.com/", "https://" },
        { "javascript:alert(1)//://", "https://" },
        { "https:///a", "host is missing" },
        { "https://:80/", "host is missing" },
        { "https://user:secret@example.com/", "user:password" },
        { "https://example.com/a#b", "character 22" },
        { "https://example.com/a b", "%20" },
        { "https://example.com/a\\tb", "control" },
        { "https://example.com/\\u00e9", "percent-encoded" },
        { "https://example.com/a%2", "%25" },
        { "https://example.com/100%", "%25" },
        { "https://b\\u00fccher.example/", "xn--" },
        { "https://exa mple.com/", "letters" },
        { "https://example..com/", "empty part" },
        { "https://.example.com/", "empty part" },
        { "https://-a.example/", "'-'" },
        { "https://a-.example/", "'-'" },
        { "https://256.1.1.1/", "0 to 255" },
        { "https://127.1/", "0 to 255" },
        { "https://2130706433/", "0 to 255" },
        { "https://0x7f000001/", "0 to 255" },
        { "https://1.2.3.0x4/", "0 to 255" },
        { "https://[::1/", "[brackets]" },
        { "https://[::g]/", "IPv6" },
        { "https://[fe80::1%25eth0]/", "IPv6" },
        { "https://[::1]x/", "port" },
        { "https://::1/", "host is missing" },
        { "https://example.com:0/", "65535" },
        { "https://example.com:65536/", "65535" },
        { "https://example.com:/", "65535" },
        { "https://example.com:+80/", "65535" },
        { "https://example.com:8o/", "65535" },
        { "https://example.com\\\\@evil.example/", "user:password" },
        { "{OrderId}://example.com/", "character 1: tokens" },
        { "https://{OrderId}.example/", "character 9: tokens" },
        { "https://example.com:{OrderId}/", "tokens" },
        { "https://example.com/{Nope}", "Nope" },
        { "https://example.com/{OrderId", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct buf members = { 0 };
        buf_fmt(&members, INQUIRIES ",\"Method\":\"GET\",\"Url\":\"%s\"", wrong[i].url);
        assert_refused(buf_text(&members), "Url", wrong[i].words);
        buf_free(&members);
    }
}

static void test_long_names_in_urls(void **state)
{
    struct buf members = { 0 };
    (void)state;
    buf_str(&members, INQUIRIES ",\"Method\":\"GET\",\"Url\":\"https://");
    size_t start = members.len;
    for (int i = 0; i < 64; i++)
        buf_char(&members, 'a');
    buf_str(&members, ".example\"");
    assert_refused(buf_text(&members), "Url", "63");

    members.len = start;
    for (int i = 0; i < 130; i++)
        buf_str(&members, "a.");
    buf_str(&members, "example\"");
    assert_refused(buf_text(&members), "Url", "253");

    members.len = start;
    buf_str(&members, "a.example/");
    for (int i = 0; i < NOTIFICATION_URL_MAX; i++)
        buf_char(&members, 'a');
    buf_str(&members, "\"");
    assert_refused(buf_text(&members), "Url", "at most 2000");
    buf_free(&members);
}

/* ---- custom headers ---- */

static bool read_headers(struct notification *notification, const char *text,
                         struct problems *problems)
{
    json_t *from = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(from);
    bool right = notification_headers_read(notification, from, problems);
    json_decref(from);
    return right;
}

static void test_custom_headers_are_set_by_the_operator(void **state)
{
    struct notification *notification = compiled(TO("https://r.example/"));
    struct problems problems = { 0 };
    (void)state;
    assert_true(read_headers(notification,
                             "[{\"Name\":\"Authorization\",\"Value\":\" Bearer abc \"},"
                             "{\"Name\":\"X-Key\",\"Value\":\"k\\ty\"}]",
                             &problems));
    assert_int_equal(notification->header_count, 2);
    assert_string_equal(notification->headers[0].value, "Bearer abc");

    /* Sent back as it was shown, one value new. */
    assert_true(read_headers(notification,
                             "[{\"Name\":\"x-key\",\"Value\":\"new\"},"
                             "{\"Name\":\"Authorization\",\"Value\":\"(hidden)\"}]",
                             &problems));
    assert_int_equal(notification->header_count, 2);
    assert_string_equal(notification->headers[0].value, "new");
    assert_string_equal(notification->headers[1].value, "Bearer abc");
    assert_true(read_headers(notification, "[]", &problems));
    assert_int_equal(notification->header_count, 0);
    notification_unref(notification);
}

static void test_bad_custom_headers_change_nothing(void **state)
{
    static const char *const wrong[] = {
        "{}",
        "\"X: y\"",
        "[7]",
        "[{\"Name\":\"X\",\"Value\":\"a\\r\\nHost: b\"}]",
        "[{\"Name\":\"X\",\"Value\":\"a\\u0000b\"}]",
        "[{\"Name\":\"X\",\"Value\":\"\\u00e9\"}]",
        "[{\"Name\":\"X\",\"Value\":7}]",
        "[{\"Name\":\"X\"}]",
        "[{\"Name\":\"X\",\"Value\":\"(hidden)\"}]",
        "[{\"Name\":\"X Y\",\"Value\":\"a\"}]",
        "[{\"Name\":\"X:\",\"Value\":\"a\"}]",
        "[{\"Name\":\"\",\"Value\":\"a\"}]",
        "[{\"Value\":\"a\"}]",
        "[{\"Name\":\"X\",\"Value\":\"a\",\"Colour\":\"red\"}]",
        "[{\"Name\":\"X\",\"Value\":\"a\"},{\"Name\":\"x\",\"Value\":\"b\"}]",
        "[{\"Name\":\"Host\",\"Value\":\"a\"}]",
        "[{\"Name\":\"content-length\",\"Value\":\"1\"}]",
        "[{\"Name\":\"Transfer-Encoding\",\"Value\":\"chunked\"}]",
        "[{\"Name\":\"Connection\",\"Value\":\"close\"}]",
        "[{\"Name\":\"Webhook-Signature\",\"Value\":\"v1,x\"}]",
        "[{\"Name\":\"User-Agent\",\"Value\":\"x\"}]",
    };
    struct notification *notification = compiled(TO("https://r.example/"));
    struct problems problems = { 0 };
    (void)state;
    assert_true(
        read_headers(notification, "[{\"Name\":\"X-Key\",\"Value\":\"s3cret\"}]", &problems));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        json_t *from = json_loads(wrong[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        if (notification_headers_read(notification, from, &problems))
            fail_msg("expected %s to be refused", wrong[i]);
        if (problems.count == 0)
            fail_msg("expected a problem with %s", wrong[i]);
        problems_free(&problems);
        json_decref(from);
    }
    assert_int_equal(notification->header_count, 1);
    assert_string_equal(notification->headers[0].value, "s3cret");
    notification_unref(notification);
}

static void test_twenty_custom_headers_are_the_most(void **state)
{
    struct notification *notification = compiled(TO("https://r.example/"));
    struct problems problems = { 0 };
    json_t *headers = json_array();
    (void)state;
    for (int i = 0; i < NOTIFICATION_HEADERS_MAX; i++)
        json_array_append_new(
            headers, json_pack("{s:o,s:s}", "Name", json_sprintf("X-%d", i), "Value", "v"));
    assert_true(notification_headers_read(notification, headers, &problems));
    assert_int_equal(notification->header_count, 20);
    json_array_append_new(headers, json_pack("{s:s,s:s}", "Name", "X-20", "Value", "v"));
    assert_false(notification_headers_read(notification, headers, &problems));
    assert_int_equal(notification->header_count, 20);
    json_decref(headers);
    problems_free(&problems);
    notification_unref(notification);
}

/* ---- where they may go ---- */

static void test_credentials_belong_to_an_authority(void **state)
{
    /* A9: spellings of one scheme, host and port are the same; anything else is another. */
    static const struct {
        const char *set, *now;
        bool wait;
    } cases[] = {
        { "https://r.example/", "https://R.Example/other?a={EventId}", false },
        { "https://r.example/", "HTTPS://r.example.:443/", false },
        { "http://r.example/", "http://r.example:80", false },
        { "https://[2001:db8::1]/", "https://[2001:DB8:0:0::0:1]:443/", false },
        { "https://r.example/", "http://r.example/", true },
        { "https://r.example/", "http://r.example:443/", true },
        { "https://r.example/", "https://r.example:8443/", true },
        { "https://r.example/", "https://www.r.example/", true },
        { "https://r.example/", "https://r.example.evil.example/", true },
        { "https://[2001:db8::1]/", "https://[2001:db8::2]/", true },
        { "https://[::ffff:192.0.2.1]/", "https://192.0.2.1/", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char members[200];
        snprintf(members, sizeof(members), TO("%s"), cases[i].now);
        struct notification *now = compiled(members);
        snprintf(members, sizeof(members), TO("%s"), cases[i].set);
        struct notification *set = compiled(members);
        struct problems problems = { 0 };
        json_t *headers = json_pack("[{s:s, s:s}]", "Name", "X-Api-Key", "Value", "k");
        assert_true(notification_headers_read(set, headers, &problems));
        assert_false(notification_headers_wait(set));
        notification_credentials_move(now, set);
        if (notification_headers_wait(now) != cases[i].wait)
            fail_msg("set for %s, sent to %s: expected it %s", cases[i].set, cases[i].now,
                     cases[i].wait ? "to wait" : "to be sent");
        json_decref(headers);
        notification_unref(set);
        notification_unref(now);
    }
}

/* ---- references ---- */

static void test_the_last_reference_frees(void **state)
{
    struct notification *notification = compiled(TO("https://r.example/"));
    (void)state;
    assert_ptr_equal(notification_ref(notification), notification);
    notification_unref(notification);
    assert_string_equal(notification->settings.url, "https://r.example/");
    notification_unref(notification);
    notification_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_one_has_defaults),
        cmocka_unit_test(test_a_form_and_json_say_the_same),
        cmocka_unit_test(test_what_is_written_reads_back_the_same),
        cmocka_unit_test(test_a_change_keeps_what_it_does_not_name),
        cmocka_unit_test(test_an_answer_can_be_sent_back),
        cmocka_unit_test(test_every_wrong_member_is_named_at_once),
        cmocka_unit_test(test_what_is_required_is_asked_for_once),
        cmocka_unit_test(test_wrong_kinds_of_values),
        cmocka_unit_test(test_settings_that_are_no_object),
        cmocka_unit_test(test_event_types_belong_to_the_category),
        cmocka_unit_test(test_a_long_wrong_name_is_cut_between_characters),
        cmocka_unit_test(test_a_body_template_needs_a_body),
        cmocka_unit_test(test_urls_are_taken_apart),
        cmocka_unit_test(test_bad_urls_are_refused_with_the_place),
        cmocka_unit_test(test_long_names_in_urls),
        cmocka_unit_test(test_custom_headers_are_set_by_the_operator),
        cmocka_unit_test(test_bad_custom_headers_change_nothing),
        cmocka_unit_test(test_twenty_custom_headers_are_the_most),
        cmocka_unit_test(test_credentials_belong_to_an_authority),
        cmocka_unit_test(test_the_last_reference_frees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
