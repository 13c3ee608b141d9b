/* tester.c — one postback sent outside the queue, for an account that tries its settings.
 *
 * It has no row; its outcome goes to whoever asked, with the request as it was sent.  Its id is of
 * the store's source, or a receiver that drops what it had by `webhook-id` could drop a real one.
 */
#include "base/fail.h"
#include "engine/state.h"
#include "model/request.h"

#include <stdlib.h>

struct tester {
    struct postback postback;
    struct notification *notification;
    engine_tested *done;
    void *context;
};

void engine_test(struct engine *engine, struct notification *notification, struct event *event,
                 engine_tested *done, void *context)
{
    struct tester *tester = must_alloc(sizeof(*tester));
    tester->notification = notification_ref(notification);
    tester->done = done;
    tester->context = context;
    tester->postback.id = store_new_id(engine->store);
    tester->postback.notification = notification->id;
    tester->postback.event = event_ref(event);
    tester->postback.test = true;
    list_init(&tester->postback.in);
    courier_test(engine->courier, notification, &tester->postback);
}

void tester_answered(struct postback *postback, struct attempt *attempt, enum verdict verdict)
{
    struct tester *tester = container_of(postback, struct tester, postback);
    struct request request = { 0 };
    struct error error = { 0 };
    json_t *shown = json_object();
    if (request_build(&request, tester->notification, postback->event, postback->id,
                      attempt->number, attempt->started_at, &error)) {
        json_decref(shown);
        shown = request_show(tester->notification, &request);
    }
    tester->done(tester->context, attempt, verdict, shown);
    request_free(&request);
    attempt_free(attempt);
    event_unref(postback->event);
    notification_unref(tester->notification);
    free(tester);
}
