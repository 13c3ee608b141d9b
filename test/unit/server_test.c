/* The HTTP server as a client on a raw socket sees it: the server turns its loop on a thread of its
 * own, the test speaks to it over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fail.h"
#include "http_house.h"

#include <stdatomic.h>

/* ---- the server under test ---- */

enum { CROWD = 128, BODY_CAP = 1000 };

static _Atomic int handled;
static struct call *crowd[CROWD];
static size_t crowd_count;

static void echo(struct call *call, void *context)
{
    (void)context;
    handled++;
    call_text_answer(call, 200, "text/plain", buf_text(&call->body), call->body.len);
}

static void thing(struct call *call, void *context)
{
    (void)context;
    json_t *body = json_object();
    json_object_set_new(body, "method", json_string(call->method));
    json_object_set_new(body, "sid", json_string(call->params[0]));
    json_object_set_new(body, "id", json_string(call->params[1]));
    json_object_set_new(body, "q", json_string(call_query(call, "q")));
    json_object_set_new(body, "path", json_string(call->path));
    json_object_set_new(body, "address", json_string(call->address));
    call_json_answer(call, 200, body);
}

static void object(struct call *call, void *context)
{
    (void)context;
    json_t *body = call_object(call);
    if (body != NULL)
        call_json_answer(call, 200, body);
}

static void only(struct call *call, void *context)
{
    (void)context;
    static const char *const names[] = { "Page", "PageSize", NULL };
    struct problems problems = { 0 };
    call_query_only(call, names, &problems);
    struct error error = { .kind = ERROR_NONE };
    if (problems.count > 0)
        call_refuse_error(call, &error, &problems);
    else
        call_ok(call, "/only/%d", 5);
    problems_free(&problems);
}

static void path_is_the_answer(struct call *call)
{
    call_ok(call, "%s", call->path);
}

static void later(struct call *call, void *context)
{
    (void)context;
    handled++;
    call_later(call, 20, path_is_the_answer);
}

static void signed_in(struct call *call)
{
    call_is_of_partner(call);
    if (strstr(call->target, "refuse") != NULL)
        call_refuse(call, 401, NULL, "no");
    else
        call_enter(call);
}

/* Answers all at once when as many have come, as a commit does. */
static void gather(struct call *call, void *context)
{
    (void)context;
    crowd[crowd_count++] = call;
    if (crowd_count < CROWD)
        return;
    crowd_count = 0;
    for (size_t i = 0; i < CROWD; i++)
        call_ok(crowd[i], "/gather/%zu", i);
}

static void enter(struct call *call, void *context)
{
    (void)context;
    char *user, *password;
    if (!call_basic(call, &user, &password)) {
        call_add_header(call, "WWW-Authenticate", "Basic realm=\"test\"");
        call_refuse(call, 401, NULL, "Sign in.");
        return;
    }
    bool slow = strcmp(password, "slow") == 0;
    bool reading = strcmp(password, "read") == 0;
    if (!slow) {
        call->caller = (struct caller){ .account = 1,
                                        .kind = ACCOUNT_PARTNER,
                                        .scope = reading ? SCOPE_READ : SCOPE_API };
        snprintf(call->caller.sid, sizeof(call->caller.sid), "%s", user);
        if (strncmp(user, "OP", 2) == 0)
            call->caller.kind = ACCOUNT_OPERATOR;
    }
    free(user);
    free(password);
    if (slow)
        call_later(call, 20, signed_in);
    else
        call_enter(call);
}

static const struct route routes[] = {
    { "POST", "/echo", echo, .body_max = BODY_CAP },
    { "PUT", "/echo", echo, .body_max = BODY_CAP },
    { "GET", "/later", later, .who = 0 },
    { "POST", "/gather", gather, .who = 0 },
    { "POST", "/object", object, .who = 0 },
    { "GET", "/only", only, .who = 0, .reads_query = true },
    { "GET", "/kept.json", only, .who = 0 },
    { "POST", "/signed", echo, .who = ACCOUNT_PARTNER, .scopes = SCOPE_API, .body_max = BODY_CAP },
    { "GET", "/open/{Id}/{Name}", thing, .who = 0, .reads_query = true },
    { "GET", "/Mediapartners/{SID}/Things/{Id}", thing, .who = ACCOUNT_PARTNER,
      .scopes = SCOPE_API | SCOPE_READ, .counted = true },
    { "POST", "/Mediapartners/{SID}/Things/{Id}", thing, .who = ACCOUNT_PARTNER,
      .scopes = SCOPE_API },
    { "GET", "/Operator/{SID}/{Id}", thing, .who = ACCOUNT_OPERATOR, .scopes = SCOPE_API },
};

static void house_open(int idle_s)
{
    handled = 0;
    start_server(routes, sizeof(routes) / sizeof(routes[0]), enter, idle_s);
}

#define PA1  "Authorization: Basic UEExOm9r\r\n"     /* PA1:ok */
#define SLOW "Authorization: Basic UEExOnNsb3c=\r\n" /* PA1:slow */
#define READ "Authorization: Basic UEExOnJlYWQ=\r\n" /* PA1:read */
#define OP1  "Authorization: Basic T1AxOm9r\r\n"     /* OP1:ok */

/* ---- routes ---- */

static void test_routes(void **state)
{
    (void)state;
    expect_body("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", "hello");
    expect_status("GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404);
    expect_status("GET /ECHO HTTP/1.1\r\n" HOST "\r\n", 404);
    expect_status("POST /echo/ HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 404);
    expect_status("GET /open//x HTTP/1.1\r\n" HOST "\r\n", 404);
    const char *answer = ask("DELETE /echo HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(answer), 405);
    assert_true(has(answer, "Allow: POST, PUT\r\n"));
    answer = ask("PATCH /open/1/2 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(has(answer, "Allow: GET, HEAD\r\n"));
    expect_body("GET http://x/open/1/2 HTTP/1.1\r\n" HOST "\r\n",
                "{\"method\":\"GET\",\"sid\":\"1\",\"id\":\"2\",\"q\":\"\",\"path\":\"/open/1/2\","
                "\"address\":\"127.0.0.1\"}");
}

static void test_every_answer_is_guarded_and_errors_have_one_shape(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET /nothing HTTP/1.1\r\n" HOST "\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "\r\n",
        "GET /open/%zz/a HTTP/1.1\r\n" HOST "\r\n",
        "POST /signed HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        const char *answer = ask(requests[i]);
        assert_true(has(answer, "X-Content-Type-Options: nosniff\r\n"));
        assert_true(has(answer, "Cache-Control: no-store\r\n"));
        json_t *body = json_loads(body_of(answer), 0, NULL);
        assert_string_equal(json_string_value(json_object_get(body, "Status")), "ERROR");
        assert_true(json_is_string(json_object_get(body, "Message")));
        assert_true(json_is_array(json_object_get(body, "Errors")));
        json_decref(body);
    }
}

static void test_escapes_belong_to_their_segment(void **state)
{
    (void)state;
    const char *answer = ask("GET /open/a%2Fb/%C3%A9%20+?q=1+2%26%2b HTTP/1.1\r\n" HOST "\r\n");
    json_t *body = json_loads(body_of(answer), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(body, "sid")), "a/b");
    assert_string_equal(json_string_value(json_object_get(body, "id")), "\xc3\xa9 +");
    assert_string_equal(json_string_value(json_object_get(body, "q")), "1 2&+");
    json_decref(body);
    expect_status("GET /open/%00/a HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_status("GET /open/%/a HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_status("GET /open/%4/a HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_status("GET /open/a\tb/c HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_status("GET /open/a/b?q=\f HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_status("GET /open/%ff/a HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_status("GET /open/a/a?q=%ff HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_status("GET /open/a/a?q=%2 HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_status("GET /open/a/a?q=1&q=2 HTTP/1.1\r\n" HOST "\r\n", 400);
    expect_status("GET /a/b/c/d/e/f/g/h/i/j/k/l/m/n HTTP/1.1\r\n" HOST "\r\n", 404);
    expect_status("GET * HTTP/1.1\r\n" HOST "\r\n", 400);
}

static void test_too_many_query_parameters_are_refused(void **state)
{
    (void)state;
    char request[4096] = "GET /open/a/a?";
    for (int i = 0; i < 65; i++)
        snprintf(request + strlen(request), sizeof(request) - strlen(request), "p%d=1&", i);
    snprintf(request + strlen(request), sizeof(request) - strlen(request),
             " HTTP/1.1\r\n" HOST "\r\n");
    expect_status(request, 400);
}

static void test_unknown_query_parameters_are_named(void **state)
{
    (void)state;
    const char *answer = ask("GET /only?Page=1&pagesize=3&x=%22 HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(status_of(answer), 400);
    assert_true(has(answer, "\"Field\":\"pagesize\""));
    assert_true(has(answer, "\"Field\":\"x\""));
    assert_false(has(answer, "\"Field\":\"Page\""));
    expect_status("GET /only?IrVersion=16 HTTP/1.1\r\n" HOST "\r\n", 200); /* C4 */
    expect_body("GET /only?PageSize=3 HTTP/1.1\r\n" HOST "\r\n",
                "{\"Status\":\"OK\",\"Uri\":\"/only/5\"}");
}

static void test_head_is_get_without_a_body(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, "HEAD /open/1/2 HTTP/1.1\r\n" HOST "\r\n");
    const char *answer = hear(fd, true);
    assert_int_equal(status_of(answer), 200);
    assert_false(has(answer, "Content-Length: 0"));
    say(fd, "GET /nothing HTTP/1.1\r\n" HOST "\r\n"); /* nothing of a body is in between */
    assert_int_equal(status_of(hear(fd, false)), 404);
    close(fd);
}

/* ---- bodies ---- */

static void test_a_body_over_its_cap_is_refused_and_the_connection_lives(void **state)
{
    (void)state;
    static char request[40 * 1024];
    int len = snprintf(request, sizeof(request),
                       "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", 30000);
    memset(request + len, 'a', 30000);
    int fd = dial();
    say_bytes(fd, request, (size_t)len + 30000);
    assert_int_equal(status_of(hear(fd, false)), 413);
    say(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nok");
    const char *answer = hear(fd, false);
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "ok");
    close(fd);
    assert_int_equal(handled, 1);
}

static void test_a_hugely_long_body_is_refused_unread(void **state)
{
    (void)state;
    expect_status("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n", 413);
    expect_status("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775807\r\n\r\n",
                  413);
    const char *answer =
        ask("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999999\r\n\r\n");
    assert_true(status_of(answer) == 413 || status_of(answer) == 400);
    assert_int_equal(handled, 0);
}

static void test_chunked_bodies(void **state)
{
    (void)state;
#define CHUNKED "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
    expect_body(CHUNKED "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde");
    static char request[8192] = CHUNKED "bb8\r\n"; /* 3000 bytes: over the cap */
    size_t len = strlen(request);
    memset(request + len, 'a', 3000);
    strncpy(request + len + 3000, "\r\n0\r\n\r\n", 16);
    expect_status(request, 413);
    expect_status(CHUNKED "xyz\r\nabc\r\n0\r\n\r\n", 400);
    int fd = dial();
    say(fd, CHUNKED "ffffffffffffffffffffff\r\nabc\r\n0\r\n\r\n");
    int status = status_of(hear(fd, false));
    assert_true(status == 400 || status == 413 || status == 0);
    close(fd);
    assert_int_equal(handled, 1);
}

static void test_an_unclear_length_is_refused_and_the_connection_closed(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    };
    char request[512];
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        int fd = dial();
        snprintf(request, sizeof(request), "POST /echo HTTP/1.1\r\n" HOST "%s\r\nabcGET /later",
                 heads[i]);
        say(fd, request);
        int status = status_of(hear(fd, false));
        if (status != 400 && status != 501)
            fail_msg("%s: expected 400 or 501, got %d", heads[i], status);
        assert_true(ended(fd));
        close(fd);
    }
    assert_int_equal(handled, 0);
}

static void test_a_body_in_small_pieces(void **state)
{
    (void)state;
    int fd = dial();
    const char *request = "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\nhello world";
    for (const char *at = request; *at != '\0'; at++)
        say_bytes(fd, at, 1);
    assert_string_equal(body_of(hear(fd, false)), "hello world");
    close(fd);
}

static void test_100_continue_only_for_what_fits(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_int_equal(status_of(hear(fd, false)), 100);
    say(fd, "abc");
    assert_string_equal(body_of(hear(fd, false)), "abc");
    close(fd);
    expect_status(
        "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3000\r\n\r\n", 413);
    expect_status(
        "POST /signed HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", 401);
    expect_status("POST /echo HTTP/1.1\r\n" HOST "Expect: miracles\r\nContent-Length: 3\r\n\r\n",
                  417);
}

#define OBJECT "POST /object HTTP/1.1\r\n" HOST

static void test_bodies_as_objects(void **state)
{
    (void)state;
    static const struct {
        const char *type, *body;
        int status;
        const char *answer;
    } rows[] = {
        { NULL, "a=1+&b=%41&c", 200, "{\"a\":\"1 \",\"b\":\"A\",\"c\":\"\"}" },
        { NULL, "", 200, "{}" },
        { "application/json", "", 200, "{}" },
        { "application/x-www-form-urlencoded; charset=utf-8", "a=b", 200, "{\"a\":\"b\"}" },
        { "APPLICATION/JSON;charset=utf-8", "{\"a\":[1]}", 200, "{\"a\":[1]}" },
        { NULL, "a=1&a=2", 400, "is given twice" },
        { NULL, "a=%4", 400, "\"Field\":\"a\"" },
        { NULL, "a=%00", 400, "\"Field\":\"a\"" },
        { NULL, "%ff=1", 400, "percent" },
        { "application/json", "[1]", 400, "must be a JSON object" },
        { "application/json", "{\"a\":1,\"a\":2}", 400, "line 1" },
        /* I6: a byte order mark, which editors write before the text, and there alone */
        { "application/json", "\xef\xbb\xbf{\"a\":[1]}", 200, "{\"a\":[1]}" },
        { "application/json", "\xef\xbb\xbf", 400, "not valid JSON" },
        { "application/json", "\xef\xbb\xbf\xef\xbb\xbf{}", 400, "not valid JSON" },
        { "application/json", "{\xef\xbb\xbf}", 400, "not valid JSON" },
        { "application/json", "{} \xef\xbb\xbf", 400, "not valid JSON" },
        { "application/json", "\xff\xfe{\"a\":1}", 400, "not valid JSON" },
        { NULL,
          "\xef\xbb\xbf"
          "a=1",
          200, "{\"a\":\"1\"}" },
        { "application/json", "{\n\"a\":}", 400, "line 2" },
        { "application/json", "{\"a\":\"\\u0000\"}", 400, "not valid JSON" },
        { "text/plain", "a=1", 415, "form" },
        { "application/jsonp", "{}", 415, "form" },
    };
    char request[1024];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(request, sizeof(request), OBJECT "%s%s%sContent-Length: %zu\r\n\r\n%s",
                 rows[i].type != NULL ? "Content-Type: " : "",
                 rows[i].type != NULL ? rows[i].type : "", rows[i].type != NULL ? "\r\n" : "",
                 strlen(rows[i].body), rows[i].body);
        const char *answer = ask(request);
        if (status_of(answer) != rows[i].status || !has(answer, rows[i].answer))
            fail_msg("%s: expected %d %s, got %s", rows[i].body, rows[i].status, rows[i].answer,
                     answer);
    }
}

static void test_bodies_with_a_coding_are_refused(void **state)
{
    (void)state;
    /* I5: a body that is packed is not read as if it were not. */
    static const struct {
        const char *headers;
        int status;
    } rows[] = {
        { "Content-Encoding: gzip\r\n", 415 },
        { "Content-Encoding: GZIP\r\nContent-Type: application/json\r\n", 415 },
        { "content-encoding: deflate, identity\r\n", 415 },
        { "Content-Encoding: identity, br\r\n", 415 },
        { "Content-Encoding: identity\r\nContent-Encoding: zstd\r\n", 415 },
        { "Content-Encoding: identity\r\n", 200 },
        { "Content-Encoding: Identity , identity\r\n", 200 },
        { "Content-Encoding:\r\n", 200 },
    };
    char request[1024];
    int fd = dial();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(request, sizeof(request),
                 "POST /echo HTTP/1.1\r\n" HOST "%sContent-Length: 3\r\n\r\nabc", rows[i].headers);
        say(fd, request);
        const char *answer = hear(fd, false);
        if (status_of(answer) != rows[i].status)
            fail_msg("%s: expected %d, got %s", rows[i].headers, rows[i].status, answer);
        if (rows[i].status == 415)
            assert_true(has(answer, "Accept-Encoding: identity\r\n") &&
                        has(answer, "Content-Encoding"));
    }
    close(fd);
    expect_status("GET /open/1/2 HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\n\r\n", 200);
    expect_status("GET /open/1/2 HTTP/1.1\r\n" HOST
                  "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\na",
                  415);
    expect_status("POST /echo HTTP/1.1\r\n" HOST
                  "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                  415);
}

static void test_a_path_may_end_in_json(void **state)
{
    (void)state;
    /* C2: ".json" is nothing of the path; where the path as it came is one of its own, that is. */
    static const struct {
        const char *path, *id;
    } rows[] = {
        { "/open/1/2.json", "2" },      { "/open/1/2.json?q=a.json", "2" },
        { "/open/1/2%2Ejson", "2" },    { "/open/1/2.json.json", "2.json" },
        { "/open/1.json/2", "2" },      { "/open/1/.json", ".json" },
        { "/open/1/2.JSON", "2.JSON" }, { "/open/1/2.csv", "2.csv" },
        { "/open/1/2json", "2json" },
    };
    char request[256];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST "\r\n", rows[i].path);
        const char *answer = ask(request);
        json_t *body = json_loads(body_of(answer), 0, NULL);
        const char *id = json_string_value(json_object_get(body, "id"));
        if (id == NULL || strcmp(id, rows[i].id) != 0)
            fail_msg("%s: expected %s, got %s", rows[i].path, rows[i].id, answer);
        json_decref(body);
    }
    expect_status("GET /only.json HTTP/1.1\r\n" HOST "\r\n", 200);
    expect_status("POST /only.json HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405);
    expect_status("GET /nothing.json HTTP/1.1\r\n" HOST "\r\n", 404);
    expect_status("GET /.json HTTP/1.1\r\n" HOST "\r\n", 404);
    expect_status("GET /kept.json HTTP/1.1\r\n" HOST "\r\n", 200);
    expect_status("GET /kept HTTP/1.1\r\n" HOST "\r\n", 404);
}

/* ---- who calls ---- */

static void test_who_may_call_what(void **state)
{
    (void)state;
    expect_status("GET /Mediapartners/PA1/Things/1 HTTP/1.1\r\n" HOST "\r\n", 401);
    expect_status("GET /Mediapartners/PA1/Things/1 HTTP/1.1\r\n" HOST PA1 "\r\n", 200);
    expect_status("GET /Mediapartners/PA2/Things/1 HTTP/1.1\r\n" HOST PA1 "\r\n", 404);
    expect_status("GET /Mediapartners/PA1/Things/1 HTTP/1.1\r\n" HOST OP1 "\r\n", 404);
    expect_status("GET /Mediapartners/OP1/Things/1 HTTP/1.1\r\n" HOST OP1 "\r\n", 403);
    expect_status("GET /Mediapartners/PA1/Things/1 HTTP/1.1\r\n" HOST READ "\r\n", 200);
    expect_status("POST /Mediapartners/PA1/Things/1 HTTP/1.1\r\n" HOST READ "\r\n", 403);
    expect_status("GET /Operator/PA1/1 HTTP/1.1\r\n" HOST OP1 "\r\n", 200);
    expect_status("GET /Operator/PA1/1 HTTP/1.1\r\n" HOST PA1 "\r\n", 403);
    expect_status("POST /signed HTTP/1.1\r\n" HOST PA1 PA1 "Content-Length: 0\r\n\r\n", 401);
    expect_status("POST /signed HTTP/1.1\r\n" HOST
                  "Authorization: Basic !!\r\nContent-Length: 0\r\n\r\n",
                  401);
    expect_status("POST /signed HTTP/1.1\r\n" HOST
                  "Authorization: Basic bm8=\r\nContent-Length: 0\r\n\r\n",
                  401);
    expect_status(
        "POST /signed HTTP/1.1\r\n" HOST "Authorization: Basic\r\nContent-Length: 0\r\n\r\n", 401);
}

static void test_slow_sign_in_comes_before_the_body(void **state)
{
    (void)state;
    expect_body("POST /signed HTTP/1.1\r\n" HOST SLOW "Content-Length: 3\r\n\r\nabc", "abc");
    int fd = dial();
    say(fd, "POST /signed?refuse HTTP/1.1\r\n" HOST SLOW "Content-Length: 3\r\n\r\n");
    say(fd, "abc");
    assert_int_equal(status_of(hear(fd, false)), 401);
    say(fd, "POST /signed HTTP/1.1\r\n" HOST PA1 "Content-Length: 3\r\n\r\nxyz"); /* it lives */
    assert_string_equal(body_of(hear(fd, false)), "xyz");
    close(fd);
    expect_status("POST /signed?refuse HTTP/1.1\r\n" HOST SLOW
                  "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
                  401);
}

static void test_counted_calls_say_what_is_left(void **state)
{
    (void)state;
#define COUNTED "GET /Mediapartners/PA1/Things/1 HTTP/1.1\r\n" HOST PA1 "\r\n"
    const char *answer = ask(COUNTED);
    static const char *const headers[] = {
        "X-RateLimit-Limit-hour: 5\r\n", "X-RateLimit-Remaining-hour: 4\r\n",
        "\r\nRateLimit-Reset: ",         "X-RateLimit-Limit: 5\r\n",
        "X-RateLimit-Remaining: 4\r\n",  "X-RateLimit-Reset: "
    };
    for (size_t i = 0; i < 6; i++) {
        if (!has(answer, headers[i]))
            fail_msg("expected %s in %s", headers[i], answer);
    }
    for (int i = 0; i < 4; i++)
        expect_status(COUNTED, 200);
    answer = ask(COUNTED);
    assert_int_equal(status_of(answer), 429);
    assert_true(has(answer, "Retry-After: "));
    assert_true(has(answer, "X-RateLimit-Remaining: 0\r\n"));
    expect_status("POST /signed HTTP/1.1\r\n" HOST PA1 "Content-Length: 0\r\n\r\n", 200);
}

/* ---- time and crowds ---- */

static void test_answers_that_come_later(void **state)
{
    (void)state;
    int fd = dial();
    for (int i = 0; i < 3; i++) {
        say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(status_of(hear(fd, false)), 200);
    }
    close(fd);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    int fd = dial();
    say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n"
            "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nA"
            "GET /nothing HTTP/1.1\r\n" HOST "\r\n"
            "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nB");
    assert_true(has(hear(fd, false), "\"Uri\":\"/later\""));
    assert_string_equal(body_of(hear(fd, false)), "A");
    assert_int_equal(status_of(hear(fd, false)), 404);
    assert_string_equal(body_of(hear(fd, false)), "B");
    close(fd);
}

static void test_a_crowd_answered_in_one_turn(void **state)
{
    (void)state;
    int fds[CROWD];
    for (int i = 0; i < CROWD; i++)
        fds[i] = dial();
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < CROWD; i++)
            say(fds[i], "POST /gather HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi");
        for (int i = 0; i < CROWD; i++)
            assert_int_equal(status_of(hear(fds[i], false)), 200);
    }
    for (int i = 0; i < CROWD; i++)
        close(fds[i]);
}

static void test_clients_that_leave_before_the_answer(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = dial();
        say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
        const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
        UNTIL(handled >= i * 2 + 1); /* the handler has it */
        if (i % 2 == 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
        expect_body("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", "x");
    }
    int fd = dial(); /* in the middle of headers and of a body */
    say(fd, "POST /echo HTTP/1.1\r\nHo");
    close(fd);
    fd = dial();
    say(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc");
    close(fd);
    expect_body("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", "x");
}

static void test_slow_clients_are_cut_off(void **state)
{
    (void)state;
    enum { SILENT, DRIPPING, IN_BODY, CLIENTS };
    static const char *const drops[CLIENTS] = { "", "x", "x" };
    int fds[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++)
        fds[i] = dial();
    say(fds[IN_BODY], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 900\r\n\r\n");
    say(fds[DRIPPING], "GET /later HTTP/1.1\r\nX: ");
    drip_until_ended(fds, drops, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++)
        close(fds[i]);
    expect_body("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", "x");
}

/* ---- what is no HTTP ---- */

static void test_malformed_requests_get_an_answer_or_a_close(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET /later\r\n\r\n",
        "GET /later HTTP/9.9\r\n" HOST "\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET /later HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /later HTTP/1.1\r\n" HOST ": empty\r\n\r\n",
        "GET /open/1/2 HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\n",
        "GET /open/1/2 HTTP/1.1\r\n" HOST "a(b): c\r\n\r\n",
        "GET /later HTTP/1.1\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1x\r\n\r\na",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\na",
        "GET /open/\xff/\x01 HTTP/1.1\r\n" HOST "\r\n",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = dial();
        say(fd, rows[i]);
        shutdown(fd, SHUT_WR);
        int status = status_of(hear(fd, false));
        if (status >= 200 && status < 300)
            fail_msg("row %zu: answered %d", i, status);
        close(fd);
    }
    expect_body("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", "x");
}

/* A request with headers of `each` bytes that make `total`. */
static int status_with_headers(size_t each, size_t total)
{
    static char request[128 * 1024];
    int len = snprintf(request, sizeof(request), "GET /open/1/2 HTTP/1.1\r\n" HOST);
    char *at = request + len;
    for (size_t written = 0; written < total; written += each) {
        at = stpcpy(at, "X: ");
        memset(at, 'a', each - 5);
        at = stpcpy(at + each - 5, "\r\n");
    }
    stpcpy(at, "\r\n");
    int fd = dial();
    say(fd, request);
    int status = status_of(hear(fd, false));
    close(fd);
    return status;
}

static void test_headers_have_a_cap(void **state)
{
    (void)state;
    for (size_t total = 6000; total < 11000; total += 64) {
        int status = status_with_headers(total, total);
        if (total < 8000   ? status != 200
            : total > 8192 ? status != 431
                           : status != 200 && status != 431)
            fail_msg("a header of %zu bytes: got %d", total, status);
    }
    for (size_t total = 100; total < 4000; total += 100) {
        int status = status_with_headers(10, total);
        if (status != 200 && status != 431)
            fail_msg("%zu headers of 10 bytes: got %d", total / 10, status);
    }
    assert_int_equal(status_with_headers(20, 400), 200);
    assert_int_equal(status_with_headers(60000, 60000), 431);

    static char request[32 * 1024];
    int len = snprintf(request, sizeof(request), "GET /open/1/");
    memset(request + len, 'a', 20000);
    snprintf(request + (size_t)len + 20000, 32, " HTTP/1.1\r\n" HOST "\r\n");
    int fd = dial();
    say(fd, request);
    assert_int_equal(status_of(hear(fd, false)), 414);
    close(fd);
}

/* ---- addresses ---- */

static void test_addresses_that_cannot_be_listened_on(void **state)
{
    (void)state;
    char taken[64], expected[128];
    server_address(server, taken, sizeof(taken));
    snprintf(expected, sizeof(expected), "port %d on 127.0.0.1 is in use", port);
    const struct {
        const char *listen, *message;
    } rows[] = {
        { taken, expected },
        { "203.0.113.7:0", "203.0.113.7 is not an address of this machine" },
        { "127.0.0.1", "write ADDRESS:PORT" },
        { "127.0.0.1:", "write ADDRESS:PORT" },
        { "127.0.0.1:99999", "write ADDRESS:PORT" },
        { "::1:8080", "write ADDRESS:PORT" },
        { ":8080", "write ADDRESS:PORT" },
    };
    uv_loop_t other;
    uv_loop_init(&other);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error error = { 0 };
        const struct server_config config = { .listen = rows[i].listen };
        assert_null(server_new(&other, &config, &error));
        if (strstr(error.message, rows[i].message) == NULL)
            fail_msg("%s: expected \"%s\", got \"%s\"", rows[i].listen, rows[i].message,
                     error.message);
    }
    assert_int_equal(uv_loop_close(&other), 0);
}

static void test_ipv6(void **state)
{
    (void)state;
    uv_loop_t other;
    uv_loop_init(&other);
    struct error error = { 0 };
    const struct server_config config = { .listen = "[::1]:0" };
    struct server *six = server_new(&other, &config, &error);
    if (six == NULL) { /* a machine without IPv6 */
        assert_non_null(strstr(error.message, "is not an address of this machine"));
    } else {
        char address[64], expected[64];
        server_address(six, address, sizeof(address));
        snprintf(expected, sizeof(expected), "[::1]:%d", server_port(six));
        assert_string_equal(address, expected);
        server_free(six);
        uv_run(&other, UV_RUN_DEFAULT);
    }
    assert_int_equal(uv_loop_close(&other), 0);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(test_routes),
        WITH_SERVER(test_every_answer_is_guarded_and_errors_have_one_shape),
        WITH_SERVER(test_escapes_belong_to_their_segment),
        WITH_SERVER(test_too_many_query_parameters_are_refused),
        WITH_SERVER(test_unknown_query_parameters_are_named),
        WITH_SERVER(test_head_is_get_without_a_body),
        WITH_SERVER(test_a_body_over_its_cap_is_refused_and_the_connection_lives),
        WITH_SERVER(test_a_hugely_long_body_is_refused_unread),
        WITH_SERVER(test_chunked_bodies),
        WITH_SERVER(test_an_unclear_length_is_refused_and_the_connection_closed),
        WITH_SERVER(test_a_body_in_small_pieces),
        WITH_SERVER(test_100_continue_only_for_what_fits),
        WITH_SERVER(test_bodies_as_objects),
        WITH_SERVER(test_bodies_with_a_coding_are_refused),
        WITH_SERVER(test_a_path_may_end_in_json),
        WITH_SERVER(test_who_may_call_what),
        WITH_SERVER(test_slow_sign_in_comes_before_the_body),
        WITH_SERVER(test_counted_calls_say_what_is_left),
        WITH_SERVER(test_answers_that_come_later),
        WITH_SERVER(test_pipelined_requests_are_answered_in_order),
        WITH_SERVER(test_a_crowd_answered_in_one_turn),
        WITH_SERVER(test_clients_that_leave_before_the_answer),
        cmocka_unit_test_setup_teardown(test_slow_clients_are_cut_off, start_impatient, finish),
        WITH_SERVER(test_malformed_requests_get_an_answer_or_a_close),
        WITH_SERVER(test_headers_have_a_cap),
        WITH_SERVER(test_addresses_that_cannot_be_listened_on),
        WITH_SERVER(test_ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
