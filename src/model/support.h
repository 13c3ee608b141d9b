/* support.h — a support request: an account asks, the operator answers.
 *
 * It is a subject and a thread of messages of both sides.  OPEN means that it waits for the
 * operator: each message of the account opens it, each of the operator says what it is then.
 * The texts are people's own and may hold what they should not: they are shown to the account and
 * to the operator alone, and go into no log, no notice and no mail.
 */
#ifndef POSTBACKD_SUPPORT_H
#define POSTBACKD_SUPPORT_H

#include "base/error.h"
#include "base/problem.h"
#include "model/date.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum support_kind { /* on disk */
                    SUPPORT_CUSTOM_HEADER = 1,
                    SUPPORT_DATA_POINT = 2,
                    SUPPORT_DELAY = 3,
                    SUPPORT_OTHER = 4
};
enum support_state { SUPPORT_OPEN = 1, SUPPORT_ANSWERED = 2, SUPPORT_CLOSED = 3 }; /* on disk */

enum {
    SUPPORT_SUBJECT_MAX = 200, /* characters */
    SUPPORT_TEXT_MAX = 4000,   /* characters */
    SUPPORT_OPEN_MOST = 50,    /* open ones of an account */
    SUPPORT_MESSAGES_MOST = 100,
};

struct support_message {
    bool from_operator;
    char *author, *text; /* owned */
    int64_t at;
};

struct support_request { /* strings are owned */
    int64_t id, account;
    char *account_sid, *account_name;
    int64_t notification; /* it is about; 0: none */
    enum support_kind kind;
    enum support_state state;
    char *subject;
    int64_t asked_at; /* since when it waits for the operator, or did last */
    int64_t created_at, changed_at;
    int64_t message_count;
    struct support_message *messages; /* oldest first; NULL: not read */
};

const char *support_kind_words(enum support_kind kind);   /* "a custom header" */
const char *support_kind_name(enum support_kind kind);    /* CUSTOM_HEADER DATA_POINT DELAY OTHER */
const char *support_state_name(enum support_state state); /* OPEN ANSWERED CLOSED */
bool support_state_named(const char *name, enum support_state *state);

/* A new request from {"Kind","NotificationId"?,"Subject","Text"}: its kind, notification and
 * subject, and *text, the caller's. */
void support_read(struct support_request *request, char **text, const json_t *from,
                  struct problems *problems);
/* A message from {"Text"}, of the operator also {"State"}, ANSWERED unless given; NULL with
 * problems.  Of the account *state is OPEN. */
char *support_message_read(enum support_state *state, bool from_operator, const json_t *from,
                           struct problems *problems);

/* What a message makes of the request.  Whoever writes while it is open does not lose its place in
 * the queue.  False with ERROR_CONFLICT, and nothing is changed: the thread is full. */
bool support_step(struct support_request *request, enum support_state state, int64_t now_ms,
                  struct error *error);

/* The API's object, with Messages when they were read.  The account sees the operator's people as
 * "Support". */
json_t *support_show(const struct support_request *request, bool for_operator);
void support_free(struct support_request *request); /* what it owns; back to all zeroes */

#endif
