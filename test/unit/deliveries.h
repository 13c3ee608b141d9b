/* deliveries.h — a courier and an HTTP receiver on one loop, and what each of them saw.
 *
 * For one test program; the functions are static.  The receiver answers each request as the test's
 * answer() says: a status, at once, late, or never.
 */
#ifndef POSTBACKD_TEST_DELIVERIES_H
#define POSTBACKD_TEST_DELIVERIES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "courier/courier.h"

#include <http_parser.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_MOST = 4096, PATHS_MOST = 8, NEVER = -1, CLOSES = -1, PATIENCE_MS = 20000 };

struct reply {
    int status;   /* or CLOSES: the connection */
    int delay_ms; /* or NEVER */
};

/* What the receiver saw of one path. */
struct seen {
    char path[32];
    int requests, now, most; /* now, most: at the same time */
};

struct attempt_seen {
    int64_t postback, notification, started_at;
    enum verdict verdict;
    enum exchange_error error;
    int status, number;
    char detail[160];
};

struct world {
    uv_loop_t loop;
    uv_timer_t pulse; /* so that waiting notices when it has been too long */

    uv_tcp_t listener;
    int port;
    struct reply (*answer)(struct world *world, const char *path, int64_t postback);
    struct seen seen[PATHS_MOST];
    int64_t arrivals[LOG_MOST]; /* postbacks, as they arrived */
    int64_t arrived_at[LOG_MOST];
    int arrived;

    struct courier *courier;
    struct list held; /* every postback there is */
    struct attempt_seen attempts[LOG_MOST];
    int attempted, delivered, downs, ups, hungers;
    /* Takes a postback that was not delivered; NULL: it is freed. */
    void (*failed)(struct world *world, struct postback *postback);
    int64_t stock_of, stock_next; /* on hunger: postbacks to push, from stock_next on */
    int stock;
    struct event *event; /* of all postbacks; NULL: each has one of its own */
    size_t event_len;    /* … with so many bytes; 0: few */
    bool busy;           /* inside a call of the courier: no event may come */
};

/* ---- the receiver ---- */

struct visitor {
    struct world *world;
    uv_tcp_t tcp;
    uv_timer_t later;
    int handles;
    http_parser parser;
    char path[32], field[32], id[32];
    struct seen *seen; /* of the request under way */
    int status;
};

static struct seen *seen_at(struct world *world, const char *path)
{
    for (int i = 0; i < PATHS_MOST; i++) {
        struct seen *seen = &world->seen[i];
        if (seen->path[0] == '\0')
            snprintf(seen->path, sizeof(seen->path), "%s", path);
        if (strcmp(seen->path, path) == 0)
            return seen;
    }
    fail_msg("more than %d paths", PATHS_MOST);
    return NULL;
}

static void visitor_closed(uv_handle_t *handle)
{
    struct visitor *visitor = handle->data;
    if (--visitor->handles == 0)
        free(visitor);
}

static void visitor_close(struct visitor *visitor)
{
    if (uv_is_closing((uv_handle_t *)&visitor->tcp))
        return;
    if (visitor->seen != NULL)
        visitor->seen->now--;
    uv_close((uv_handle_t *)&visitor->tcp, visitor_closed);
    uv_close((uv_handle_t *)&visitor->later, visitor_closed);
}

static void visitor_answer(struct visitor *visitor)
{
    char text[100];
    int len = snprintf(text, sizeof(text), "HTTP/1.1 %d Said\r\nContent-Length: 2\r\n\r\nok",
                       visitor->status);
    uv_buf_t out = uv_buf_init(text, (unsigned)len);
    visitor->seen->now--;
    visitor->seen = NULL;
    assert_int_equal(uv_try_write((uv_stream_t *)&visitor->tcp, &out, 1), len);
}

static void visitor_answer_late(uv_timer_t *timer)
{
    visitor_answer(timer->data);
}

static void copy_text(char *out, size_t size, const char *bytes, size_t len)
{
    size_t old = strlen(out);
    if (len > size - 1 - old)
        len = size - 1 - old;
    memcpy(out + old, bytes, len);
    out[old + len] = '\0';
}

static int on_begin(http_parser *parser)
{
    struct visitor *visitor = parser->data;
    visitor->path[0] = visitor->field[0] = visitor->id[0] = '\0';
    return 0;
}

static int on_url(http_parser *parser, const char *at, size_t len)
{
    struct visitor *visitor = parser->data;
    copy_text(visitor->path, sizeof(visitor->path), at, len);
    return 0;
}

static int on_field(http_parser *parser, const char *at, size_t len)
{
    struct visitor *visitor = parser->data;
    visitor->field[0] = '\0';
    copy_text(visitor->field, sizeof(visitor->field), at, len);
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
    struct visitor *visitor = parser->data;
    if (text_same(visitor->field, "webhook-id"))
        copy_text(visitor->id, sizeof(visitor->id), at, len);
    return 0;
}

static int on_complete(http_parser *parser)
{
    struct visitor *visitor = parser->data;
    struct world *world = visitor->world;
    int64_t id = -1;
    assert_true(text_int(visitor->id, 1, INT64_MAX, &id));
    assert_true(world->arrived < LOG_MOST);
    world->arrived_at[world->arrived] = clock_steady_ms();
    world->arrivals[world->arrived++] = id;
    visitor->seen = seen_at(world, visitor->path);
    visitor->seen->requests++;
    if (++visitor->seen->now > visitor->seen->most)
        visitor->seen->most = visitor->seen->now;
    struct reply reply = { 200, 0 };
    if (world->answer != NULL)
        reply = world->answer(world, visitor->path, id);
    visitor->status = reply.status;
    if (reply.status == CLOSES)
        visitor_close(visitor);
    else if (reply.delay_ms == 0)
        visitor_answer(visitor);
    else if (reply.delay_ms != NEVER)
        uv_timer_start(&visitor->later, visitor_answer_late, (uint64_t)reply.delay_ms, 0);
    return 0;
}

static void visitor_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char room[65536];
    (void)handle;
    (void)size;
    *buf = uv_buf_init(room, sizeof(room));
}

static void visitor_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    static const http_parser_settings settings = {
        .on_message_begin = on_begin,
        .on_url = on_url,
        .on_header_field = on_field,
        .on_header_value = on_value,
        .on_message_complete = on_complete,
    };
    struct visitor *visitor = stream->data;
    if (len < 0)
        visitor_close(visitor);
    else
        assert_int_equal(http_parser_execute(&visitor->parser, &settings, buf->base, (size_t)len),
                         len);
}

static void receiver_visited(uv_stream_t *listener, int status)
{
    struct world *world = listener->data;
    struct visitor *visitor = must_alloc(sizeof(*visitor));
    assert_int_equal(status, 0);
    visitor->world = world;
    visitor->handles = 2;
    http_parser_init(&visitor->parser, HTTP_REQUEST);
    visitor->parser.data = visitor->tcp.data = visitor->later.data = visitor;
    uv_tcp_init(&world->loop, &visitor->tcp);
    uv_timer_init(&world->loop, &visitor->later);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&visitor->tcp), 0);
    uv_read_start((uv_stream_t *)&visitor->tcp, visitor_room, visitor_read);
}

static void receiver_start(struct world *world)
{
    struct sockaddr_in address;
    int len = sizeof(address);
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(&world->loop, &world->listener);
    world->listener.data = world;
    assert_int_equal(uv_tcp_bind(&world->listener, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&world->listener, 128, receiver_visited), 0);
    uv_tcp_getsockname(&world->listener, (struct sockaddr *)&address, &len);
    world->port = ntohs(address.sin_port);
}

/* ---- the sender ---- */

static struct event *event_of(size_t len)
{
    struct buf data = { 0 };
    buf_fmt(&data, "{\"InquiryId\":\"%0*d\"}", len > 16 ? (int)len - 16 : 1, 7);
    struct event *event =
        event_new(1, catalog_type("action_inquiry.opened"), 0, 0, buf_text(&data), data.len);
    buf_free(&data);
    return event;
}

static struct postback *postback_for(struct world *world, int64_t notification, int64_t id)
{
    struct postback *postback = postback_new();
    postback->id = id;
    postback->notification = notification;
    postback->event = world->event != NULL ? event_ref(world->event) : event_of(world->event_len);
    list_init(&postback->in);
    list_append(&world->held, &postback->held);
    return postback;
}

static void postback_end(struct postback *postback)
{
    list_remove(&postback->held);
    postback_free(postback);
}

/* Pushes until one is refused; gives how many were taken. */
static int push(struct world *world, int64_t notification, int64_t first, int count)
{
    int taken = 0;
    for (bool more = true; more && taken < count;) {
        struct postback *postback = postback_for(world, notification, first + taken);
        world->busy = true;
        more = courier_push(world->courier, postback);
        world->busy = false;
        if (more)
            taken++;
        else
            postback_end(postback);
    }
    return taken;
}

static void attempted(void *context, struct postback *postback, struct attempt *attempt,
                      enum verdict verdict)
{
    struct world *world = context;
    assert_false(world->busy);
    assert_true(world->attempted < LOG_MOST);
    struct attempt_seen *seen = &world->attempts[world->attempted++];
    *seen = (struct attempt_seen){
        .postback = postback->id,
        .notification = postback->notification,
        .started_at = attempt->started_at,
        .verdict = verdict,
        .error = attempt->error,
        .status = attempt->status,
        .number = attempt->number,
    };
    snprintf(seen->detail, sizeof(seen->detail), "%s", attempt->detail);
    postback->attempts = attempt->number;
    attempt_free(attempt);
    if (verdict == VERDICT_DELIVERED)
        world->delivered++;
    if (verdict == VERDICT_DELIVERED || world->failed == NULL)
        postback_end(postback);
    else
        world->failed(world, postback);
}

static void hungry(void *context, int64_t notification)
{
    struct world *world = context;
    assert_false(world->busy);
    world->hungers++;
    if (notification != world->stock_of || world->stock == 0)
        return;
    int taken = push(world, notification, world->stock_next, world->stock);
    world->stock_next += taken;
    world->stock -= taken;
}

static void changed(void *context, int64_t notification, enum lane_state state)
{
    struct world *world = context;
    assert_false(world->busy);
    assert_int_equal(courier_state(world->courier, notification), state);
    world->downs += state == LANE_DOWN;
    world->ups += state == LANE_READY;
}

/* An account each, but for 100 and more: 100 … 199 are account 1's. */
static struct notification *notification_for(struct world *world, int64_t id, const char *path,
                                             const char *members)
{
    struct notification_settings settings = { 0 };
    struct problems problems = { 0 };
    char text[400];
    snprintf(text, sizeof(text),
             "{\"Category\":\"Action Inquiry Events\",\"Method\":\"POST\","
             "\"Url\":\"http://127.0.0.1:%d%s\"%s%s}",
             world->port, path, *members != '\0' ? "," : "", members);
    json_t *from = json_loads(text, 0, NULL);
    notification_settings_read(&settings, from, &problems);
    struct notification *notification = notification_compile(&settings, &problems);
    if (notification == NULL)
        fail_msg("%s: %s: %s", text, problems.items[0].field, problems.items[0].message);
    json_decref(from);
    notification->id = id;
    notification->account = id < 100 ? id : id / 100;
    notification->revision = 3;
    notification->account_sid = must_copy("PA1");
    return notification;
}

/* Makes or changes a lane. */
static void set(struct world *world, int64_t id, const char *path, const char *members)
{
    struct notification *notification = notification_for(world, id, path, members);
    world->busy = true;
    courier_set(world->courier, notification);
    world->busy = false;
    notification_unref(notification);
}

/* ---- the world ---- */

static void pulse(uv_timer_t *timer)
{
    (void)timer;
}

static struct world *world_new(struct courier_config config)
{
    static const char *const loopback[] = { "127.0.0.0/8" };
    static const struct courier_events events = { attempted, hungry, changed };
    struct world *world = must_alloc(sizeof(*world));
    struct error error = { 0 };
    config.client.allow_egress = loopback;
    config.client.allow_egress_count = 1;
    uv_loop_init(&world->loop);
    uv_timer_init(&world->loop, &world->pulse);
    uv_timer_start(&world->pulse, pulse, 100, 100);
    list_init(&world->held);
    receiver_start(world);
    world->courier = courier_new(&world->loop, &config, &events, world, &error);
    if (world->courier == NULL)
        fail_msg("courier_new: %s", error.message);
    return world;
}

static void close_any(uv_handle_t *handle, void *context)
{
    struct world *world = context;
    if (uv_is_closing(handle))
        return;
    if (handle == (uv_handle_t *)&world->listener || handle == (uv_handle_t *)&world->pulse)
        uv_close(handle, NULL);
    else
        visitor_close(handle->data);
}

/* Gives how many postbacks had not ended: queued or in flight. */
static int world_free(struct world *world)
{
    int left = 0;
    struct list *node;
    courier_free(world->courier);
    uv_run(&world->loop, UV_RUN_NOWAIT); /* its handles and the client's go */
    uv_walk(&world->loop, close_any, world);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    for (; (node = list_first(&world->held)) != NULL; left++) {
        struct postback *postback = container_of(node, struct postback, held);
        assert_true(list_empty(&postback->in));
        postback_end(postback);
    }
    event_unref(world->event);
    free(world);
    return left;
}

/* Turns the loop until the condition holds; fails when that takes too long. */
#define AWAIT(world, condition)                                                                    \
    do {                                                                                           \
        int64_t began_ms = clock_steady_ms();                                                      \
        while (!(condition)) {                                                                     \
            if (clock_steady_ms() - began_ms > PATIENCE_MS)                                        \
                fail_msg("waited in vain for: %s", #condition);                                    \
            uv_run(&(world)->loop, UV_RUN_ONCE);                                                   \
        }                                                                                          \
    } while (0)

#endif
