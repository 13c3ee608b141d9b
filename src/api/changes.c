/* changes.c — GET …/Changes: held until something of the account's postbacks has changed.
 *
 * The calls that wait stand in one list, oldest first.  While there is one, a timer looks four
 * times a second whether the mark that each was told last (engine.h) is another by now; so a busy
 * account is answered four times a second, not once a postback.  A cursor is the mark behind a
 * number drawn at the start: one of another start, or one that is none, is answered at once.
 *
 * The rule: whoever waits is answered, also when its client has gone, or the server stops.
 */
#include "api/changes.h"

#include "base/clock.h"
#include "base/fail.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 250,
    PEEK_EVERY_MS = 2000, /* whether the client is still there */
    CURSOR_TEXT = 48,
};

struct wait {
    struct list in;
    struct call *call;
    int64_t account; /* 0: of all */
    int64_t mark;    /* known to the client */
    int64_t until_ms, peeked_ms;
};

struct changes_desk {
    struct api *api;
    struct list waits;
    size_t count;
    uv_timer_t timer;
    uint32_t start; /* this one of the server */
    bool closed;
};

/* ---- cursors ---- */

static void cursor_write(const struct changes_desk *desk, int64_t mark, char out[CURSOR_TEXT])
{
    snprintf(out, CURSOR_TEXT, "%08" PRIx32 "-%" PRId64, desk->start, mark);
}

/* Whether the cursor is the one that this mark gives. */
static bool cursor_is(const struct changes_desk *desk, const char *cursor, int64_t mark)
{
    char current[CURSOR_TEXT];
    cursor_write(desk, mark, current);
    return strcmp(cursor, current) == 0;
}

static void answer(const struct changes_desk *desk, struct call *call, int64_t mark)
{
    char cursor[CURSOR_TEXT];
    cursor_write(desk, mark, cursor);
    call_json_answer(call, 200, json_pack("{s:s}", "Cursor", cursor));
}

/* ---- waiting ---- */

static int64_t mark_of(const struct changes_desk *desk, int64_t account)
{
    return engine_changes(desk->api->engine, account);
}

static void end(struct changes_desk *desk, struct wait *wait)
{
    list_remove(&wait->in);
    desk->count--;
    answer(desk, wait->call, mark_of(desk, wait->account));
    free(wait);
}

static bool is_over(const struct changes_desk *desk, struct wait *wait, int64_t now_ms)
{
    if (now_ms >= wait->until_ms || mark_of(desk, wait->account) != wait->mark)
        return true;
    if (now_ms - wait->peeked_ms < PEEK_EVERY_MS)
        return false;
    wait->peeked_ms = now_ms;
    return call_is_gone(wait->call);
}

static void look(uv_timer_t *timer)
{
    struct changes_desk *desk = timer->data;
    int64_t now_ms = clock_steady_ms();
    struct list *node = desk->waits.next, *next;
    for (; node != &desk->waits; node = next) {
        struct wait *wait = container_of(node, struct wait, in);
        next = node->next;
        if (is_over(desk, wait, now_ms))
            end(desk, wait);
    }
    if (desk->count == 0)
        uv_timer_stop(&desk->timer);
}

static void hold(struct changes_desk *desk, struct call *call, int64_t account, int64_t mark)
{
    struct wait *wait = must_alloc(sizeof(*wait));
    int64_t now_ms = clock_steady_ms();
    *wait = (struct wait){ .call = call,
                           .account = account,
                           .mark = mark,
                           .until_ms = now_ms + CHANGES_HELD_MS,
                           .peeked_ms = now_ms };
    list_append(&desk->waits, &wait->in);
    if (desk->count++ == 0)
        uv_timer_start(&desk->timer, look, LOOK_EVERY_MS, LOOK_EVERY_MS);
}

/* False: refused.  Calls of one account cannot take all the places. */
static bool has_place(struct changes_desk *desk, struct call *call)
{
    size_t own = 0;
    for (struct list *node = desk->waits.next; node != &desk->waits; node = node->next)
        own += container_of(node, struct wait, in)->call->caller.account == call->caller.account;
    if (own < CHANGES_CALLS_OF_ACCOUNT && desk->count < CHANGES_CALLS_MOST)
        return true;
    call_add_header(call, "Retry-After", "5");
    call_refuse(call, 503, NULL, "Too many calls of %s wait for changes already.",
                own < CHANGES_CALLS_OF_ACCOUNT ? "all accounts" : "this account");
    return false;
}

static void wait_for(struct call *call, struct api *api, int64_t account)
{
    static const char *const names[] = { "Since", NULL };
    struct changes_desk *desk = api->changes;
    struct problems problems = { 0 };
    call_query_only(call, names, &problems);
    if (problems.count > 0) {
        call_refuse(call, 400, &problems, "The request is not valid.");
        problems_free(&problems);
        return;
    }
    int64_t mark = mark_of(desk, account);
    if (desk->closed || !cursor_is(desk, call_query(call, "Since"), mark))
        answer(desk, call, mark);
    else if (has_place(desk, call))
        hold(desk, call, account, mark);
}

static void of_account(struct call *call, void *context)
{
    wait_for(call, context, call->caller.account);
}

static void of_all(struct call *call, void *context)
{
    wait_for(call, context, 0);
}

/* ---- life ---- */

struct changes_desk *changes_desk_new(struct api *api)
{
    struct changes_desk *desk = must_alloc(sizeof(*desk));
    desk->api = api;
    desk->start = randombytes_random();
    list_init(&desk->waits);
    uv_timer_init(api->loop, &desk->timer);
    desk->timer.data = desk;
    return desk;
}

void changes_desk_close(struct changes_desk *desk)
{
    struct list *node;
    desk->closed = true;
    uv_timer_stop(&desk->timer);
    while ((node = list_first(&desk->waits)) != NULL)
        end(desk, container_of(node, struct wait, in));
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void changes_desk_free(struct changes_desk *desk)
{
    if (desk != NULL)
        uv_close((uv_handle_t *)&desk->timer, timer_closed);
}

#define READS (SCOPE_API | SCOPE_READ)

/* Not counted: whoever looks on calls again as soon as it is answered. */
const struct route changes_routes[] = {
    { "GET", "/Mediapartners/{SID}/Changes", of_account, ACCOUNT_PARTNER | ACCOUNT_OPERATOR, READS,
      false, 0, .reads_query = true },
    { "GET", "/Advertisers/{SID}/Changes", of_account, ACCOUNT_BRAND | ACCOUNT_OPERATOR, READS,
      false, 0, .reads_query = true },
    { "GET", "/Operator/Changes", of_all, ACCOUNT_OPERATOR, READS, false, 0, .reads_query = true },
};
const size_t changes_route_count = sizeof(changes_routes) / sizeof(changes_routes[0]);
