/* followed.h — a name that kept connections lead to: looked up anew past its TTL, or when doubted.
 *
 * What is in use says so with each use (followed_used()); nothing is asked for on behalf of what is
 * not used, nor for a literal address.  Meanwhile, and when no name server answers, all goes on as
 * it is.
 */
#ifndef POSTBACKD_FOLLOWED_H
#define POSTBACKD_FOLLOWED_H

#include "courier/alarms.h"
#include "courier/resolver.h"

/* A shorter TTL counts as so much: less than the least back-off of a postback. */
enum { FOLLOWED_LEAST_MS = 4000 };

struct followed {
    struct resolver *resolver;
    struct alarms *alarms;
    const char *host; /* the caller's; NULL: a literal address */
    int64_t due_ms;   /* steady clock; INT64_MAX: never, or it is being looked up */
    struct resolver_waiter waiter;
    struct alarm alarm;
    void (*answered)(struct followed *followed, const struct resolved *found);
};

/* answered is called from the loop, with the addresses of each look-up that found any. */
void followed_start(struct followed *followed, struct resolver *resolver, struct alarms *alarms,
                    const char *host,
                    void (*answered)(struct followed *followed, const struct resolved *found));
void followed_end(struct followed *followed);
void followed_ask(struct followed *followed);
/* Where it leads fails: it is looked up within a second, whatever its TTL, and by others too. */
void followed_doubt(struct followed *followed);

static inline void followed_used(struct followed *followed, int64_t now_ms)
{
    if (now_ms >= followed->due_ms)
        followed_ask(followed);
}

#endif
