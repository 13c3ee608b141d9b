/* postback.c — the states of a postback and which may follow which.
 *
 * One table of names and one of transitions; the names are the API's, the indexes are on disk.
 * FRESH and WAITING are undelivered; the other three are final: once a postback is delivered,
 * cancelled or expired nothing brings it back (a resend is a new postback of the same event).
 */
#include "model/postback.h"

#include "base/fail.h"
#include "base/text.h"

#include <stdatomic.h>
#include <stdlib.h>

static const char *const names[POSTBACK_STATES] = {
    [POSTBACK_FRESH] = "FRESH",         [POSTBACK_WAITING] = "WAITING",
    [POSTBACK_DELIVERED] = "DELIVERED", [POSTBACK_CANCELLED] = "CANCELLED",
    [POSTBACK_EXPIRED] = "EXPIRED",
};

/* WAITING follows itself: a retry that failed waits again. */
static const bool may_become[POSTBACK_STATES][POSTBACK_STATES] = {
    [POSTBACK_FRESH] = { [POSTBACK_WAITING] = true,
                         [POSTBACK_DELIVERED] = true,
                         [POSTBACK_CANCELLED] = true,
                         [POSTBACK_EXPIRED] = true },
    [POSTBACK_WAITING] = { [POSTBACK_WAITING] = true,
                           [POSTBACK_DELIVERED] = true,
                           [POSTBACK_CANCELLED] = true,
                           [POSTBACK_EXPIRED] = true },
};

static bool known(enum postback_state state)
{
    return (unsigned)state < POSTBACK_STATES; /* a damaged row may hold any number */
}

bool postback_may_become(enum postback_state from, enum postback_state to)
{
    return known(from) && known(to) && may_become[from][to];
}

const char *postback_state_name(enum postback_state state)
{
    return known(state) ? names[state] : "UNKNOWN";
}

bool postback_state_named(const char *name, enum postback_state *state)
{
    for (int i = 0; i < POSTBACK_STATES; i++) {
        if (text_same(name, names[i])) {
            *state = (enum postback_state)i;
            return true;
        }
    }
    return false;
}

static atomic_size_t in_memory;

struct postback *postback_new(void)
{
    atomic_fetch_add_explicit(&in_memory, 1, memory_order_relaxed);
    return must_alloc(sizeof(struct postback));
}

size_t postbacks_in_memory(void)
{
    return atomic_load_explicit(&in_memory, memory_order_relaxed);
}

void postback_free(struct postback *postback)
{
    if (postback == NULL)
        return;
    atomic_fetch_sub_explicit(&in_memory, 1, memory_order_relaxed);
    event_unref(postback->event);
    free(postback);
}
