/* maintenance.h — the operator's pause as it goes: told, held, ended, caught up.
 *
 * The row on disk says how far it is, so that it goes on after a restart; this moves it along.
 * Accounts are told in batches.  The pause takes force when system.maintenance_started has been
 * tried for all who subscribed, or MAINTENANCE_WAIT_MS later; at the end what is due is counted,
 * then everything goes out again, and its progress is looked at until all of it has been tried.
 * Receivers that are down, hang or hold up an order are left out of the progress: they come when
 * they come.
 */
#ifndef POSTBACKD_ENGINE_MAINTENANCE_H
#define POSTBACKD_ENGINE_MAINTENANCE_H

#include "engine/ended.h"
#include "engine/holds.h"
#include "engine/work.h"
#include "model/maintenance.h"

enum { MAINTENANCE_WAIT_MS = 5000 };

struct pause;

struct maintenance_config {
    struct work *work;
    struct holds *holds;
    const struct list *fresh; /* of postbacks, by their `fresh`: those that are in no index yet */
    /* What waits for it does so as its receiver is down, hangs, or failed one that comes first: it
     * would keep the catch-up from ending. */
    bool (*is_stuck)(void *context, int64_t notification);
    void *context;
};

/* Reads where the latest pause is, and holds if it says so; before anything is sent or written.
 * NULL with *error set: the store could not. */
struct pause *maintenance_new(const struct maintenance_config *config, struct error *error);
void maintenance_free(struct pause *pause); /* NULL is allowed */

void maintenance_changed(struct pause *pause); /* one was added, or moved on (committed) */
void maintenance_ended(struct pause *pause, const struct ended *ended);
/* Of the pause in force, wall ms: since when, and until when it is expected to last (DATE_NONE). */
void maintenance_span(const struct pause *pause, int64_t *since, int64_t *until);

struct maintenance_progress {
    bool known;              /* there is a catch-up, or was one since the start */
    int64_t total, left;     /* of what was due at the end */
    int64_t down;            /* besides: waiting for receivers that are down or hang */
    double rate;             /* a second; 0: not known */
    int64_t expected_end_at; /* wall ms; DATE_NONE: not known */
};
void maintenance_progress(const struct pause *pause, int64_t id, struct maintenance_progress *out);

#endif
