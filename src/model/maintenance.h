/* maintenance.h — the operator's pause of all postbacks: its states, and what is said about it.
 *
 * SCHEDULED until its start; STARTING while accounts are told and system.maintenance_started goes
 * out; ON: nothing goes out; ENDING: postbacks go out again, accounts are told; CATCHING_UP until
 * what was due at the end has been tried; OVER.  CANCELLED: ended before it started.
 */
#ifndef POSTBACKD_MAINTENANCE_H
#define POSTBACKD_MAINTENANCE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum maintenance_state { /* on disk; the numbers never change */
                         MAINTENANCE_SCHEDULED = 1,
                         MAINTENANCE_STARTING = 2,
                         MAINTENANCE_ON = 3,
                         MAINTENANCE_ENDING = 4,
                         MAINTENANCE_CATCHING_UP = 5,
                         MAINTENANCE_CANCELLED = 6, /* its accounts are being told */
                         MAINTENANCE_OVER = 7,
                         MAINTENANCE_STATES
};

enum { MAINTENANCE_MESSAGE_MAX = 1000 }; /* characters */

struct maintenance { /* all zeroes: none yet.  Times are wall ms; DATE_NONE: not yet, not given */
    int64_t id;
    enum maintenance_state state;
    char *message; /* the operator's, owned; "" none */
    int64_t start_at, expected_end_at;
    int64_t started_at, ended_at;
    int64_t backlog; /* postbacks due when it ended */
    int64_t told;    /* accounts up to this id know of its state; INT64_MAX: all */
};

bool maintenance_may_become(enum maintenance_state from, enum maintenance_state to);
/* SCHEDULED STARTING ON ENDING CATCHING_UP; OFF when it is over, and for none. */
const char *maintenance_state_name(enum maintenance_state state);
/* What the end of one in this state makes of it; OVER: there is nothing to end. */
enum maintenance_state maintenance_ended_state(enum maintenance_state state);
void maintenance_clear(struct maintenance *maintenance); /* back to all zeroes */

/* Whether accounts are told of this state, by a notice of this kind and title. */
struct maintenance_telling {
    const char *kind;  /* "maintenance.started"; NULL: nobody is told */
    const char *title; /* of mail */
};
struct maintenance_telling maintenance_telling(enum maintenance_state state);
/* The notice's text. */
void maintenance_text(struct buf *out, const struct maintenance *maintenance);
/* The data of system.maintenance_started and …_ended, canonical; `pending`: the account's. */
void maintenance_data(struct buf *out, const struct maintenance *maintenance, int64_t pending);

#endif
