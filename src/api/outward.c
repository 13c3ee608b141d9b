/* outward.c — a count of each kind for each account that asked, in windows of a minute.
 *
 * Only signed-in accounts are counted, so there are no more entries than accounts.
 */
#include "api/outward.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/map.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WINDOW_MS = 60 * 1000 };

static const struct {
    int most;
    bool sessions_only; /* API clients are limited by the hour */
    const char *words;
} kinds[] = {
    [OUTWARD_TEST] = { OUTWARD_TESTS, false, "tests" },
    [OUTWARD_SEND] = { OUTWARD_SENDS_SESSION, true, "calls that have a receiver called" },
    [OUTWARD_REPLAY] = { OUTWARD_REPLAYS_SESSION, true, "replays" },
};

struct outwards {
    struct map accounts; /* struct account_outward */
};

struct account_outward {
    int in_flight; /* tests */
    struct {
        int count;
        int64_t until; /* steady ms */
    } windows[OUTWARD_KINDS];
};

struct outwards *outwards_new(void)
{
    return must_alloc(sizeof(struct outwards));
}

void outwards_free(struct outwards *outwards)
{
    size_t at = 0;
    if (outwards == NULL)
        return;
    for (void *one; (one = map_each(&outwards->accounts, &at)) != NULL;)
        free(one);
    map_free(&outwards->accounts);
    free(outwards);
}

static struct account_outward *of(struct api *api, int64_t account)
{
    struct map *accounts = &api->outwards->accounts;
    struct account_outward *one = map_get(accounts, account);
    if (one == NULL) {
        one = must_alloc(sizeof(*one));
        map_put(accounts, account, one);
    }
    return one;
}

bool outward_may(struct api *api, struct call *call, enum outward what)
{
    int64_t now_ms = clock_steady_ms();
    struct account_outward *one = of(api, call->caller.account);
    if (kinds[what].sessions_only && call->caller.user == 0)
        return true;
    if (now_ms >= one->windows[what].until) {
        one->windows[what].count = 0;
        one->windows[what].until = now_ms + WINDOW_MS;
    }
    if (one->windows[what].count < kinds[what].most) {
        one->windows[what].count++;
        return true;
    }
    char seconds[24];
    snprintf(seconds, sizeof(seconds), "%" PRId64,
             (one->windows[what].until - now_ms + 999) / 1000);
    call_add_header(call, "Retry-After", seconds);
    call_refuse(call, 429, NULL, "An account has at most %d %s a minute; try again in %s seconds.",
                kinds[what].most, kinds[what].words, seconds);
    return false;
}

bool outward_test_begin(struct api *api, struct call *call)
{
    struct account_outward *one = of(api, call->caller.account);
    if (one->in_flight < OUTWARD_TESTS_IN_FLIGHT) {
        one->in_flight++;
        return true;
    }
    call_add_header(call, "Retry-After", "5");
    call_refuse(call, 429, NULL, "%d tests of this account are under way; wait for their answers.",
                OUTWARD_TESTS_IN_FLIGHT);
    return false;
}

void outward_test_end(struct api *api, int64_t account)
{
    of(api, account)->in_flight--;
}
