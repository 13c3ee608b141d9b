/* tester.h — one postback sent outside the queue, for an account that tries its settings.
 *
 * It has no row; its outcome goes to whoever asked, with the request as it was sent.
 */
#ifndef POSTBACKD_TESTER_H
#define POSTBACKD_TESTER_H

#include "courier/courier.h"
#include "db/store.h"

struct tester {
    struct store *store; /* its ids are of the store's source: a receiver that drops what it had by
                          * `webhook-id` must not drop a real one */
    struct courier *courier;
};

/* The answer, and the request as shown: the callee's.  The attempt is lent. */
typedef void tester_done(void *context, const struct attempt *attempt, enum verdict verdict,
                         json_t *request);
/* Sends it at once; takes references of its own. */
void tester_send(const struct tester *tester, struct notification *notification,
                 struct event *event, tester_done *done, void *context);
/* The courier gave back a postback that is a `test`; takes both. */
void tester_answered(struct postback *postback, struct attempt *attempt, enum verdict verdict);

#endif
