/* followed.c — when to look a name up again, for the connections that lead to it.
 *
 * One alarm starts every look-up, so that answered() is never called from inside a use.
 *
 * The rule: due_ms is INT64_MAX from the setting of the alarm to the answer, so there is one
 * look-up at a time.
 */
#include "courier/followed.h"

#include "base/clock.h"

enum { DOUBT_MS = 1000 };

static void told(struct followed *followed, const struct resolved *found)
{
    int64_t least = clock_steady_ms() + FOLLOWED_LEAST_MS;
    followed->due_ms = found->until_ms > least ? found->until_ms : least;
    if (found->error == EXCHANGE_OK)
        followed->answered(followed, found);
}

static void woken(struct resolver_waiter *waiter, const struct resolved *found)
{
    told(container_of(waiter, struct followed, waiter), found);
}

static void ring(struct alarm *alarm)
{
    struct followed *followed = container_of(alarm, struct followed, alarm);
    const struct resolved *known =
        resolver_ask(followed->resolver, followed->host, &followed->waiter);
    if (known != NULL)
        told(followed, known);
}

void followed_ask(struct followed *followed)
{
    followed->due_ms = INT64_MAX;
    alarm_soon(followed->alarms, &followed->alarm);
}

void followed_doubt(struct followed *followed)
{
    if (followed->host == NULL)
        return;
    resolver_doubt(followed->resolver, followed->host);
    if (followed->due_ms == INT64_MAX)
        return;
    followed->due_ms = INT64_MAX;
    alarm_set(followed->alarms, &followed->alarm, clock_steady_ms() + DOUBT_MS);
}

void followed_start(struct followed *followed, struct resolver *resolver, struct alarms *alarms,
                    const char *host,
                    void (*answered)(struct followed *followed, const struct resolved *found))
{
    union address literal;
    bool name = !address_literal(host, &literal);
    *followed = (struct followed){
        .resolver = resolver,
        .alarms = alarms,
        .host = name ? host : NULL,
        .due_ms = name ? 0 : INT64_MAX,
        .waiter.woken = woken,
        .alarm.ring = ring,
        .answered = answered,
    };
    list_init(&followed->waiter.node);
}

void followed_end(struct followed *followed)
{
    resolver_forget(&followed->waiter);
    alarm_clear(followed->alarms, &followed->alarm);
}
