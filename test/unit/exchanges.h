/* exchanges.h — a client on a loop of its own, and exchanges waited for, for the client's tests. */
#ifndef POSTBACKD_TEST_EXCHANGES_H
#define POSTBACKD_TEST_EXCHANGES_H

#include "courier/client.h"
#include "receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct side { /* the sending side */
    uv_loop_t loop;
    struct client *client;
};

struct result {
    bool ended;
    int order; /* as it ended, from 1 */
    struct attempt attempt;
};

static int ended_so_far;

static inline void side_start(struct side *side, const struct client_config *config)
{
    static const char *const loopback[] = { "127.0.0.0/8", "::1/128" };
    struct client_config open = *config;
    open.late_tls = true;
    struct error error = { 0 };
    if (open.allow_egress == NULL) {
        open.allow_egress = loopback;
        open.allow_egress_count = 2;
    }
    ended_so_far = 0;
    alarm(100); /* a test that hangs ends with a name, not with the suite's time */
    assert_int_equal(uv_loop_init(&side->loop), 0);
    side->client = client_new(&side->loop, &open, &error);
    if (side->client == NULL)
        fail_msg("no client: %s", error.message);
}

/* Fails when a handle is left. */
static inline void side_stop(struct side *side)
{
    if (side->client != NULL)
        client_free(side->client);
    uv_run(&side->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&side->loop), 0);
    alarm(0);
}

static inline void on_done(void *context, struct attempt *attempt)
{
    struct result *result = context;
    assert_false(result->ended);
    result->ended = true;
    result->order = ++ended_so_far;
    result->attempt = *attempt;
}

static inline struct exchange *send_body(struct side *side, const struct destination *to,
                                         const char *method, const char *target, const char *body,
                                         size_t body_len, struct result *result)
{
    struct request request = { 0 };
    *result = (struct result){ 0 };
    buf_str(&request.target, target);
    buf_fmt(&request.headers, "Host: %s:%d\r\n", to->host, to->port);
    if (body_len > 0)
        buf_fmt(&request.headers, "Content-Length: %zu\r\n", body_len);
    buf_add(&request.body, body, body_len);
    struct exchange *exchange = client_send(side->client, to, method, &request, on_done, result);
    assert_false(result->ended);
    request_free(&request);
    return exchange;
}

static inline struct exchange *send_to(struct side *side, int port, struct result *result)
{
    const struct destination to = { .host = "127.0.0.1", .port = port };
    return send_body(side, &to, "POST", "/hook", "{}", 2, result);
}

static inline void await(struct side *side, const struct result *result)
{
    while (!result->ended)
        uv_run(&side->loop, UV_RUN_ONCE);
}

/* One exchange, from start to end. */
static inline struct attempt exchange(struct side *side, int port)
{
    struct result result;
    send_to(side, port, &result);
    await(side, &result);
    return result.attempt;
}

static inline void await_open(struct side *side, int64_t open)
{
    struct client_figures figures;
    for (;;) {
        client_figures(side->client, &figures);
        if (figures.open == open)
            return;
        uv_run(&side->loop, UV_RUN_ONCE);
    }
}

static inline void expect_error(const struct attempt *attempt, enum exchange_error error,
                                const char *words)
{
    if (attempt->error != error || strstr(attempt->detail, words) == NULL)
        fail_msg("expected %s “%s”, got %s “%s” (status %d)", exchange_error_name(error), words,
                 exchange_error_name(attempt->error), attempt->detail, attempt->status);
}

static inline void expect_answer(const struct attempt *attempt, int status, const char *body)
{
    if (attempt->error != EXCHANGE_OK || attempt->status != status)
        fail_msg("expected status %d, got %d, %s “%s”", status, attempt->status,
                 exchange_error_name(attempt->error), attempt->detail);
    size_t len = strlen(body);
    if (attempt->body_len != len || (len > 0 && memcmp(attempt->body, body, len) != 0))
        fail_msg("expected body “%s”, got “%.*s”", body, (int)attempt->body_len,
                 attempt->body != NULL ? attempt->body : "");
}

#endif
