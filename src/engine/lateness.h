/* lateness.h — watches how far behind each notification is, and which fail.
 *
 * Every few seconds while anything waits, what is on disk is looked at; nothing is while all is
 * delivered.  A notification is failing when its destination is down, or after many failures in a
 * row; what is told about notifications does not count, so that news make no news.  One that its
 * owner paused, or that is held after 410 (its owner was told then), is not called late.
 *
 * Servers that share a database all look, and each tells of the notifications whose bucket is its
 * own; what is late by the operator's pause, which is told once an account, the one on duty does.
 * Whether one fails each sees by its own attempts.  Who is first tells, and all hear of it.
 */
#ifndef POSTBACKD_ENGINE_LATENESS_H
#define POSTBACKD_ENGINE_LATENESS_H

#include "engine/ended.h"
#include "engine/holds.h"
#include "engine/work.h"
#include "model/change.h"
#include "model/lateness.h"

struct lateness_watch;

struct lateness_config {
    struct work *work;
    const struct holds *holds; /* what is late meanwhile is so by the operator's pause */
    struct lateness_limits limits;
};

/* Reads which episodes last; before anything is written.  NULL with *error set: the store could
 * not. */
struct lateness_watch *lateness_new(const struct lateness_config *config, struct error *error);
void lateness_free(struct lateness_watch *lateness); /* NULL is allowed */

void lateness_wanted(struct lateness_watch *lateness); /* there may be something to be late */
void lateness_ended(struct lateness_watch *lateness, const struct ended *ended);
void lateness_down(struct lateness_watch *lateness, int64_t notification); /* its destination is */
void lateness_gone(struct lateness_watch *lateness, int64_t notification); /* it was deleted */
/* An episode has begun or ended (CHANGE_EPISODE), here or at another server. */
void lateness_heard(struct lateness_watch *lateness, const struct change *change);

struct lateness_figures { /* as last looked at; failing: as it is */
    int64_t oldest_at;    /* when the oldest that waits was first due; -1: nothing waits */
    int64_t late, alarmed, failing; /* notifications; those alarmed are among the late */
};
void lateness_figures(const struct lateness_watch *lateness, struct lateness_figures *out);
const struct lateness_limits *lateness_limits(const struct lateness_watch *lateness);
/* When the oldest that waits was first due, as last looked at: of a notification, else of an
 * account, else (0, 0) of all; -1: nothing waits, or there was no look yet.  NULL is allowed. */
int64_t lateness_oldest(const struct lateness_watch *lateness, int64_t account,
                        int64_t notification);

#endif
