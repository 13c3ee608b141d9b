/* engine.h — a postback's life: from the commit that made it, through a lane, to its outcome on
 * disk.
 *
 * On the loop thread.  It takes each commit's fresh postbacks from the store and hands them to the
 * courier's lanes; writes outcomes in batches; parks on disk what a lane will not take and reads it
 * back below low water, oldest first; and wakes lanes when something on disk comes due.  A postback
 * is in memory at most once: `held` has every id from the hand-over until its outcome is committed.
 */
#ifndef POSTBACKD_ENGINE_H
#define POSTBACKD_ENGINE_H

#include "courier/courier.h"
#include "db/store.h"
#include "engine/membership.h"
#include "engine/room.h"
#include "engine/services.h"
#include "model/lateness.h"

struct engine;
struct errand_doers;

struct engine_config {
    uv_loop_t *loop;
    struct store *store;
    struct membership *membership; /* among those that share the store; NULL: it is alone */
    struct courier_config courier;
    const char *sendmail; /* the mailer's program; NULL: no mail */
    struct lateness_limits lateness;
    struct room_limits room;
    const struct errand_doers
        *errands; /* who knows what jobs do (errands.h); outlives it, or NULL */
};

/* Recovers what a crash or a stop left, then starts delivering. */
struct engine *engine_new(const struct engine_config *config, struct error *error);
/* Stops handing out, waits until what is in flight has ended or `limit_ms` is over, and records.
 * Turns the loop itself.  What is still queued or in flight is found again at the next start. */
void engine_stop(struct engine *engine, int64_t limit_ms);
void engine_free(struct engine *engine);

const struct services *engine_services(const struct engine *engine);

/* From now on what has ended is deleted after this time, and events with their postbacks; 0 (from
 * the start): never. */
void engine_keep(struct engine *engine, int64_t keep_ms);
/* From now on postbacks that are not delivered at this age are given up; 0 (from the start): never.
 */
void engine_give_up(struct engine *engine, int64_t age_ms);

enum retry_turn {
    RETRY_NOW,     /* it is being sent */
    RETRY_NEXT,    /* the destination is down: it is the next probe */
    RETRY_IN_TURN, /* others of its notification are on their way before it */
    RETRY_HELD,    /* nothing goes out: paused, held, or a maintenance */
};
/* When a postback goes out that was retried (committed): it goes before all others of its
 * notification that wait, and where the destination is down it is the probe. */
enum retry_turn engine_retry_turn(struct engine *engine, int64_t notification, int64_t postback);

/* Whether an account's postbacks have changed (marks.h). */
struct marks;
struct marks *engine_marks(struct engine *engine);

struct engine_figures {
    int64_t accepted, delivered, failed, in_memory, recording, lanes, lanes_down;
    int64_t certificates_ending; /* lanes whose client certificate ends within 14 days */
    int64_t certificate_ends_at; /* the first of them all, wall ms; -1: there is none */
    int64_t oldest_due_at;       /* of what is on disk or in memory, wall ms; -1: nothing */
    int64_t oldest_kept_at;      /* the oldest event, wall ms; -1: none, or all are kept for ever */
};
void engine_figures(const struct engine *engine, struct engine_figures *out);
void engine_courier_figures(const struct engine *engine, struct courier_figures *out);

#endif
