/* Templates: tokens, functions, the escape of each place, what is refused and where. */
#include "model/template.h"

#include "model/date.h"

#include <expat.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char plain_data[] =
    "{\"InquiryId\":\"1042\",\"CampaignId\":\"7\",\"OrderId\":\"A-1\",\"TransactionDate\":"
    "\"2026-11-20T09:15:00+02:00\",\"TransactionAmount\":\"12.50\",\"CustomerId\":\"Ann@X.io\","
    "\"Comments\":[{\"User\":\"Dana\",\"Comment\":\"]]> \\\"hi\\\"\"}],\"RejectReason\":\"\"}";

/* Everything that means something somewhere, in one value. */
static const char hostile[] = "a\"b'c\\d<e>&f ]]> {g}\n\r\t\x01 é%41+#;/?=\xef\xbf\xbf";

static const struct event_type *opened(void)
{
    return catalog_type("action_inquiry.opened");
}

static struct event *event_of(const char *data)
{
    struct event *event = event_new(5, opened(), 1795459217123, 0, data, strlen(data));
    event->id = 914793674309632001;
    return event;
}

static struct event *hostile_event(void)
{
    json_t *data = json_pack("{s:s, s:[{s:s}], s:s}", "OrderId", hostile, "Comments", "User",
                             "]]>\"<", "State", "]]");
    char *text = json_dumps(data, JSON_COMPACT);
    struct event *event = event_of(text);
    free(text);
    json_decref(data);
    return event;
}

static struct template *compile(const char *text, enum template_place place,
                                struct problems *problems)
{
    const struct event_type *types[] = { opened() };
    return template_compile(text, place, types, 1, "Body", problems);
}

static char *expand_with(const struct event *event, const char *text, enum template_place place)
{
    struct problems problems = { 0 };
    struct template *template = compile(text, place, &problems);
    if (template == NULL)
        fail_msg("expected %s to compile, got: %s", text, problems.items[0].message);
    struct points *points =
        points_new(event, &(struct points_context){ "PAabc", 914793674309632002, 3, NULL });
    assert_non_null(points);
    struct buf out = { 0 };
    template_expand(template, points, &out);
    points_free(points);
    template_free(template);
    return buf_take(&out);
}

static void gives(enum template_place place, const char *text, const char *expected)
{
    struct event *event = event_of(plain_data);
    char *got = expand_with(event, text, place);
    assert_string_equal(got, expected);
    free(got);
    event_unref(event);
}

static void gives_hostile(enum template_place place, const char *text, const char *expected)
{
    struct event *event = hostile_event();
    char *got = expand_with(event, text, place);
    assert_string_equal(got, expected);
    free(got);
    event_unref(event);
}

static void refuses(enum template_place place, const char *text, const char *expected)
{
    struct problems problems = { 0 };
    struct template *template = compile(text, place, &problems);
    if (template != NULL)
        fail_msg("expected %s to be refused", text);
    assert_string_equal(problems.items[0].field, "Body");
    if (strstr(problems.items[0].message, expected) == NULL)
        fail_msg("%s: expected '%s' in '%s'", text, expected, problems.items[0].message);
    problems_free(&problems);
}

/* ---- tokens ---- */

static void test_tokens_are_filled_in(void **state)
{
    (void)state;
    gives(PLACE_TEXT, "", "");
    gives(PLACE_TEXT, "no tokens", "no tokens");
    gives(PLACE_TEXT, "{OrderId}", "A-1");
    gives(PLACE_TEXT, "order {OrderId} of {CampaignId}{InquiryId}!", "order A-1 of 71042!");
    gives(PLACE_TEXT, "{EventType} {EventId} {AccountSid} {PostbackId} {Attempt} {EventTime}",
          "action_inquiry.opened 914793674309632001 PAabc 914793674309632002 3 "
          "2026-11-23T18:40:17.123+00:00");
    gives(PLACE_TEXT, "[{RejectReason}{InquiryNotes}]", "[]");
    gives(PLACE_URL, "/p?o={OrderId}&c={CampaignId}", "/p?o=A-1&c=7");
}

static void test_doubled_braces_are_braces(void **state)
{
    (void)state;
    gives(PLACE_TEXT, "{{OrderId}} {{{OrderId}}}", "{OrderId} {A-1}");
    gives(PLACE_URL, "/{{{OrderId}}}", "/%7BA-1%7D");
    gives(PLACE_XML, "<a b='{{'>}}</a>", "<a b='{'>}</a>");
}

static void test_json_keeps_its_own_braces(void **state)
{
    (void)state;
    gives(PLACE_JSON, "{\"a\":{\"b\":{\"c\":\"{OrderId}\"}}}", "{\"a\":{\"b\":{\"c\":\"A-1\"}}}");
    gives(PLACE_JSON, "{\"a\":{}, \"b\":[{\"c\":{CampaignId}}]}", "{\"a\":{}, \"b\":[{\"c\":7}]}");
    gives(PLACE_JSON, "\"{{x}} { 1 } {OrderId}\"", "\"{x} { 1 } A-1\"");
}

static void test_a_template_without_tokens_needs_no_points(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct template *template = compile("/path?x=1", PLACE_URL, &problems);
    struct buf out = { 0 };
    template_expand(template, NULL, &out);
    assert_string_equal(buf_text(&out), "/path?x=1");
    buf_free(&out);
    template_free(template);
    template_free(NULL);
}

/* "#" in the token becomes the number. */
static void add_numbered(struct buf *text, const char *token, size_t number)
{
    for (; *token != '\0'; token++) {
        if (*token == '#')
            buf_int(text, (int64_t)number);
        else
            buf_char(text, *token);
    }
}

static struct template *compile_repeated(const char *token, size_t times, struct problems *problems)
{
    struct buf text = { 0 };
    for (size_t i = 0; i < times; i++)
        add_numbered(&text, token, i);
    struct template *template = compile(buf_text(&text), PLACE_TEXT, problems);
    buf_free(&text);
    return template;
}

/* Expands with an OrderId of so many bytes; gives whether it was within the cap. */
static bool expands_with(const struct template *template, size_t len, struct buf *out)
{
    struct buf data = { 0 };
    buf_str(&data, "{\"OrderId\":\"");
    for (size_t i = 0; i < len; i++)
        buf_char(&data, 'x');
    buf_str(&data, "\"}");
    struct event *event = event_of(buf_text(&data));
    struct points *points = points_new(event, &(struct points_context){ "PAabc", 1, 1, NULL });
    bool within = template_expand(template, points, out);
    points_free(points);
    event_unref(event);
    buf_free(&data);
    return within;
}

static void test_a_value_goes_through_its_functions_once(void **state)
{
    /* A2: the same token thousands of times costs one hash, and gives the same everywhere. */
    (void)state;
    static const char *const tokens[] = {
        "{OrderId|sha256}",
        "{OrderId|md5}",
        "{OrderId|lower|upper|lower|upper}",
        "{OrderId|default:a|sha256|upper}",
    };
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        struct problems problems = { 0 };
        struct template *one = compile_repeated(tokens[i], 1, &problems);
        struct template *many = compile_repeated(tokens[i], 1500, &problems);
        struct buf single = { 0 }, all = { 0 };
        assert_true(expands_with(one, 4000, &single));
        if (!expands_with(many, 4000, &all))
            fail_msg("%s 1,500 times: expected it to be within the cap", tokens[i]);
        assert_int_equal(all.len, 1500 * single.len);
        for (size_t at = 0; at < 1500; at++)
            assert_memory_equal(all.data + at * single.len, single.data, single.len);
        buf_free(&single);
        buf_free(&all);
        template_free(one);
        template_free(many);
    }
}

static void test_the_work_of_functions_has_a_cap(void **state)
{
    /* A2: what differs is computed each by itself, within a number of bytes. */
    (void)state;
    struct problems problems = { 0 };
    struct template *template = compile_repeated("{OrderId|default:#|sha256}", 100, &problems);
    assert_non_null(template);
    struct buf out = { 0 };
    assert_true(expands_with(template, TEMPLATE_WORK_MOST / 200, &out));
    assert_int_equal(out.len, 6400);
    buf_reset(&out);
    assert_false(expands_with(template, TEMPLATE_WORK_MOST / 200 + 1, &out));
    buf_free(&out);
    template_free(template);
}

static void test_the_number_of_different_functions_has_a_cap(void **state)
{
    /* A2: known when it is saved, so refused then; one that was saved before still compiles. */
    (void)state;
    for (size_t count = TEMPLATE_DISTINCT_MAX; count <= TEMPLATE_DISTINCT_MAX + 1; count++) {
        struct problems problems = { 0 };
        struct template *template = compile_repeated("{OrderId|default:#}", count, &problems);
        struct buf out = { 0 };
        assert_non_null(template);
        template_refuse_heavy(template, "BodyTemplate", &problems);
        assert_int_equal(problems.count, count > TEMPLATE_DISTINCT_MAX);
        assert_true(expands_with(template, 10, &out));
        assert_int_equal(out.len, 10 * count);
        buf_free(&out);
        problems_free(&problems);
        template_free(template);
    }
}

static void test_tokens_of_any_of_the_types(void **state)
{
    (void)state;
    const struct event_type *types[] = { opened(), catalog_type("action.tracked") };
    struct problems problems = { 0 };
    struct template *template =
        template_compile("{OrderId}|{Oid}|{CampaignId}", PLACE_TEXT, types, 2, "Body", &problems);
    assert_non_null(template);
    struct event *action = event_sample(types[1], 5, 0);
    struct points *points = points_new(action, &(struct points_context){ "PAabc", 0, 1, NULL });
    struct buf out = { 0 };
    template_expand(template, points, &out);
    assert_string_equal(buf_text(&out), "|ORD-20417|1000"); /* another's token is empty */
    buf_free(&out);
    points_free(points);
    event_unref(action);
    template_free(template);
    assert_null(template_compile("{Nope}", PLACE_TEXT, types, 2, "Body", &problems));
    assert_non_null(strstr(problems.items[0].message, "{Nope} is not a data point of these"));
    problems_free(&problems);
}

/* ---- functions ---- */

static void test_functions(void **state)
{
    (void)state;
    gives(PLACE_TEXT, "{TransactionDate|unix}", "1795158900");
    gives(PLACE_TEXT, "{TransactionDate|date:%d.%m.%Y %H:%M}", "20.11.2026 07:15");
    gives(PLACE_TEXT, "{CustomerId|lower}", "ann@x.io");
    gives(PLACE_TEXT, "{CustomerId|upper}", "ANN@X.IO");
    gives(PLACE_TEXT, "{CustomerId|md5}", "e594532b2a9122e4c41436818c0c13cd");
    gives(PLACE_TEXT, "{CustomerId|lower|sha256}",
          "31122705444181b10221d3b55cfc293b23730cb63db6fd4b2ea5a33a35aa510a");
    gives(PLACE_TEXT, "{RejectReason|default:none: at all}", "none: at all");
    gives(PLACE_TEXT, "{OrderId|default:none}", "A-1");
    gives(PLACE_TEXT, "{OrderId|raw}", "A-1");
    gives(PLACE_TEXT, "{OrderId|lower|default:x|upper|default:y|lower}", "a-1");
    gives(PLACE_TEXT, "{RejectReason|default:Éa|upper}", "ÉA");
}

static void test_functions_of_nothing_are_empty(void **state)
{
    (void)state;
    gives(PLACE_TEXT,
          "[{RejectReason|sha256}{RejectReason|md5}{ClosedDate|unix}{ClosedDate|date:%Y}"
          "{RejectReason|lower}{RejectReason|default:}]",
          "[]");
    gives(PLACE_TEXT, "{ClosedDate|default:never|unix}", ""); /* no date can be read in it */
}

static void test_unix_counts_whole_seconds_also_before_1970(void **state)
{
    (void)state;
    struct event *event = event_of("{\"TransactionDate\":\"1969-12-31T23:59:58.500Z\"}");
    char *got = expand_with(event, "{TransactionDate|unix}", PLACE_TEXT);
    assert_string_equal(got, "-2");
    free(got);
    event_unref(event);
}

static void test_wrong_functions_are_refused(void **state)
{
    (void)state;
    refuses(PLACE_TEXT, "{OrderId|sha}",
            "line 1, column 1: {OrderId}: there is no function 'sha'; there are unix");
    refuses(PLACE_TEXT, "{OrderId|}", "no function ''");
    refuses(PLACE_TEXT, "{OrderId|lower:x}", "lower takes no argument");
    refuses(PLACE_TEXT, "{TransactionDate|date}", "needs an argument, as in date:%Y-%m-%d");
    refuses(PLACE_TEXT, "{TransactionDate|date:}", "date needs a pattern");
    refuses(PLACE_TEXT, "{TransactionDate|date:%Q}", "unknown conversion");
    refuses(PLACE_TEXT, "{OrderId|default}", "needs an argument");
    refuses(PLACE_TEXT, "{OrderId|unix}", "unix works on dates, and this is of type text");
    refuses(PLACE_TEXT, "{TransactionDate|lower|date:%Y}", "date works on dates");
    refuses(PLACE_JSON, "\"{OrderId|raw}\"", "raw works in URLs only");
    refuses(PLACE_TEXT, "{OrderId|raw|raw|raw|raw|raw|raw|raw|raw|raw}", "at most 8 functions");
}

/* ---- escapes ---- */

static void test_urls_are_percent_encoded(void **state)
{
    (void)state;
    gives_hostile(PLACE_URL, "/{OrderId}",
                  "/a%22b%27c%5Cd%3Ce%3E%26f%20%5D%5D%3E%20%7Bg%7D%0A%0D%09%01%20%C3%A9%2541%2B"
                  "%23%3B%2F%3F%3D%EF%BF%BF");
    gives_hostile(PLACE_URL, "/{OrderId|raw}",
                  "/a%22b%27c%5Cd%3Ce%3E&f%20]]%3E%20%7Bg%7D%0A%0D%09%01%20%C3%A9%41+%23;/?=%EF"
                  "%BF%BF");
    gives(PLACE_URL, "/{CustomerId|raw}", "/Ann@X.io");
}

static void test_forms_are_percent_encoded_with_plus(void **state)
{
    (void)state;
    gives_hostile(PLACE_FORM, "o={OrderId}&c={Comments}",
                  "o=a%22b%27c%5Cd%3Ce%3E%26f+%5D%5D%3E+%7Bg%7D%0A%0D%09%01+%C3%A9%2541%2B%23%3B"
                  "%2F%3F%3D%EF%BF%BF&c=%5B%7B%22User%22%3A%22%5D%5D%3E%5C%22%3C%22%7D%5D");
}

static void test_text_is_as_it_is(void **state)
{
    (void)state;
    gives_hostile(PLACE_TEXT, "<{OrderId}>",
                  "<a\"b'c\\d<e>&f ]]> {g}\n\r\t\x01 é%41+#;/?=\xef\xbf\xbf>");
}

static void test_json_strings_are_escaped(void **state)
{
    (void)state;
    struct event *event = hostile_event();
    char *got = expand_with(event, "{\"o\":\"<{OrderId}>\",\"c\":\"{Comments}\",\"n\":{Comments}}",
                            PLACE_JSON);
    json_error_t error;
    json_t *body = json_loads(got, 0, &error);
    if (body == NULL)
        fail_msg("not JSON: %s: %s", error.text, got);
    char expected[100];
    snprintf(expected, sizeof(expected), "<%s>", hostile);
    assert_string_equal(json_string_value(json_object_get(body, "o")), expected);
    assert_string_equal(json_string_value(json_object_get(body, "c")), "[{\"User\":\"]]>\\\"<\"}]");
    json_t *user = json_object_get(json_array_get(json_object_get(body, "n"), 0), "User");
    assert_string_equal(json_string_value(user), "]]>\"<");
    json_decref(body);
    free(got);
    event_unref(event);
}

static void test_json_values_have_a_type(void **state)
{
    (void)state;
    gives(PLACE_JSON, "[{InquiryId},{TransactionAmount},{TransactionDate|unix},{Attempt}]",
          "[1042,12.50,1795158900,3]");
    gives(PLACE_JSON, "[{OrderId},{EventId},{TransactionDate|date:%Y},{InquiryId|lower}]",
          "[\"A-1\",\"914793674309632001\",\"2026\",\"1042\"]");
    gives(PLACE_JSON, "[{FinalPayout},{ClosedDate|unix},{RejectReason},{ClosedDate}]",
          "[null,null,\"\",\"\"]");
    gives(PLACE_JSON, "[{FinalPayout|default:0},{FinalPayout|default:n/a}]", "[0,\"n/a\"]");
    gives(PLACE_JSON, "{ {OrderId} : {Comments} }",
          "{ \"A-1\" : [{\"User\":\"Dana\",\"Comment\":\"]]> \\\"hi\\\"\"}] }");
    gives(PLACE_JSON, "{OrderId}", "\"A-1\"");
    gives(PLACE_JSON, "[{Comments|sha256|lower|default:x}]",
          "[\"277e486d6ad78e982f909164530d79b483463329cc4dc7926cbc248822dee78f\"]");
}

static void test_json_lists_may_be_empty_or_have_a_default(void **state)
{
    (void)state;
    struct event *event = event_of("{}");
    char *got = expand_with(event, "[{Comments},{Comments|default:none}]", PLACE_JSON);
    assert_string_equal(got, "[[],\"none\"]");
    free(got);
    event_unref(event);
}

/* A number that JSON would not take as one goes out as a string. */
static void test_json_numbers_are_numbers_or_strings(void **state)
{
    (void)state;
    struct event *event =
        event_of("{\"InquiryId\":\"007\",\"CampaignId\":\"-0\",\"TransactionAmount\":\"-0.50\","
                 "\"FinalPayout\":\"1.\",\"ExpectedPayout\":\"x\"}");
    char *got = expand_with(event,
                            "[{InquiryId},{CampaignId},{TransactionAmount},{FinalPayout},"
                            "{ExpectedPayout}]",
                            PLACE_JSON);
    assert_string_equal(got, "[\"007\",-0,-0.50,\"1.\",\"x\"]");
    free(got);
    event_unref(event);
}

static void add_text(void *data, const XML_Char *text, int len)
{
    buf_add(data, text, (size_t)len);
}

static void start_element(void *data, const XML_Char *name, const XML_Char **attributes)
{
    buf_fmt(data, "<%s", name);
    for (; *attributes != NULL; attributes += 2)
        buf_fmt(data, " %s=%s", attributes[0], attributes[1]);
    buf_char(data, '>');
}

static void end_element(void *data, const XML_Char *name)
{
    (void)name;
    buf_char(data, '|');
}

/* What a reader gets of an XML text. */
static void reads_as(const char *xml, const char *expected)
{
    struct buf seen = { 0 };
    XML_Parser parser = XML_ParserCreate(NULL);
    XML_SetUserData(parser, &seen);
    XML_SetCharacterDataHandler(parser, add_text);
    XML_SetElementHandler(parser, start_element, end_element);
    if (XML_Parse(parser, xml, (int)strlen(xml), 1) != XML_STATUS_OK)
        fail_msg("not XML: %s: %s", XML_ErrorString(XML_GetErrorCode(parser)), xml);
    assert_string_equal(buf_text(&seen), expected);
    buf_free(&seen);
    XML_ParserFree(parser);
}

static void test_xml_survives_any_value(void **state)
{
    (void)state;
    static const char shown[] = "a\"b'c\\d<e>&f ]]> {g}\n\r\t é%41+#;/?="; /* what XML can hold */
    struct event *event = hostile_event();
    char *got = expand_with(event,
                            "<?xml version=\"1.0\" encoding=\"utf-8\"?><!-- > ' -->\n"
                            "<r x='{OrderId}' y=\"{OrderId}\">{OrderId}</r>",
                            PLACE_XML);
    char expected[300];
    snprintf(expected, sizeof(expected), "<r x=%s y=%s>%s|", shown, shown, shown);
    reads_as(got, expected);
    free(got);

    got = expand_with(event, "<r><![CDATA[<{OrderId}>]]>&amp;<b><![CDATA[]]{Comments}]]></b></r>",
                      PLACE_XML);
    snprintf(expected, sizeof(expected), "<r><%s>&<b>]][{\"User\":\"]]>\\\"<\"}]||", shown);
    reads_as(got, expected);
    free(got);

    got = expand_with(event, "<r>{State}> {State}{State}></r>", PLACE_XML); /* a "]]" before '>' */
    reads_as(got, "<r>]]> ]]]]>|");
    free(got);
    event_unref(event);
}

/* ---- refusals ---- */

static void test_problems_name_the_place(void **state)
{
    (void)state;
    refuses(PLACE_TEXT, "{Orderid}",
            "line 1, column 1: {Orderid} is not a data point of action_inquiry.opened; did you "
            "mean {OrderId}?");
    refuses(PLACE_TEXT, "ok {OrderId}\néé  {Weather}!",
            "line 2, column 5: {Weather} is not a data point of action_inquiry.opened");
    refuses(PLACE_TEXT, "a\n{OrderId", "line 2, column 1: '{OrderId' is not closed by a '}'");
    refuses(PLACE_TEXT, "{OrderId\n}", "is not closed");
    refuses(PLACE_TEXT, "a { b", "line 1, column 3: '{' must be followed by a data point's name");
    refuses(PLACE_TEXT, "OrderId}", "line 1, column 8: '}' closes no token");
    refuses(PLACE_TEXT, "{Order Id}", "{Order Id} is not a data point");
    refuses(PLACE_TEXT, "\xff", "UTF-8");
}

static void test_every_wrong_token_is_named(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    assert_null(compile("{A1} {OrderId} {B2} {OrderId|zip}", PLACE_TEXT, &problems));
    assert_int_equal(problems.count, 3);
    problems_free(&problems);

    struct buf many = { 0 };
    for (int i = 0; i < 5000; i++)
        buf_str(&many, "{Nope}");
    assert_null(compile(buf_text(&many), PLACE_TEXT, &problems));
    assert_int_equal(problems.count, PROBLEMS_MAX);
    assert_null(compile("fine", PLACE_TEXT, &problems)); /* no room to say what is wrong */
    problems_free(&problems);
    buf_free(&many);
}

static void test_size_is_capped(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (int i = 0; i < TEMPLATE_MAX; i++)
        buf_char(&text, 'a');
    gives(PLACE_TEXT, buf_text(&text), buf_text(&text));
    buf_char(&text, 'a');
    refuses(PLACE_TEXT, buf_text(&text), "at most 65536 bytes");
    buf_free(&text);
}

static void test_a_body_too_long_when_filled_in_is_refused(void **state)
{
    (void)state;
    const struct event_type *types[] = { catalog_type("action.tracked") };
    struct problems problems = { 0 };
    struct buf text = { 0 };
    buf_str(&text, "<a b='");
    while (text.len < TEMPLATE_MAX - 20)
        buf_str(&text, "{Items}"); /* each quote of its sample becomes six bytes */
    buf_str(&text, "'/>");
    assert_null(template_compile(buf_text(&text), PLACE_XML, types, 1, "Body", &problems));
    assert_string_equal(problems.items[0].message, "is over 1048576 bytes when it is filled in");
    problems_free(&problems);
    buf_free(&text);
}

static void test_urls_hold_only_what_a_request_line_can(void **state)
{
    (void)state;
    refuses(PLACE_URL, "/a b", "line 1, column 3: a space cannot stand here; write %20");
    refuses(PLACE_URL, "/a\r\nX: y", "control character");
    refuses(PLACE_URL, "/a\x7f", "control character");
    refuses(PLACE_URL, "/é", "only ASCII");
    refuses(PLACE_URL, "/a#b", "'#' cannot stand here");
    refuses(PLACE_URL, "/a%zz", "'%' must be followed by two");
    refuses(PLACE_URL, "/a%{OrderId}", "'%' must be followed by two");
    refuses(PLACE_URL, "/a%4{OrderId}", "'%' must be followed by two");
    refuses(PLACE_URL, "/\"", "%XX");
    refuses(PLACE_FORM, "a=b\n", "control character");
    gives(PLACE_URL, "/a%20b?c='(1)'", "/a%20b?c='(1)'");
    gives(PLACE_FORM, "a=b+c%0A", "a=b+c%0A");
}

static void test_json_must_be_json(void **state)
{
    (void)state;
    refuses(PLACE_JSON, "", "not valid JSON");
    refuses(PLACE_JSON, "{\"a\": }", "line 1, column 7: not valid JSON: unexpected token near '}'");
    refuses(PLACE_JSON, "{\n  \"id\": \"{OrderId}\",\n  \"b\" 1\n}",
            "line 3, column 7: not valid JSON");
    refuses(PLACE_JSON, "{\"a\": 1,}", "not valid JSON");
    refuses(PLACE_JSON, "\"{OrderId}", "not valid JSON");
    refuses(PLACE_JSON, "{\"a\": \"x\"} trailing", "not valid JSON");
    refuses(PLACE_JSON, "{ {InquiryId}: 1 }", "line 1, column 3: not valid JSON"); /* a number */
    refuses(PLACE_JSON, "\"\\x\"", "not valid JSON");
}

static void test_json_tokens_outside_quotes_stand_alone(void **state)
{
    (void)state;
    refuses(PLACE_JSON, "[1{InquiryId}]", "{InquiryId} stands outside quotes");
    refuses(PLACE_JSON, "[1{InquiryId|default:2}]", "stands outside quotes");
    refuses(PLACE_JSON, "[-{InquiryId}]", "stands outside quotes");
    refuses(PLACE_JSON, "[{InquiryId}0]", "nothing may be joined to it");
    refuses(PLACE_JSON, "[{InquiryId}{InquiryId}]", "stands outside quotes");
    refuses(PLACE_JSON, "[\"a\"{OrderId}]", "stands outside quotes");
    refuses(PLACE_JSON, "[{OrderId}\"a\"]", "nothing may be joined to it");
}

static void test_json_escapes_are_not_made_of_tokens(void **state)
{
    (void)state;
    refuses(PLACE_JSON, "\"\\u{InquiryId|default:0041}\"", "cannot stand behind a backslash");
    refuses(PLACE_JSON, "\"\\u00{InquiryId|default:41}\"", "cannot stand behind a backslash");
    refuses(PLACE_JSON, "\"\\{OrderId}\"", "cannot stand behind a backslash");
    refuses(PLACE_JSON, "\"\\u00zz\"", "four hexadecimal digits");
    gives(PLACE_JSON, "\"\\\\{OrderId}\\u00e9\\\"{OrderId}\"", "\"\\\\A-1\\u00e9\\\"A-1\"");
}

static void test_xml_must_be_well_formed(void **state)
{
    (void)state;
    refuses(PLACE_XML, "", "not valid XML");
    refuses(PLACE_XML, "plain", "not valid XML");
    refuses(PLACE_XML, "<a>\n<b>{OrderId}</a>", "line 2, column 15: not valid XML: mismatched tag");
    refuses(PLACE_XML, "<a>&nbsp;</a>", "undefined entity");
    refuses(PLACE_XML, "<a/>{OrderId}", "not valid XML");
    refuses(PLACE_XML, "<a/>\n<b/>", "line 2, column 1: not valid XML: junk");
    refuses(PLACE_XML, "<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "must be UTF-8");
    refuses(PLACE_XML, "<?xml version='1.1'?><a/>", "XML version must be 1.0");
    refuses(PLACE_XML, "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "document type");
    refuses(PLACE_XML, "<a>\x01</a>", "not valid XML");
}

static void test_xml_tokens_stand_in_text_and_values(void **state)
{
    (void)state;
    refuses(PLACE_XML, "<{OrderId}/>", "cannot be part of a tag");
    refuses(PLACE_XML, "<a {OrderId}='1'/>", "cannot be part of a tag");
    refuses(PLACE_XML, "<a b={OrderId}/>", "cannot be part of a tag");
    refuses(PLACE_XML, "<a><!-- {OrderId} --></a>", "cannot stand in a comment");
    refuses(PLACE_XML, "<a><?p {OrderId}?></a>", "processing instruction");
    refuses(PLACE_XML, "<a>&#{InquiryId|default:65};</a>", "cannot be part of an entity");
    refuses(PLACE_XML, "<a b='&{OrderId};'/>", "cannot be part of an entity");
    gives(PLACE_XML, "<a b='>'><!-- '\" -->{OrderId}<?p '?>{OrderId}<![CDATA['<]]>{OrderId}</a>",
          "<a b='>'><!-- '\" -->A-1<?p '?>A-1<![CDATA['<]]>A-1</a>");
}

/* ---- default bodies ---- */

static char *body_seen(enum template_place place, const struct event *event,
                       const struct opened *opened)
{
    struct points *points =
        points_new(event, &(struct points_context){ "PAabc", 914793674309632002, 3, opened });
    struct buf out = { 0 };
    template_default_body(place, points, &out);
    points_free(points);
    return buf_take(&out);
}

static char *default_body(enum template_place place, const struct event *event)
{
    return body_seen(place, event, NULL);
}

/* On request: MediaPartnerSid, AdvertiserSid, Reopened. */
static void test_a_default_body_holds_what_is_open(void **state)
{
    (void)state;
    static const char data[] =
        "{\"MediaPartnerSid\":\"PA1\",\"OrderId\":\"A\","
        "\"AdvertiserSid\":\"BR1\",\"State\":\"OPEN\",\"Reopened\":\"true\"}";
    static const struct {
        const char *opened[3];
        const char *seen;
    } cases[] = {
        { { NULL }, ",\"OrderId\":\"A\",\"State\":\"OPEN\"}" },
        { { "AdvertiserSid" }, ",\"OrderId\":\"A\",\"AdvertiserSid\":\"BR1\",\"State\":\"OPEN\"}" },
        { { "MediaPartnerSid" },
          ",\"MediaPartnerSid\":\"PA1\",\"OrderId\":\"A\",\"State\":\"OPEN\"}" },
        { { "Reopened", "MediaPartnerSid", "AdvertiserSid" },
          ",\"MediaPartnerSid\":\"PA1\",\"OrderId\":\"A\",\"AdvertiserSid\":\"BR1\","
          "\"State\":\"OPEN\",\"Reopened\":\"true\"}" },
    };
    struct event *event = event_of(data);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct opened opened = { 0 };
        for (size_t at = 0; at < 3 && cases[i].opened[at] != NULL; at++)
            opened_add(&opened, cases[i].opened[at]);
        char *got = body_seen(PLACE_JSON, event, &opened);
        assert_string_equal(got + strlen(got) - strlen(cases[i].seen), cases[i].seen);
        assert_non_null(strstr(got, "\"AccountSid\":\"PAabc\",\""));
        free(got);
        opened_clear(&opened);
    }
    enum template_place places[] = { PLACE_XML, PLACE_FORM, PLACE_TEXT };
    for (size_t i = 0; i < 3; i++) {
        char *got = default_body(places[i], event);
        assert_null(strstr(got, "AdvertiserSid"));
        assert_null(strstr(got, "BR1"));
        assert_non_null(strstr(got, "OPEN"));
        free(got);
    }
    event_unref(event);
}

static void
test_a_token_that_is_not_open_is_refused_with_its_place_and_expands_to_nothing(void **state)
{
    (void)state;
    const struct event_type *types[] = { opened() };
    struct problems problems = { 0 };
    struct opened none = { 0 }, one = { 0 };
    struct template *template =
        template_compile("{OrderId}\n {Reopened|upper}.", PLACE_TEXT, types, 1, "Body", &problems);
    assert_non_null(template);
    template_refuse_closed(template, &none, "Body", &problems);
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0].message, "line 2, column 2: {Reopened}"));
    opened_add(&one, "Reopened");
    template_refuse_closed(template, &one, "Body", &problems);
    assert_int_equal(problems.count, 1);
    assert_true(template_names(template, "Reopened"));
    assert_false(template_names(template, "AdvertiserSid"));
    struct event *event = event_of("{\"OrderId\":\"A\",\"Reopened\":\"true\"}");
    const struct opened *sets[] = { &none, &one };
    for (size_t i = 0; i < 2; i++) {
        struct points *points = points_new(event, &(struct points_context){ .opened = sets[i] });
        struct buf out = { 0 };
        template_expand(template, points, &out);
        assert_string_equal(buf_text(&out), i == 0 ? "A\n ." : "A\n TRUE.");
        buf_free(&out);
        points_free(points);
    }
    event_unref(event);
    template_free(template);
    opened_clear(&one);
    problems_free(&problems);
}

static void test_a_set_of_opened_points_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t count, problems;
    } cases[] = {
        { "{\"DataPoints\":[\"Reopened\",\"AdvertiserSid\",\"Reopened\"]}", 2, 0 },
        { "{\"DataPoints\":\" Reopened,AdvertiserSid \"}", 2, 0 },
        { "{\"DataPoints\":[]}", 0, 0 },
        { "{\"DataPoints\":\"\"}", 0, 0 },
        { "{\"DataPoints\":[\"OrderId\"]}", 0, 1 }, /* open to everybody */
        { "{\"DataPoints\":[\"Nope\",7]}", 0, 2 },
        { "{}", 0, 1 },
        { "{\"DataPoints\":7}", 0, 1 },
        { "{\"DataPoints\":[],\"Colour\":\"red\"}", 0, 1 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct opened read = { 0 }, again = { 0 };
        struct problems problems = { 0 };
        json_t *from = json_loads(cases[i].json, 0, NULL);
        opened_read(&read, from, &problems);
        if (problems.count != cases[i].problems || read.count != cases[i].count)
            fail_msg("%s: %zu points and %zu problems", cases[i].json, read.count, problems.count);
        json_t *written = opened_write(&read);
        char *text = json_dumps(written, 0);
        opened_parse(&again, text);
        assert_int_equal(again.count, read.count);
        for (size_t at = 0; at < read.count; at++)
            assert_true(opened_names(&again, read.names[at]));
        free(text);
        json_decref(written);
        json_decref(from);
        opened_clear(&read);
        opened_clear(&again);
        problems_free(&problems);
    }
}

static void test_the_default_json_body_holds_everything(void **state)
{
    (void)state;
    struct event *event = event_sample(opened(), 5, 1795459217123);
    event->id = 914793674309632001;
    struct opened all = { 0 };
    for (size_t i = 0; i < opened()->point_count; i++)
        if (opened()->points[i].on_request)
            opened_add(&all, opened()->points[i].name);
    assert_true(all.count > 0);
    char *got = body_seen(PLACE_JSON, event, &all);
    opened_clear(&all);
    json_t *body = json_loads(got, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(body);
    assert_int_equal(json_object_size(body), 4 + opened()->point_count);
    assert_string_equal(json_string_value(json_object_get(body, "EventId")), "914793674309632001");
    assert_string_equal(json_string_value(json_object_get(body, "EventType")),
                        "action_inquiry.opened");
    assert_string_equal(json_string_value(json_object_get(body, "EventTime")),
                        "2026-11-23T18:40:17.123+00:00");
    assert_string_equal(json_string_value(json_object_get(body, "AccountSid")), "PAabc");
    assert_string_equal(json_string_value(json_object_get(body, "OrderId")), "ORD-20417");
    assert_int_equal(json_array_size(json_object_get(body, "Comments")), 1);
    assert_null(json_object_get(body, "PostbackId")); /* the same on every try */
    assert_null(json_object_get(body, "Attempt"));
    json_decref(body);
    free(got);
    event_unref(event);

    event = event_of("{ }");
    got = default_body(PLACE_JSON, event);
    body = json_loads(got, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_object_size(body), 4);
    json_decref(body);
    free(got);
    event_unref(event);
}

static void test_the_default_xml_body_nests_lists(void **state)
{
    (void)state;
    struct event *event =
        event_of("{\"OrderId\":\"<&>\",\"Comments\":[{\"User\":\"Dana\",\"1 b\":\"x\"},\"y\","
                 "[\"z\",1,true]],\"State\":\"OPEN\"}");
    char *got = default_body(PLACE_XML, event);
    reads_as(got, "<Event><EventId>914793674309632001|<EventType>action_inquiry.opened|"
                  "<EventTime>2026-11-23T18:40:17.123+00:00|<AccountSid>PAabc|<OrderId><&>|"
                  "<Comments><Item><User>Dana|<_1_b>x||<Item>y|<Item><Item>z|<Item>1|<Item>true|||"
                  "<State>OPEN||");
    free(got);
    event_unref(event);
    event = hostile_event();
    got = default_body(PLACE_XML, event);
    assert_null(strchr(got, '\x01'));
    assert_null(strstr(got, "\xef\xbf\xbf"));
    free(got);
    event_unref(event);
}

static void test_the_default_form_and_text_bodies(void **state)
{
    (void)state;
    struct event *event = event_of("{\"OrderId\":\"a b&c=\\n\",\"Comments\":[\"x\"]}");
    char *got = default_body(PLACE_FORM, event);
    assert_string_equal(got, "EventId=914793674309632001&EventType=action_inquiry.opened&"
                             "EventTime=2026-11-23T18%3A40%3A17.123%2B00%3A00&AccountSid=PAabc&"
                             "OrderId=a+b%26c%3D%0A&Comments=%5B%22x%22%5D");
    free(got);
    got = default_body(PLACE_TEXT, event);
    assert_string_equal(got, "EventId: 914793674309632001\nEventType: action_inquiry.opened\n"
                             "EventTime: 2026-11-23T18:40:17.123+00:00\nAccountSid: PAabc\n"
                             "OrderId: a b&c= \nComments: [\"x\"]\n");
    free(got);
    event_unref(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens_are_filled_in),
        cmocka_unit_test(test_doubled_braces_are_braces),
        cmocka_unit_test(test_json_keeps_its_own_braces),
        cmocka_unit_test(test_a_template_without_tokens_needs_no_points),
        cmocka_unit_test(test_a_value_goes_through_its_functions_once),
        cmocka_unit_test(test_the_work_of_functions_has_a_cap),
        cmocka_unit_test(test_the_number_of_different_functions_has_a_cap),
        cmocka_unit_test(test_tokens_of_any_of_the_types),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_functions_of_nothing_are_empty),
        cmocka_unit_test(test_unix_counts_whole_seconds_also_before_1970),
        cmocka_unit_test(test_wrong_functions_are_refused),
        cmocka_unit_test(test_urls_are_percent_encoded),
        cmocka_unit_test(test_forms_are_percent_encoded_with_plus),
        cmocka_unit_test(test_text_is_as_it_is),
        cmocka_unit_test(test_json_strings_are_escaped),
        cmocka_unit_test(test_json_values_have_a_type),
        cmocka_unit_test(test_json_lists_may_be_empty_or_have_a_default),
        cmocka_unit_test(test_json_numbers_are_numbers_or_strings),
        cmocka_unit_test(test_xml_survives_any_value),
        cmocka_unit_test(test_problems_name_the_place),
        cmocka_unit_test(test_every_wrong_token_is_named),
        cmocka_unit_test(test_size_is_capped),
        cmocka_unit_test(test_a_body_too_long_when_filled_in_is_refused),
        cmocka_unit_test(test_urls_hold_only_what_a_request_line_can),
        cmocka_unit_test(test_json_must_be_json),
        cmocka_unit_test(test_json_tokens_outside_quotes_stand_alone),
        cmocka_unit_test(test_json_escapes_are_not_made_of_tokens),
        cmocka_unit_test(test_xml_must_be_well_formed),
        cmocka_unit_test(test_xml_tokens_stand_in_text_and_values),
        cmocka_unit_test(test_the_default_json_body_holds_everything),
        cmocka_unit_test(test_a_default_body_holds_what_is_open),
        cmocka_unit_test(
            test_a_token_that_is_not_open_is_refused_with_its_place_and_expands_to_nothing),
        cmocka_unit_test(test_a_set_of_opened_points_is_read),
        cmocka_unit_test(test_the_default_xml_body_nests_lists),
        cmocka_unit_test(test_the_default_form_and_text_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
