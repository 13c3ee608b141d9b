/* attempt.h — one HTTP request made for a postback, what came back, and the verdict on it. */
#ifndef POSTBACKD_ATTEMPT_H
#define POSTBACKD_ATTEMPT_H

#include "model/notification.h"

#include <stddef.h>
#include <stdint.h>

enum { ANSWER_BODY_MAX = 16 * 1024, ANSWER_HEADERS_MAX = 8 * 1024 };

/* How an exchange ended when no whole answer came. */
enum exchange_error {
    EXCHANGE_OK = 0,          /* a whole answer */
    EXCHANGE_DNS,             /* the name has no address, or the resolver failed */
    EXCHANGE_REFUSED_ADDRESS, /* the address is private and not allowed */
    EXCHANGE_CONNECT,         /* refused, unreachable */
    EXCHANGE_TLS,             /* handshake or certificate; the detail says which */
    EXCHANGE_TIMEOUT,         /* the deadline passed; the detail says in what phase */
    EXCHANGE_RESET,           /* closed before the answer was whole */
    EXCHANGE_BAD_ANSWER,      /* not HTTP/1.x, or headers over the cap */
    EXCHANGE_BUILD,           /* the request could not be built (a cap passed) */
    EXCHANGE_NO_ROOM,         /* this server had no file descriptor for it until the deadline */
};

struct attempt {
    int64_t started_at;  /* ms, wall clock */
    int64_t duration_us; /* until the verdict */
    int number;          /* from 1 */
    int revision;        /* of the notification, for showing the request again */
    enum exchange_error error;
    char detail[160];       /* a person's words for the error: "certificate has expired" */
    int status;             /* 0: no answer */
    int64_t retry_after_ms; /* from the answer, as a delay; -1: none */
    char *headers;          /* of the answer, "Name: value\n"…; NULL: none; owned */
    size_t headers_len;
    char *body; /* the first ANSWER_BODY_MAX bytes; NULL: none; owned */
    size_t body_len;
};

enum verdict {
    VERDICT_DELIVERED,
    VERDICT_FAILED,      /* this postback backs off; others go on */
    VERDICT_DESTINATION, /* the same, and it counts against the destination */
    VERDICT_GONE,        /* 410: hold the notification */
};

/* DOMAIN's table of verdicts. */
enum verdict verdict_of(const struct attempt *attempt, const struct notification *notification);

const char *exchange_error_name(enum exchange_error error); /* "dns", "tls", … */
/* Why it failed, as the log keeps it: "connect: connection refused", "status 503". */
enum { ATTEMPT_REASON_TEXT = sizeof(((struct attempt *)0)->detail) + 64 };
void attempt_reason(char *out, size_t size, const struct attempt *attempt);
/* For people, as the pages say it: "connect: connection refused" is "the receiver could not be
 * reached (connection refused)", "status 503" is "the receiver answered 503". */
void attempt_reason_words(struct buf *out, const char *reason);
const char *verdict_name(enum verdict verdict);

/* Writes the detail of an answer that was not delivered, where its status alone does not tell why:
 * a 2xx that does not count, a response rule that does not hold, a redirect. */
void attempt_explain(struct attempt *attempt, const struct notification *notification);

void attempt_free(struct attempt *attempt); /* what it owns */

#endif
