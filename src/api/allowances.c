/* allowances.c — a draw for each account that needs one, and the calls that wait for it, chained
 * through call->data.
 */
#include "api/allowances.h"

#include "base/clock.h"
#include "base/fail.h"
#include "store/allowances.h"

#include <stdlib.h>

struct drawing { /* under way */
    struct job job;
    struct allowances *allowances;
    struct allowance what;
    int want, got, used;
    struct call *first, *last; /* that wait for it */
};

struct allowances {
    struct api *api;
    struct map drawings; /* by account */
};

static bool draw_run(struct job *job, struct db *db)
{
    struct drawing *drawing = (struct drawing *)job;
    drawing->got = allowance_draw(db, &drawing->what, drawing->want, &drawing->used);
    return true;
}

static void draw_done(struct job *job, bool ok)
{
    struct drawing *drawing = (struct drawing *)job;
    struct allowances *allowances = drawing->allowances;
    struct call *call = drawing->first;
    map_remove(&allowances->drawings, drawing->what.key);
    if (ok)
        limits_drawn(allowances->api->limits, drawing->what.key, drawing->what.span, drawing->got,
                     drawing->used);
    while (call != NULL) {
        struct call *next = call->data;
        call->data = NULL;
        if (ok)
            allowances_enter(allowances, call);
        else
            call_refuse_error(call, &job->error, NULL);
        call = next;
    }
    free(drawing);
}

static struct drawing *draw(struct allowances *allowances, int64_t account, int want, int most)
{
    struct drawing *drawing = must_alloc(sizeof(*drawing));
    drawing->job.run = draw_run;
    drawing->job.done = draw_done;
    drawing->allowances = allowances;
    drawing->want = want;
    drawing->what = (struct allowance){ .kind = ALLOWANCE_REQUESTS,
                                        .key = account,
                                        .span = clock_wall_ms() / LIMITS_HOUR_MS,
                                        .most = most };
    map_put(&allowances->drawings, account, drawing);
    return drawing;
}

static void wait_for(struct drawing *drawing, struct call *call)
{
    call->data = NULL;
    if (drawing->last != NULL)
        drawing->last->data = call;
    else
        drawing->first = call;
    drawing->last = call;
}

/* Of the calls that come in one turn the first asks, so that all of them have what it gets. */
void allowances_enter(struct allowances *allowances, struct call *call)
{
    struct api *api = allowances->api;
    int64_t account = call->caller.account;
    struct limits_wish wish = { 0 };
    if (store_guard(api->store) != NULL && call->route->counted && call->caller.user == 0)
        limits_wish(api->limits, account, clock_wall_ms(), &wish);
    struct drawing *drawing = wish.want > 0 ? map_get(&allowances->drawings, account) : NULL;
    bool new = wish.want > 0 && drawing == NULL;
    if (new)
        drawing = draw(allowances, account, wish.want, wish.most);
    if (wish.must)
        wait_for(drawing, call);
    if (new)
        store_aside(api->store, &drawing->job);
    if (!wish.must)
        call_enter(call);
}

struct allowances *allowances_new(struct api *api)
{
    struct allowances *allowances = must_alloc(sizeof(*allowances));
    allowances->api = api;
    if (store_guard(api->store) != NULL)
        limits_share(api->limits);
    return allowances;
}

void allowances_free(struct allowances *allowances)
{
    if (allowances == NULL)
        return;
    map_free(&allowances->drawings);
    free(allowances);
}
