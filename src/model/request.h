/* request.h — the HTTP request of one attempt, built from a notification and an event.
 *
 * Pure and repeatable: the same revision, event, postback, attempt number and time give the same
 * bytes, so the log can show an old request without having stored it.
 */
#ifndef POSTBACKD_REQUEST_H
#define POSTBACKD_REQUEST_H

#include "base/buf.h"
#include "base/error.h"
#include "model/notification.h"

enum { REQUEST_BODY_MAX = 1024 * 1024, REQUEST_TARGET_MAX = 16 * 1024 };

struct request {        /* all zeroes is empty; buffers are reused between requests */
    struct buf target;  /* path and query: "/p?a=b" */
    struct buf headers; /* "Name: value\r\n"…, without the last blank line */
    struct buf body;
};

/* False when a cap is passed, or the path would have a dot segment (url.h): the message says so;
 * nothing may then be sent. */
bool request_build(struct request *request, const struct notification *notification,
                   const struct event *event, int64_t postback, int attempt, int64_t at_ms,
                   struct error *error);
void request_free(struct request *request);

/* For the log: as sent, custom header values and signatures replaced by "(hidden)". */
json_t *request_show(const struct notification *notification, const struct request *request);

#endif
