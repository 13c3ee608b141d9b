/* changes.c — GET …/Changes: held until something of the account's postbacks has changed.
 *
 * The calls that wait stand in one list, oldest first.  While there is one, a timer looks four
 * times a second whether there was a change since what each has seen (engine/marks.h); so a busy
 * account is answered four times a second, not once a postback.  A cursor is what was seen as text,
 * of all nodes that share the database, so each can be asked next; one that is none is answered at
 * once.
 *
 * The rule: whoever waits is answered, also when its client has gone, or the server stops.
 */
#include "api/changes.h"

#include "base/clock.h"
#include "base/fail.h"
#include "engine/marks.h"

#include <stdlib.h>

enum {
    LOOK_EVERY_MS = 250,
    PEEK_EVERY_MS = 2000, /* whether the client is still there */
};

struct wait {
    struct list in;
    struct call *call;
    int64_t account;        /* 0: of all */
    struct marks_seen seen; /* by the client */
    int64_t until_ms, peeked_ms;
};

struct changes_desk {
    struct api *api;
    struct list waits;
    size_t count;
    uv_timer_t timer;
    bool closed;
};

/* ---- cursors ---- */

static struct marks *marks_of(const struct changes_desk *desk)
{
    return engine_marks(desk->api->engine);
}

static bool has_changed(const struct changes_desk *desk, int64_t account,
                        const struct marks_seen *seen)
{
    return marks_changed(marks_of(desk), account, seen, clock_steady_ms());
}

/* What has changed is seen with the answer; without a change the cursor stays as it is. */
static void answer(const struct changes_desk *desk, struct call *call, int64_t account,
                   struct marks_seen *seen)
{
    struct buf cursor = { 0 };
    if (has_changed(desk, account, seen))
        marks_see(marks_of(desk), seen);
    marks_seen_write(&cursor, seen);
    call_json_answer(call, 200, json_pack("{s:s}", "Cursor", buf_text(&cursor)));
    buf_free(&cursor);
}

/* ---- waiting ---- */

static void end(struct changes_desk *desk, struct wait *wait)
{
    list_remove(&wait->in);
    desk->count--;
    answer(desk, wait->call, wait->account, &wait->seen);
    free(wait);
}

static bool is_over(const struct changes_desk *desk, struct wait *wait, int64_t now_ms)
{
    if (now_ms >= wait->until_ms || has_changed(desk, wait->account, &wait->seen))
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

static void hold(struct changes_desk *desk, struct call *call, int64_t account,
                 const struct marks_seen *seen)
{
    struct wait *wait = must_alloc(sizeof(*wait));
    int64_t now_ms = clock_steady_ms();
    *wait = (struct wait){ .call = call,
                           .account = account,
                           .seen = *seen,
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
    struct marks_seen seen;
    bool is_one = marks_seen_read(&seen, call_query(call, "Since"));
    if (desk->closed || !is_one || has_changed(desk, account, &seen))
        answer(desk, call, account, &seen);
    else if (has_place(desk, call))
        hold(desk, call, account, &seen);
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
