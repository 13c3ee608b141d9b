/* state.h — what the engine's files share.  Nothing outside src/engine includes it. */
#ifndef POSTBACKD_STATE_H
#define POSTBACKD_STATE_H

#include "engine/engine.h"
#include "engine/feed.h"
#include "engine/holds.h"
#include "engine/mailer.h"
#include "engine/marks.h"
#include "engine/outcomes.h"
#include "engine/work.h"
#include "model/backoff.h"
#include "model/lateness.h"
#include "store/postbacks.h"

struct pause;
struct lateness_watch;
struct giver_up;
struct recorder;
struct replays;

struct engine {
    uv_loop_t *loop;
    struct store *store;
    struct courier *courier;

    struct work work;
    struct services services;
    struct outcomes *outcomes;
    struct feeds *feeds;
    uv_prepare_t turn;               /* once a turn of the loop: outcomes go to the writer */
    unsigned holds;                  /* enum hold */
    struct pause *pause;             /* maintenance.c's own */
    struct lateness_watch *lateness; /* lateness.c's own */
    struct mailer *mailer;
    struct marks marks;
    struct recorder *recorder; /* recorder.c's own */
    struct giver_up *giver_up; /* expiry.c's own */
    struct replays *replays;   /* replays.c's own */
    struct sweep *approvals, *dedupe, *retention;
};

/* ---- expiry.c ---- */
void expiry_start(struct engine *engine); /* nothing is given up until engine_give_up() */
void expiry_stop(struct engine *engine);
void expiry_free(struct engine *engine);
void replays_start(struct engine *engine);
void replays_stop(struct engine *engine);
void replays_free(struct engine *engine);
/* One was begun (committed). */
void replays_begun(struct engine *engine, int64_t replay, int64_t notification);
void tester_answered(struct postback *postback, struct attempt *attempt, enum verdict verdict);

/* ---- maintenance.c ---- */

/* Reads where the latest pause is, holds if it says so; before anything is sent or written. */
bool maintenance_start(struct engine *engine, struct error *error);
void maintenance_stop(struct engine *engine);
void maintenance_free(struct engine *engine);
void maintenance_changed(struct engine *engine); /* one was added or ended (committed) */
/* Of the pause in force, wall ms: since when, and until when it is expected to last (DATE_NONE). */
void maintenance_span(const struct engine *engine, int64_t *since, int64_t *until);
void maintenance_attempted(struct engine *engine, const struct postback *postback);

/* ---- lateness.c ---- */

bool lateness_start(struct engine *engine, const struct lateness_limits *limits,
                    struct error *error); /* before anything is written */
void lateness_stop(struct engine *engine);
void lateness_free(struct engine *engine);
void lateness_wanted(struct engine *engine); /* there may be something to be late */
void lateness_attempted(struct engine *engine, const struct postback *postback,
                        const struct attempt *attempt, enum verdict verdict);
void lateness_down(struct engine *engine, int64_t notification);
void lateness_gone(struct engine *engine, int64_t notification); /* it was deleted */
/* When the oldest that waits was first due, as last looked at: of a notification, else of an
 * account, else (0, 0) of all; -1: nothing waits. */
int64_t lateness_oldest(const struct engine *engine, int64_t account, int64_t notification);

/* ---- a job of the engine's ---- */

struct engine_job {
    struct job job;
    struct engine *engine;
    int64_t notification; /* looked up again when done: the feed may be gone */
};
void *engine_job_new(struct engine *engine, size_t size, bool (*run)(struct job *, struct db *),
                     void (*done)(struct job *, bool));
struct engine *engine_job_done(struct job *job); /* counts it; gives its engine */

#endif
