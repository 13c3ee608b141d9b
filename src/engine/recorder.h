/* recorder.h — counts what every notification does, a minute at a time, and writes it to disk.
 *
 * An outcome is counted in memory; a minute that is over is written by one job, which rides a group
 * commit, and only for notifications that did something in it.  A crash loses the minute under way,
 * a stop does not.  What is old is made into hours, and deleted, in small steps.
 */
#ifndef POSTBACKD_RECORDER_H
#define POSTBACKD_RECORDER_H

#include "engine/ended.h"
#include "engine/lateness.h"
#include "engine/work.h"
#include "model/sample.h"

struct recorder;

/* lateness: knows what waits, for the samples; NULL: nobody does. */
struct recorder *recorder_new(struct work *work, const struct lateness_watch *lateness);
/* NULL is allowed, for both.  At a stop: writes what is under way. */
void recorder_free(struct recorder *recorder);
void recorder_finish(struct recorder *recorder);

/* The notification's pending postbacks may have changed. */
void recorder_touch(struct recorder *recorder, int64_t notification,
                    int64_t account /* 0: unknown */);
void recorder_ended(struct recorder *recorder, const struct ended *ended);

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
void recorder_under_way(const struct recorder *recorder, int64_t account, int64_t notification,
                        struct under_way *out);

struct recorder_rates { /* a second, over the last ten */
    double delivered, failed;
};
void recorder_rates(const struct recorder *recorder, struct recorder_rates *out);

#endif
