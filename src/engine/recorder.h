/* recorder.h — counts what every notification does, a minute at a time, and writes it to disk.
 *
 * An outcome is counted in memory; a minute that is over is written by one job, which rides a group
 * commit, and only for notifications that did something in it.  A crash loses the minute under way,
 * a stop does not.  What is old is made into hours, and deleted, in small steps.
 */
#ifndef POSTBACKD_RECORDER_H
#define POSTBACKD_RECORDER_H

#include "engine/engine.h"
#include "model/sample.h"

/* What is not yet on disk: of the minute under way, and of the one that is being written. */
struct under_way {
    struct {
        int64_t at; /* when it began, wall ms */
        struct sample sample;
    } open, closing;
    int64_t batch;     /* of closing: a snapshot of this batch has it, one of a later batch both */
    int64_t oldest_at; /* when the oldest that waits was first due, as last looked at; -1: none */
};
/* Of a notification, else of an account, else (0, 0) of all. */
void engine_under_way(const struct engine *engine, int64_t account, int64_t notification,
                      struct under_way *out);

struct engine_rates { /* a second, over the last ten */
    double delivered, failed;
};
void engine_rates(const struct engine *engine, struct engine_rates *out);

/* ---- for the engine's files ---- */

void recorder_start(struct engine *engine);
/* The notification's pending postbacks may have changed. */
void recorder_touch(struct engine *engine, int64_t notification, int64_t account /* 0: unknown */);
/* latency_us: from the acceptance, -1 if it does not count. */
void recorder_attempted(struct engine *engine, int64_t notification, int64_t account,
                        bool delivered, int64_t latency_us);
void recorder_finish(struct engine *engine); /* at a stop: writes what is under way */
void recorder_stop(struct engine *engine);
void recorder_free(struct engine *engine);

#endif
