/* state.h — what the engine's files share.  Nothing outside src/engine includes it. */
#ifndef POSTBACKD_STATE_H
#define POSTBACKD_STATE_H

#include "engine/engine.h"
#include "engine/feed.h"
#include "engine/holds.h"
#include "engine/lateness.h"
#include "engine/mailer.h"
#include "engine/maintenance.h"
#include "engine/marks.h"
#include "engine/outcomes.h"
#include "engine/tester.h"
#include "engine/waits.h"
#include "engine/work.h"
#include "model/backoff.h"
#include "model/lateness.h"
#include "store/postbacks.h"

struct giver_up;
struct recorder;
struct replays;

struct engine {
    uv_loop_t *loop;
    struct store *store;
    struct courier *courier;

    struct work work;
    struct services services;
    struct tester tester;
    struct waits waits;
    struct outcomes *outcomes;
    struct feeds *feeds;
    uv_prepare_t turn; /* once a turn of the loop: outcomes go to the writer */
    struct holds holds;
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
