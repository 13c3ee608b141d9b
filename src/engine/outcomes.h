/* outcomes.h — what happened to postbacks, on its way to disk; and the floor of those in memory.
 *
 * An outcome is written with the others of its turn of the loop.  Once it is committed its owner is
 * told (`settled`).  When a commit fails it is tried again, in order, once the store takes writes.
 *
 * A postback straight from a commit gets its row with its first outcome.  Until then it is known
 * here (outcomes_hold()), by its own `fresh` link; one that is still out after a second gets a
 * FRESH row, so that the log shows it as being sent, and one after ten seconds a WAITING one.
 *
 * The floor is an id: from there on recovery looks for what was in memory (store/direct.h).
 */
#ifndef POSTBACKD_OUTCOMES_H
#define POSTBACKD_OUTCOMES_H

#include "engine/work.h"
#include "model/attempt.h"
#include "model/postback.h"

enum outcome_kind {
    OUTCOME_ATTEMPTED, /* an attempt and its verdict */
    OUTCOME_PARKED,    /* WAITING from now on, out of memory */
    OUTCOME_SHOWN,     /* it has its FRESH row: no outcome yet, nor any to be added */
    OUTCOME_AGED,      /* WAITING from now on, still queued in its lane */
};

/* It is on disk. */
struct settled {
    enum outcome_kind kind;
    enum verdict verdict; /* of ATTEMPTED */
    int64_t account, notification, id;
    int64_t due_at;            /* as written */
    struct postback *postback; /* the callee's again; SHOWN, AGED: NULL, its holder goes on */
};

struct outcomes;

struct outcomes_config {
    struct work *work;
    void (*settled)(void *context, const struct settled *settled);
    void *context;
    /* Whether one that has been out for long may be WAITING where it is.  If not, another server
     * would send it too: the callee takes it back from its lane.  NULL: it may. */
    bool (*may_wait)(void *context, const struct postback *postback);
};

struct outcomes *outcomes_new(const struct outcomes_config *config);
/* Those that could not be written are dropped; the postbacks that are held stay their holders', who
 * have let go of them before. */
void outcomes_free(struct outcomes *outcomes);

/* Takes the postback, until it is settled, and the attempt's parts. */
void outcomes_add(struct outcomes *outcomes, enum outcome_kind kind, struct postback *postback,
                  struct attempt *attempt, enum verdict verdict);
/* Gives what there is to the writer: once a turn of the loop, and before a job that counts on it.
 * Beside it, or alone when none has come for long, the floor. */
void outcomes_flush(struct outcomes *outcomes);
size_t outcomes_unwritten(const struct outcomes *outcomes); /* not given to the writer */
size_t outcomes_recording(const struct outcomes *outcomes); /* not yet on disk: these too */

/* A postback straight from a commit was taken into memory: the floor stays below it. */
void outcomes_hold(struct outcomes *outcomes, struct postback *postback);
/* All that are held, by postback.fresh, oldest first.  One that is `waiting` is only the name of
 * one whose row is becoming WAITING. */
const struct list *outcomes_held(const struct outcomes *outcomes);
/* Ids under this have their rows as far as they will get any, but for those of the same
 * transactions as later ones. */
int64_t outcomes_horizon(const struct outcomes *outcomes);
/* A commit brought rows, the newest of which has this id. */
void outcomes_seen(struct outcomes *outcomes, int64_t newest);
/* At the start: the floor on disk, and nothing is in memory. */
void outcomes_start(struct outcomes *outcomes, int64_t floor);

#endif
