/* outward.h — how often an account may have requests made to others.
 *
 * A test goes out at once, past the queue and Maximum Requests, and a postback that is sent again,
 * or an event notification that is changed or resumed, has its receiver called at once too.  An
 * API client has the hour's limit for that; people in sessions have none, and the receivers are
 * neither's own.  So tests are limited whoever asks, the others in sessions.
 */
#ifndef POSTBACKD_OUTWARD_H
#define POSTBACKD_OUTWARD_H

#include "api/api.h"

enum outward { /* what is asked for */
               OUTWARD_TEST,
               OUTWARD_SEND,   /* retry, resend, resume, change of settings */
               OUTWARD_REPLAY, /* a range of time */
               OUTWARD_KINDS,
};

enum {
    OUTWARD_TESTS = 30,           /* of an account in a minute */
    OUTWARD_TESTS_IN_FLIGHT = 5,  /* … at once */
    OUTWARD_SENDS_SESSION = 60,   /* of an account's sessions in a minute */
    OUTWARD_REPLAYS_SESSION = 10, /* likewise */
};

struct outwards;
struct outwards *outwards_new(void);
void outwards_free(struct outwards *outwards); /* NULL is allowed */

/* Counts one.  False: answered 429, with when to come again. */
bool outward_may(struct api *api, struct call *call, enum outward what);
/* A test begins; false: answered 429, as too many of the account are under way. */
bool outward_test_begin(struct api *api, struct call *call);
void outward_test_end(struct api *api, int64_t account);

#endif
