/* request_test.c — the request as a receiver gets it, and as the log shows it. */
#include "model/request.h"

#include "model/signature.h"
#include "model/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#define INQUIRIES   "\"Category\":\"Action Inquiry Events\""
#define AT_MS       INT64_C(1614265330123)
#define POSTBACK_ID INT64_C(914793674309632002)

static struct notification *compiled(const char *members)
{
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    struct buf text = { 0 };
    buf_fmt(&text, "{" INQUIRIES ",%s}", members);
    json_t *from = json_loads(buf_text(&text), 0, NULL);
    assert_non_null(from);
    notification_settings_read(&settings, from, &problems);
    struct notification *notification = notification_compile(&settings, &problems);
    if (notification == NULL)
        fail_msg("{%s}: %s: %s", members, problems.items[0].field, problems.items[0].message);
    notification->account_sid = strdup("PA123");
    json_decref(from);
    buf_free(&text);
    return notification;
}

static struct event *event_with(const char *data)
{
    struct event *event =
        event_new(1, catalog_type("action_inquiry.opened"), AT_MS, 0, data, strlen(data));
    event->id = 42;
    return event;
}

static void build(struct request *request, const struct notification *notification,
                  const char *data)
{
    struct event *event = event_with(data);
    struct error error = { 0 };
    if (!request_build(request, notification, event, POSTBACK_ID, 3, AT_MS, &error))
        fail_msg("expected a request, got: %s", error.message);
    event_unref(event);
}

/* The value of a header, to be freed; NULL: not there. */
static char *header(const struct request *request, const char *name)
{
    struct buf start = { 0 };
    buf_fmt(&start, "\r\n%s: ", name);
    struct buf lines = { 0 };
    buf_fmt(&lines, "\r\n%s", buf_text(&request->headers));
    const char *found = strcasestr(buf_text(&lines), buf_text(&start));
    char *value = NULL;
    if (found != NULL) {
        found += start.len;
        value = strndup(found, strcspn(found, "\r"));
    }
    buf_free(&start);
    buf_free(&lines);
    return value;
}

static void assert_header(const struct request *request, const char *name, const char *wanted)
{
    char *got = header(request, name);
    if ((got == NULL) != (wanted == NULL) || (got != NULL && strcmp(got, wanted) != 0))
        fail_msg("%s: expected %s, got %s", name, wanted == NULL ? "(none)" : wanted,
                 got == NULL ? "(none)" : got);
    free(got);
}

static void assert_target(const char *url, const char *points, const char *wanted)
{
    struct buf members = { 0 };
    struct request request = { 0 };
    buf_fmt(&members, "\"Method\":\"GET\",\"Url\":\"%s\",\"QueryPoints\":\"%s\"", url, points);
    struct notification *notification = compiled(buf_text(&members));
    build(&request, notification, "{\"InquiryId\":\"7\",\"OrderId\":\"A 1/2&b\"}");
    if (strcmp(buf_text(&request.target), wanted) != 0)
        fail_msg("%s with %s: expected %s, got %s", url, points, wanted, buf_text(&request.target));
    request_free(&request);
    notification_unref(notification);
    buf_free(&members);
}

static void test_the_target_has_tokens_and_ticked_data_points(void **state)
{
    (void)state;
    assert_target("https://r.example", "", "/");
    assert_target("https://r.example/p", "", "/p");
    assert_target("https://r.example?x=1", "", "/?x=1");
    assert_target("https://r.example/o/{OrderId}?i={InquiryId}", "", "/o/A%201%2F2%26b?i=7");
    assert_target("https://r.example", "InquiryId", "/?InquiryId=7");
    assert_target("https://r.example/p", "InquiryId,OrderId",
                  "/p?InquiryId=7&OrderId=A%201%2F2%26b");
    assert_target("https://r.example/p?x=1", "InquiryId", "/p?x=1&InquiryId=7");
    assert_target("https://r.example/p?", "InquiryId", "/p?InquiryId=7");
    assert_target("https://r.example/p?x=1&", "InquiryId", "/p?x=1&InquiryId=7");
    assert_target("https://r.example/{OrderId|default:?}", "InquiryId",
                  "/A%201%2F2%26b?InquiryId=7");
    assert_target("https://r.example/p", "CustomerId,PostbackId,Attempt,AccountSid,EventType",
                  "/p?CustomerId=&PostbackId=914793674309632002&Attempt=3&AccountSid=PA123"
                  "&EventType=action_inquiry.opened");
}

/* Builds a GET of the URL for an order of this id: true, or false with a message about the path. */
static bool builds(const char *url, const char *order)
{
    struct buf members = { 0 }, data = { 0 };
    struct request request = { 0 };
    struct error error = { 0 };
    buf_fmt(&members, "\"Method\":\"GET\",\"Url\":\"https://r.example%s\"", url);
    buf_fmt(&data, "{\"OrderId\":\"%s\"}", order);
    struct notification *notification = compiled(buf_text(&members));
    struct event *event = event_with(buf_text(&data));
    bool built = request_build(&request, notification, event, POSTBACK_ID, 3, AT_MS, &error);
    if (!built)
        assert_non_null(strstr(error.message, "would lead elsewhere"));
    request_free(&request);
    event_unref(event);
    notification_unref(notification);
    buf_free(&members);
    buf_free(&data);
    return built;
}

static void test_no_value_turns_the_path_elsewhere(void **state)
{
    /* R1: a dot segment, whole or made of values and text, as receivers of any kind may read it. */
    (void)state;
    static const struct {
        const char *url, *order;
        bool built;
    } cases[] = {
        { "/o/{OrderId}/i", "A-1", true },
        { "/o/{OrderId}/i", "..", false },
        { "/o/{OrderId}/i", ".", false },
        { "/o/{OrderId}/i", "%2e%2E", false },
        { "/o/{OrderId}/i", "%252e.", false },
        { "/o/{OrderId}/i", "..;x=1", false },
        { "/o/{OrderId}/i", "../..", false },
        { "/o/{OrderId}/i", "..\\\\admin", false },
        { "/o/{OrderId}/i", "A/../../admin", false },
        { "/o/{OrderId}/i", " .. ", false },
        { "/o/{OrderId}/i", "..?x", false },
        { "/o/{OrderId|raw}/i", "..", false },
        { "/o/{OrderId|raw}/i", "a/../b", false },
        { "/o/{OrderId|raw}/i", "%2e%2e", false },
        { "/o/{OrderId|raw}/i", "..;a", false },
        { "/o/{OrderId|raw}/i", "..#", false },
        { "/o/{OrderId|raw}/i", "a?b/../c", true },
        { "/o/.{OrderId}/i", ".", false },
        { "/o/.{OrderId}/i", "", false },
        { "/o/.{OrderId}/i", "htaccess", true },
        { "/o/{OrderId}{OrderId}/i", ".", false },
        { "/o/%2E{OrderId}", ".", false },
        { "/o/{OrderId|default:..}", "", false },
        { "/{OrderId}", "..", false },
        { "/o/{OrderId}/i", "...", true },
        { "/o/{OrderId}/i", "..a", true },
        { "/o/{OrderId}/i", "a..", true },
        { "/o/{OrderId}/i", "1.2", true },
        { "/o/{OrderId}/i", "", true },
        { "/o/v{OrderId}/i", "..", true },
        { "/o?x=/{OrderId}/", "..", true },
        { "/o/100%25/{OrderId}", "50%", true },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (builds(cases[i].url, cases[i].order) != cases[i].built)
            fail_msg("%s with \"%s\": expected %s", cases[i].url, cases[i].order,
                     cases[i].built ? "a request" : "none");
}

static void test_a_dot_segment_is_refused_when_saved(void **state)
{
    /* R1: in the text of the URL, with tokens or without. */
    (void)state;
    static const struct {
        const char *target;
        bool right;
    } cases[] = {
        { "/a/../b", false },     { "/./{OrderId}", false },   { "/a/%2e%2E/b", false },
        { "/..", false },         { "/{OrderId}/..", false },  { "/a/..;v=1/b", false },
        { "/a/..%2Fb", false },   { "/a/%252e%252e/", false }, { "/a/.{OrderId}", true },
        { "/.well-known", true }, { "/a.b/..c", true },        { "/a?next=/../b", true },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct problems problems = { 0 };
        struct url_parts to = { 0 };
        struct buf url = { 0 };
        size_t target;
        buf_fmt(&url, "https://r.example%s", cases[i].target);
        if (url_check(buf_text(&url), &to, &target, "Url", &problems) != cases[i].right)
            fail_msg("%s: expected it to be %s", cases[i].target,
                     cases[i].right ? "taken" : "refused");
        free(to.host);
        buf_free(&url);
        problems_free(&problems);
    }
}

static void test_a_get_has_no_body(void **state)
{
    struct notification *notification =
        compiled("\"Method\":\"GET\",\"Url\":\"http://r.example:8080/p\"");
    struct request request = { 0 };
    (void)state;
    build(&request, notification, "{}");
    assert_int_equal(request.body.len, 0);
    assert_header(&request, "Host", "r.example:8080");
    assert_header(&request, "User-Agent", "postbackd/" POSTBACKD_VERSION);
    assert_header(&request, "Accept", "*/*");
    assert_header(&request, "Accept-Encoding", "identity"); /* R7 */
    assert_header(&request, "webhook-id", "914793674309632002");
    assert_header(&request, "webhook-timestamp", "1614265330");
    assert_header(&request, "webhook-signature", NULL);
    assert_header(&request, "Content-Type", NULL);
    assert_header(&request, "Content-Length", NULL);
    request_free(&request);
    notification_unref(notification);
}

static void test_the_host_names_a_port_only_when_it_must(void **state)
{
    static const char *const pairs[][2] = {
        { "http://r.example:80/", "r.example" },     { "https://r.example:443/", "r.example" },
        { "https://r.example:80/", "r.example:80" }, { "http://[::1]/", "[::1]" },
        { "http://[::1]:8080/", "[::1]:8080" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct buf members = { 0 };
        struct request request = { 0 };
        buf_fmt(&members, "\"Method\":\"GET\",\"Url\":\"%s\"", pairs[i][0]);
        struct notification *notification = compiled(buf_text(&members));
        build(&request, notification, "{}");
        assert_header(&request, "Host", pairs[i][1]);
        request_free(&request);
        notification_unref(notification);
        buf_free(&members);
    }
}

static void test_each_format_has_its_type_and_escapes(void **state)
{
    static const struct {
        const char *format, *body, *type, *wanted;
    } each[] = {
        { "JSON", "{\\\"o\\\":\\\"{OrderId}\\\"}", "application/json", "{\"o\":\"a\\\"<&b\"}" },
        { "XML", "<o v=\\\"{OrderId}\\\"/>", "application/xml; charset=utf-8",
          "<o v=\"a&quot;&lt;&amp;b\"/>" },
        { "FORM", "o={OrderId}", "application/x-www-form-urlencoded", "o=a%22%3C%26b" },
        { "TEXT", "order {OrderId}", "text/plain; charset=utf-8", "order a\"<&b" },
        { "TEXT", "a fixed text", "text/plain; charset=utf-8", "a fixed text" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
        struct buf members = { 0 };
        struct request request = { 0 };
        char length[24];
        buf_fmt(&members,
                "\"Method\":\"POST\",\"Url\":\"http://r.example/\",\"BodyFormat\":\"%s\","
                "\"BodyTemplate\":\"%s\"",
                each[i].format, each[i].body);
        struct notification *notification = compiled(buf_text(&members));
        build(&request, notification, "{\"OrderId\":\"a\\\"<&b\"}");
        assert_string_equal(buf_text(&request.body), each[i].wanted);
        assert_header(&request, "Content-Type", each[i].type);
        snprintf(length, sizeof(length), "%zu", strlen(each[i].wanted));
        assert_header(&request, "Content-Length", length);
        request_free(&request);
        notification_unref(notification);
        buf_free(&members);
    }
}

static void test_without_a_template_the_body_has_every_data_point(void **state)
{
    struct notification *notification =
        compiled("\"Method\":\"PUT\",\"Url\":\"http://r.example/\"");
    struct request request = { 0 };
    (void)state;
    build(&request, notification, "{\"OrderId\":\"A-1\",\"Comments\":[]}");
    json_t *body = json_loadb(request.body.data, request.body.len, 0, NULL);
    assert_non_null(body);
    assert_string_equal(json_string_value(json_object_get(body, "OrderId")), "A-1");
    assert_string_equal(json_string_value(json_object_get(body, "EventType")),
                        "action_inquiry.opened");
    json_decref(body);
    request_free(&request);
    notification_unref(notification);
}

static void test_signatures_cover_the_body_that_is_sent(void **state)
{
    struct notification *notification =
        compiled("\"Method\":\"POST\",\"Url\":\"http://r.example/\"");
    struct request request = { 0 };
    struct buf wanted = { 0 };
    (void)state;
    secret_random(&notification->secret);
    secret_random(&notification->old_secret);
    notification->old_secret_until = AT_MS + 1;
    build(&request, notification, "{\"OrderId\":\"A-1\"}");
    signature_add(&wanted, &notification->secret, "914793674309632002", 1614265330,
                  request.body.data, request.body.len);
    buf_char(&wanted, ' ');
    signature_add(&wanted, &notification->old_secret, "914793674309632002", 1614265330,
                  request.body.data, request.body.len);
    assert_header(&request, "webhook-signature", buf_text(&wanted));

    notification->old_secret_until = AT_MS; /* now over */
    build(&request, notification, "{\"OrderId\":\"A-1\"}");
    *strchr(wanted.data, ' ') = '\0';
    assert_header(&request, "webhook-signature", buf_text(&wanted));
    buf_free(&wanted);
    request_free(&request);
    notification_unref(notification);
}

static void set_header(struct notification *notification, const char *name, const char *value)
{
    struct problems problems = { 0 };
    json_t *from = json_pack("[{s:s,s:s}]", "Name", name, "Value", value);
    assert_true(notification_headers_read(notification, from, &problems));
    json_decref(from);
}

static void test_the_same_inputs_give_the_same_bytes(void **state)
{
    struct notification *notification =
        compiled("\"Method\":\"POST\",\"Url\":\"http://r.example/{OrderId}\"");
    struct request one = { 0 }, two = { 0 };
    (void)state;
    secret_random(&notification->secret);
    set_header(notification, "X-Key", "s3cret");
    build(&one, notification, "{\"OrderId\":\"A-1\"}");
    build(&two, notification, "{\"OrderId\":\"something long before, in the same buffers\"}");
    build(&two, notification, "{\"OrderId\":\"A-1\"}");
    assert_string_equal(buf_text(&one.target), buf_text(&two.target));
    assert_string_equal(buf_text(&one.headers), buf_text(&two.headers));
    assert_string_equal(buf_text(&one.body), buf_text(&two.body));
    assert_header(&one, "X-Key", "s3cret");
    request_free(&one);
    request_free(&two);
    notification_unref(notification);
}

static void test_a_value_cannot_add_a_header(void **state)
{
    struct notification *notification =
        compiled("\"Method\":\"GET\",\"Url\":\"http://r.example/{OrderId|raw}?q={OrderId}\"");
    struct request request = { 0 };
    (void)state;
    build(&request, notification, "{\"OrderId\":\"x HTTP/1.1\\r\\nHost: evil\\r\\n\\r\\n\"}");
    assert_null(strpbrk(buf_text(&request.target), " \r\n"));
    assert_header(&request, "Host", "r.example");
    request_free(&request);
    notification_unref(notification);
}

static char *filled(const char *format_before, size_t len, const char *after)
{
    struct buf text = { 0 };
    buf_str(&text, format_before);
    for (size_t i = 0; i < len; i++)
        buf_char(&text, 'a');
    buf_str(&text, after);
    return buf_take(&text);
}

static void test_a_request_over_a_cap_is_not_built(void **state)
{
    struct notification *notification =
        compiled("\"Method\":\"GET\",\"Url\":\"http://r.example/{OrderId}\"");
    struct request request = { 0 };
    struct error error = { 0 };
    char *data = filled("{\"OrderId\":\"", REQUEST_TARGET_MAX, "\"}");
    struct event *event = event_with(data);
    (void)state;
    assert_false(request_build(&request, notification, event, 1, 1, AT_MS, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_non_null(strstr(error.message, "16384"));
    build(&request, notification, "{\"OrderId\":\"b\"}"); /* and the next one is not harmed */
    assert_string_equal(buf_text(&request.target), "/b");
    event_unref(event);
    free(data);
    request_free(&request);
    notification_unref(notification);
}

static void test_a_body_over_its_cap_is_not_built(void **state)
{
    struct buf members = { 0 };
    struct request request = { 0 };
    struct error error = { 0 };
    char *data = filled("{\"OrderId\":\"", 60000, "\"}");
    struct event *event = event_with(data);
    (void)state;
    buf_str(&members, "\"Method\":\"POST\",\"Url\":\"http://r.example/\",\"BodyFormat\":\"TEXT\","
                      "\"BodyTemplate\":\"");
    for (int i = 0; i < 20; i++)
        buf_str(&members, "{OrderId}");
    buf_str(&members, "\"");
    struct notification *notification = compiled(buf_text(&members));
    assert_false(request_build(&request, notification, event, 1, 1, AT_MS, &error));
    assert_non_null(strstr(error.message, "body"));
    event_unref(event);
    free(data);
    buf_free(&members);
    request_free(&request);
    notification_unref(notification);
}

static void test_a_damaged_event_is_not_sent(void **state)
{
    struct notification *notification =
        compiled("\"Method\":\"GET\",\"Url\":\"http://r.example/{OrderId}\"");
    struct request request = { 0 };
    struct error error = { 0 };
    struct event *event = event_with("{\"OrderId\":");
    (void)state;
    assert_false(request_build(&request, notification, event, 1, 1, AT_MS, &error));
    assert_int_equal(error.kind, ERROR_BROKEN);
    event_unref(event);
    request_free(&request);
    notification_unref(notification);
}

static const char *shown_header(const json_t *shown, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(shown, "Headers"), i, entry)
    {
        if (strcasecmp(json_string_value(json_object_get(entry, "Name")), name) == 0)
            return json_string_value(json_object_get(entry, "Value"));
    }
    fail_msg("expected a header %s", name);
    return NULL;
}

static void test_the_log_shows_all_but_secrets(void **state)
{
    struct notification *notification = compiled(
        "\"Method\":\"POST\",\"Url\":\"https://[::1]:8443/{OrderId}\",\"BodyFormat\":\"TEXT\","
        "\"BodyTemplate\":\"order {OrderId}\"");
    struct request request = { 0 };
    (void)state;
    secret_random(&notification->secret);
    set_header(notification, "X-Api-Key", "s3cret");
    build(&request, notification, "{\"OrderId\":\"A-1\"}");
    json_t *shown = request_show(notification, &request);
    assert_string_equal(json_string_value(json_object_get(shown, "Method")), "POST");
    assert_string_equal(json_string_value(json_object_get(shown, "Url")), "https://[::1]:8443/A-1");
    assert_string_equal(json_string_value(json_object_get(shown, "Body")), "order A-1");
    assert_string_equal(shown_header(shown, "webhook-signature"), "(hidden)");
    assert_string_equal(shown_header(shown, "X-Api-Key"), "(hidden)");
    assert_string_equal(shown_header(shown, "webhook-id"), "914793674309632002");
    assert_string_equal(shown_header(shown, "Content-Length"), "9");
    char *text = json_dumps(shown, 0);
    assert_null(strstr(text, "s3cret"));
    assert_null(strstr(text, "v1,"));
    free(text);
    json_decref(shown);
    request_free(&request);
    notification_unref(notification);
}

static void test_the_log_shows_a_body_of_any_bytes(void **state)
{
    struct notification *notification =
        compiled("\"Method\":\"POST\",\"Url\":\"http://r.example/\"");
    struct request request = { 0 };
    (void)state;
    buf_add(&request.body, "a\xff\xc3\xa9\xc3z\xe2\x82", 8);
    json_t *shown = request_show(notification, &request);
    assert_string_equal(json_string_value(json_object_get(shown, "Body")),
                        "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd");
    json_decref(shown);
    request_free(&request);
    notification_unref(notification);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_target_has_tokens_and_ticked_data_points),
        cmocka_unit_test(test_no_value_turns_the_path_elsewhere),
        cmocka_unit_test(test_a_dot_segment_is_refused_when_saved),
        cmocka_unit_test(test_a_get_has_no_body),
        cmocka_unit_test(test_the_host_names_a_port_only_when_it_must),
        cmocka_unit_test(test_each_format_has_its_type_and_escapes),
        cmocka_unit_test(test_without_a_template_the_body_has_every_data_point),
        cmocka_unit_test(test_signatures_cover_the_body_that_is_sent),
        cmocka_unit_test(test_the_same_inputs_give_the_same_bytes),
        cmocka_unit_test(test_a_value_cannot_add_a_header),
        cmocka_unit_test(test_a_request_over_a_cap_is_not_built),
        cmocka_unit_test(test_a_body_over_its_cap_is_not_built),
        cmocka_unit_test(test_a_damaged_event_is_not_sent),
        cmocka_unit_test(test_the_log_shows_all_but_secrets),
        cmocka_unit_test(test_the_log_shows_a_body_of_any_bytes),
    };
    if (sodium_init() == -1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
