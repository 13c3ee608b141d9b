/* wait.h — why a postback waits, since when, and until when as far as that is known.  Pure.
 *
 * Of several reasons the one is told that holds up whatever the others say: a pause before a
 * receiver that is down, that before the postback's own time, that before limits and places.
 */
#ifndef POSTBACKD_WAIT_H
#define POSTBACKD_WAIT_H

#include "model/notification.h"

#include <stdbool.h>
#include <stdint.h>

enum wait_reason {
    WAIT_MAINTENANCE, /* the operator's pause */
    WAIT_STORE,       /* what is sent could not be recorded just now */
    WAIT_PAUSED,      /* the event notification is, by its owner */
    WAIT_HELD,        /* … by the system */
    WAIT_DOWN,        /* the receiver is down: one probe at a time goes out */
    WAIT_ORDER,       /* an earlier one of an Ordered notification is not delivered yet */
    WAIT_RETRY,       /* it failed, and has a time of its own */
    WAIT_DELAY,       /* Minimum Delay */
    WAIT_RATE,        /* Maximum Requests */
    WAIT_CONCURRENCY, /* as many are under way as the receiver takes */
    WAIT_MEMORY,      /* those in memory have no room for one more of the account's */
    WAIT_TURN,        /* nothing holds it up: it goes out in a moment */
    WAIT_REASONS
};

/* All times are wall ms; DATE_NONE: not known. */
struct wait_facts {
    int64_t now, created_at, due_at;
    int attempts;
    bool behind; /* an earlier one of its Ordered notification is not delivered */

    enum notification_state state;
    int64_t state_since;

    bool maintenance, store;                      /* hold everything */
    int64_t maintenance_since, maintenance_until; /* until: as announced */
    bool down;                                    /* its receiver is */
    int64_t down_since, probe_at;
    bool paced, busy, full; /* Maximum Requests, the window, the memory have no room just now */
};

struct wait {
    enum wait_reason reason;
    int64_t since, until; /* wall ms; DATE_NONE: not known */
};

struct wait wait_of(const struct wait_facts *facts);
const char *wait_reason_name(enum wait_reason reason); /* "RECEIVER_DOWN" */

#endif
