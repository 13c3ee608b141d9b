/* tester.c — a trial is a postback that the courier gives back to whoever began it. */
#include "engine/tester.h"

#include "base/fail.h"
#include "model/request.h"

#include <stdlib.h>

struct trial {
    struct postback postback;
    struct notification *notification;
    tester_done *done;
    void *context;
};

void tester_send(const struct tester *tester, struct notification *notification,
                 struct event *event, tester_done *done, void *context)
{
    struct trial *trial = must_alloc(sizeof(*trial));
    trial->notification = notification_ref(notification);
    trial->done = done;
    trial->context = context;
    trial->postback.id = store_new_id(tester->store);
    trial->postback.notification = notification->id;
    trial->postback.event = event_ref(event);
    trial->postback.test = true;
    list_init(&trial->postback.in);
    courier_test(tester->courier, notification, &trial->postback);
}

void tester_answered(struct postback *postback, struct attempt *attempt, enum verdict verdict)
{
    struct trial *trial = container_of(postback, struct trial, postback);
    struct request request = { 0 };
    struct error error = { 0 };
    json_t *shown = json_object();
    if (request_build(&request, trial->notification, postback->event, postback->id, attempt->number,
                      attempt->started_at, &error)) {
        json_decref(shown);
        shown = request_show(trial->notification, &request);
    }
    trial->done(trial->context, attempt, verdict, shown);
    request_free(&request);
    attempt_free(attempt);
    event_unref(postback->event);
    notification_unref(trial->notification);
    free(trial);
}
