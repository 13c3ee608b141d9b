/* state.h — what the engine's files share.  Nothing outside src/engine includes it. */
#ifndef POSTBACKD_STATE_H
#define POSTBACKD_STATE_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/turns.h"
#include "engine/changes.h"
#include "engine/engine.h"
#include "engine/holds.h"
#include "engine/mailer.h"
#include "model/backoff.h"
#include "model/lateness.h"
#include "store/postbacks.h"

struct feed;
struct pause;
struct lateness_watch;
struct keeper;
struct giver_up;
struct recorder;
struct room;
struct replays;
struct sweeper;

struct engine {
    uv_loop_t *loop;
    struct store *store;
    struct courier *courier;

    struct map feeds;  /* notification → struct feed */
    struct heap wakes; /* feeds by when their next row on disk is due, wall ms */
    uv_timer_t wake_timer;
    uv_timer_t approval_timer;
    uv_prepare_t turn; /* once a turn of the loop: outcomes go to the writer */

    struct list fresh; /* postbacks whose rows are FRESH, oldest first */
    int64_t newest;    /* of the rows that commits brought: no FRESH one that is unknown is older */
    struct list outcomes; /* struct outcome: not yet given to the writer */
    size_t outcome_count, recording;
    int64_t floor, floor_at; /* last written, and when (steady ms) */
    size_t reads;            /* of feeds, under way */
    struct turns wanting;    /* feeds that would read; accounts take turns */
    size_t in_memory, jobs;  /* jobs: of the engine's own, not yet done */
    bool writable, stopping, approving;
    unsigned holds;                  /* enum hold */
    struct pause *pause;             /* maintenance.c's own */
    struct lateness_watch *lateness; /* lateness.c's own */
    struct mailer *mailer;
    struct changes changes;
    struct recorder *recorder; /* recorder.c's own */
    struct room *room;         /* room.c's own */
    struct keeper *keeper;     /* retention.c's own */
    struct giver_up *giver_up; /* expiry.c's own */
    struct replays *replays;   /* replays.c's own */
    struct sweeper *sweeper;   /* dedupe.c's own */
};

/* ---- outcomes.c: what happened to a postback, on its way to disk ---- */

enum outcome_kind {
    OUTCOME_ATTEMPTED, /* an attempt and its verdict */
    OUTCOME_PARKED,    /* FRESH to WAITING, out of memory */
    OUTCOME_AGED,      /* FRESH to WAITING, still queued in its lane */
};

/* The outcome owns the postback (AGED: a copy that names it) and the attempt's parts. */
void outcome_add(struct engine *engine, enum outcome_kind kind, struct postback *postback,
                 struct attempt *attempt, enum verdict verdict);
void outcomes_flush(struct engine *engine);
void outcomes_free(struct engine *engine); /* at the end: those that could not be written */

/* ---- feed.c: one notification's postbacks between disk and lane ---- */

struct feed *feed_of(struct engine *engine, int64_t notification); /* made when absent */
struct feed *feed_find(struct engine *engine, int64_t notification);
void feed_accept(struct feed *feed, struct postback *postback); /* fresh from a commit */
void feed_reload(struct feed *feed);                            /* its settings or state changed */
void feed_changed(struct feed *feed); /* … by its owner: failed ones are tried at once */
/* What its lane has queued goes back to disk; Ordered: it will be read again from the first. */
void feed_recall(struct feed *feed);
void feed_gone(struct feed *feed);            /* the receiver answered 410: its lane stays closed */
void feed_gone_settled(struct feed *feed);    /* … that is on disk: its state is read again */
void feed_hungry(struct feed *feed);          /* its lane has room */
void feed_down(struct feed *feed, bool down); /* its lane went DOWN, or is READY again */
int64_t feed_notification(const struct feed *feed);
void feed_more(struct feed *feed); /* the disk may hold due rows, the lane may have room */
void feed_due(struct feed *feed, int64_t due_at);                     /* a row waits until then */
void feed_waits(struct feed *feed, int64_t postback, int64_t due_at); /* … which one */
void feed_hint(struct feed *feed, int64_t due_at); /* new rows wait, the first until then */
void feed_forget(struct feed *feed, struct postback *postback); /* out of memory: frees it */
bool feed_is_ordered(const struct feed *feed);
bool feed_rests(const struct feed *feed); /* Ordered, and its first is not due: nothing goes out */
/* In memory: queued or in flight. */
bool feed_has(struct feed *feed, int64_t id);
void feed_cancelled(struct feed *feed, int64_t postback); /* in memory, but in no lane's queue */
int64_t feed_oldest(const struct feed *feed); /* due time of the oldest it knows of; -1: none */
bool feed_certificate_ends(const struct feed *feed, int64_t by_ms); /* the client's of its TLS */
void feed_free(struct feed *feed);
void feeds_wake_due(struct engine *engine); /* those whose next row has come due */

/* ---- recovery.c, approvals.c, tester.c, retention.c ---- */

bool engine_recover(struct engine *engine, struct error *error);
void approvals_start(struct engine *engine);
void approvals_stop(struct engine *engine);
void retention_start(struct engine *engine); /* nothing is old until engine_keep() */
void retention_stop(struct engine *engine);
void retention_free(struct engine *engine);

/* ---- expiry.c ---- */
void expiry_start(struct engine *engine); /* nothing is given up until engine_give_up() */
void expiry_stop(struct engine *engine);
void expiry_free(struct engine *engine);
void replays_start(struct engine *engine);
void replays_stop(struct engine *engine);
void replays_free(struct engine *engine);
int64_t retention_oldest_at(const struct engine *engine);
void dedupe_start(struct engine *engine);
void dedupe_stop(struct engine *engine);
void tester_answered(struct postback *postback, struct attempt *attempt, enum verdict verdict);

/* ---- maintenance.c ---- */

/* Reads where the latest pause is, holds if it says so; before anything is sent or written. */
bool maintenance_start(struct engine *engine, struct error *error);
void maintenance_stop(struct engine *engine);
void maintenance_free(struct engine *engine);
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

/* ---- room.c ---- */

void room_start(struct engine *engine, const struct room_limits *limits);
void room_stop(struct engine *engine);
void room_free(struct engine *engine);

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
