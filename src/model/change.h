/* change.h — what a transaction changed, in a line, for those who keep a part of it in memory.
 *
 * The noun that writes says it (tx_note()), and when that is committed all who listen hear it
 * (store_listen()), on this node and on others that share the database (db/news.h).  It has names
 * only: who wants to know more reads the rows.
 */
#ifndef POSTBACKD_CHANGE_H
#define POSTBACKD_CHANGE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum change_kind {
    CHANGE_ACCOUNT,      /* something that the account's people look at: an inquiry, a notice */
    CHANGE_ACCESS,       /* who may call: an account, a user, a token or a session of it */
    CHANGE_NOTIFICATION, /* it was added, changed, paused, resumed, held or deleted */
    CHANGE_WAITING,      /* postbacks were written WAITING, the first until due_at */
    CHANGE_RETRIED,      /* a postback is due now, before all others of its notification */
    CHANGE_RESENT,       /* a postback was written to be sent again, due now */
    CHANGE_CANCELLED,    /* a postback ended undelivered: cancelled, or given up */
    CHANGE_LANE_DOWN,    /* who sends them finds its destination down: nobody else tries it */
    CHANGE_LANE_READY,   /* … and it answers, and nothing waits: all may send their fresh ones */
    CHANGE_REPLAY,       /* a replay to the notification was begun */
    CHANGE_MAINTENANCE,  /* one was added, or has another state */
    CHANGE_LETTER,       /* mail was written, to be handed to the mailer */
    CHANGE_ERRAND,       /* a job of the account (errand.h) is there to be gone on with */
    CHANGE_EPISODE,      /* the notification is failing or late, or is it no longer */
    CHANGE_EVENT_TYPE,   /* one of the operator's was added, changed or deleted; id: its number */
    CHANGE_FAN_OUT,      /* an account has events that fan out in steps, or has none any more */
    CHANGE_TOUCHED,      /* since a node told it last, an account's postbacks have changed there
                          * (account 0: of very many); id: the mark (engine/marks.h) */
    CHANGE_NODES,        /* parts of the work are free, or a node is to have none */
    CHANGE_EVERYTHING,   /* of another node: what it changed is not known */
    CHANGE_KINDS
};

enum { CHANGE_BY_PAUSE = 256 };

struct change {
    enum change_kind kind;
    int64_t account, notification; /* whose; 0: of none, or of all */
    int64_t id;     /* of the postback, the replay, …; WAITING: the newest of the transaction;
                     * EPISODE: its kind, CHANGE_BY_PAUSE more by the operator's pause */
    int64_t due_at; /* WAITING: ms by the due clock; -1: nothing is due, as it is not active;
                     * EPISODE: since when; -1: it has ended */
    int from;       /* 0: this node made it; else 1 + the number of the one that did */
};

/* A set of kinds. */
#define CHANGE_BIT(kind) (1u << (kind))
_Static_assert(CHANGE_KINDS <= 32, "a set of changes has a bit for each kind");

/* Whether writers rely on what they remember of it: none commits on what it was before. */
bool change_is_relied_on(enum change_kind kind);

/* As text, for other nodes: a version, then for each change a letter and numbers, the last ones
 * left out when they are 0: "1 n5,12 w5,12,99,170". */
void changes_write(struct buf *out, const struct change *changes, size_t count);
/* Gives each one to take(), with `from`.  Kinds and numbers that this release does not know are
 * passed over; a text of another version, or none at all, is CHANGE_EVERYTHING. */
void changes_read(const char *text, size_t len, int from,
                  void (*take)(void *context, const struct change *change), void *context);

#endif
